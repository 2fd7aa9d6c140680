package engine

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/github/fetch"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// verify asks AWS again about the open findings of a repository. The database holds no
// secrets, so it reads the texts that the findings are in again.
func (e *Engine) verify(ctx context.Context, j sweep.Job, last bool, done sweep.Done) error {
	r, err := e.Store.Repository(ctx, j.Number)
	if err != nil {
		return err
	}
	t, err := e.Store.Target(ctx, r.Target)
	if err != nil {
		return err
	}
	open, err := e.Store.TextsToVerify(ctx, r.Number, t.Begun)
	if err != nil {
		return err
	}
	var result sweep.Result
	if len(open) > 0 {
		if result, err = e.readAgain(ctx, t, r, open); err != nil {
			return e.notVerified(ctx, r, err, last)
		}
	}
	return e.Store.Tx(ctx, func(tx *sql.Tx) error {
		if err := e.Store.PutVerdicts(ctx, tx, open, result, t.Begun); err != nil {
			return err
		}
		return done(ctx, tx)
	})
}

// notVerified notes why the findings of r could not be verified again, if no try is left in
// this sweep: the report then shows states from an earlier one.
func (e *Engine) notVerified(ctx context.Context, r sweep.Repository, err error, last bool) error {
	var later *sweep.Later
	var final *sweep.Final
	if errors.As(err, &later) || ctx.Err() != nil || !last && !errors.As(err, &final) {
		return err
	}
	return errors.Join(err, e.Store.NoteFailed(ctx, r.Number, "AWS could not be asked again about its open findings: "+err.Error()))
}

// readAgain reads texts of r again and searches them together: a key may have one half in
// each of two.
func (e *Engine) readAgain(ctx context.Context, t sweep.Target, r sweep.Repository, texts []sweep.OpenText) (sweep.Result, error) {
	hub, err := e.Hub(t)
	if err != nil {
		return sweep.Result{}, err
	}
	w := scanJob{Engine: e, hub: hub, repo: r}
	if w.repo.Name, err = nameAtHost(ctx, w.hub, w.repo); err != nil {
		return sweep.Result{}, err
	}
	objects, names, beside := map[string]bool{}, map[string]bool{}, map[finding.BlobID]bool{}
	for _, text := range texts {
		switch text.Kind {
		case finding.KindBlob, finding.KindCommit, finding.KindTag, finding.KindNote, finding.KindPath:
			objects[text.Blob] = true
		case finding.KindRefName:
			names[text.Blob] = true
		default:
			beside[finding.BlobID(text.Blob)] = true
		}
	}
	var result sweep.Result
	if len(objects)+len(names) > 0 {
		if result, err = w.readObjectsAgain(ctx, slices.Sorted(maps.Keys(objects)), names); err != nil {
			return sweep.Result{}, err
		}
	}
	if len(beside) == 0 {
		return result, nil
	}
	source, err := w.hub.TextsAgain(ctx, w.repo.Name, slices.Sorted(maps.Keys(beside)))
	if err != nil {
		return sweep.Result{}, err
	}
	more, err := e.Scan(ctx, source, r.WebURL)
	result.Findings = append(result.Findings, more.Findings...)
	result.Unread = append(result.Unread, more.Unread...)
	return result, err
}

// readObjectsAgain fetches single objects of a git repository, and the refs with the given
// names as they are stored, and scans them.
func (w *scanJob) readObjectsAgain(ctx context.Context, objects []string, names map[string]bool) (sweep.Result, error) {
	url, err := w.cloneURL(ctx)
	if err != nil {
		return sweep.Result{}, err
	}
	remote, err := fetch.Connect(ctx, url)
	if err != nil {
		return sweep.Result{}, w.classify(ctx, err)
	}
	wanted := fetch.Wanted{Tips: map[string]string{}, Objects: objects, MaxBytes: w.MaxFetch, Dir: w.Temp}
	for name, id := range remote.Tips() {
		if names[database.Redact(name)] {
			wanted.Tips[name] = id
			wanted.Haves = append(wanted.Haves, id) // its name alone is read
		}
	}
	began := time.Now()
	repo, err := remote.Fetch(ctx, wanted)
	w.timeFetch(began)
	if err != nil {
		return sweep.Result{}, w.classify(ctx, err)
	}
	// The halves of a key may be in two files, and belong together by where these are.
	known, err := w.Store.PlacesOf(ctx, w.repo.Number, objects)
	var result sweep.Result
	if err == nil {
		result, err = w.Scan(ctx, remembered{fetch.Source{Repository: repo, WebURL: w.repo.WebURL}, known}, w.repo.WebURL)
	}
	if closeErr := repo.Close(); closeErr != nil {
		w.Log.WarnContext(ctx, "a temporary folder is left behind", "repository", w.repo.Name, "err", closeErr)
	}
	return result, err
}

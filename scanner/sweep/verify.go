package sweep

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/github/fetch"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/verifier"
)

// verify asks AWS again about the open findings of a repository. The database holds no
// secrets, so it reads the texts that the findings are in again.
func (e *Engine) verify(ctx context.Context, j Job, last bool, done Done) error {
	r, err := e.Store.repository(ctx, j.Number)
	if err != nil {
		return err
	}
	t, err := e.Store.target(ctx, r.Target)
	if err != nil {
		return err
	}
	open, err := e.Store.textsToVerify(ctx, r.Number, t.Begun)
	if err != nil {
		return err
	}
	var result Result
	if len(open) > 0 {
		if result, err = e.readAgain(ctx, t, r, open); err != nil {
			return e.notVerified(ctx, r, err, last)
		}
	}
	sortFindings(result.Findings)
	return e.Store.Tx(ctx, func(tx *sql.Tx) error {
		for i := range result.Findings {
			// Their locations are left out: a few texts do not have all of them.
			if err := e.Store.putVerdict(ctx, tx, &result.Findings[i]); err != nil {
				return err
			}
		}
		if err := e.Store.putOthers(ctx, tx, open, result, t.Begun); err != nil {
			return err
		}
		return done(ctx, tx)
	})
}

// notVerified notes why the findings of r could not be verified again, if no try is left in
// this sweep: the report then shows states from an earlier one.
func (e *Engine) notVerified(ctx context.Context, r Repository, err error, last bool) error {
	var later *Later
	var final *Final
	if errors.As(err, &later) || ctx.Err() != nil || !last && !errors.As(err, &final) {
		return err
	}
	return errors.Join(err, e.Store.noteFailed(ctx, r.Number, "AWS could not be asked again about its open findings: "+err.Error()))
}

// An openText is a text with an open finding.
type openText struct {
	fingerprint string // of the finding
	keyID       string // of the finding
	kind        finding.Kind
	blob        string // as in Location.Blob
}

// readAgain reads texts of r again and searches them together: a key may have one half in
// each of two.
func (e *Engine) readAgain(ctx context.Context, t Target, r Repository, texts []openText) (Result, error) {
	hub, err := e.Hub(t)
	if err != nil {
		return Result{}, err
	}
	w := scanJob{Engine: e, hub: e.withLimits(hub), repo: r}
	if w.repo.Name, err = nameAtHost(ctx, w.hub, w.repo); err != nil {
		return Result{}, err
	}
	objects, names, beside := map[string]bool{}, map[string]bool{}, map[finding.BlobID]bool{}
	for _, text := range texts {
		switch text.kind {
		case finding.KindBlob, finding.KindCommit, finding.KindTag, finding.KindNote, finding.KindPath:
			objects[text.blob] = true
		case finding.KindRefName:
			names[text.blob] = true
		default:
			beside[finding.BlobID(text.blob)] = true
		}
	}
	var result Result
	if len(objects)+len(names) > 0 {
		if result, err = w.readObjectsAgain(ctx, slices.Sorted(maps.Keys(objects)), names); err != nil {
			return Result{}, err
		}
	}
	if len(beside) == 0 {
		return result, nil
	}
	source, err := w.hub.TextsAgain(ctx, w.repo.Name, slices.Sorted(maps.Keys(beside)))
	if err != nil {
		return Result{}, err
	}
	more, err := e.Scan(ctx, source, r.WebURL)
	var later *Later
	if errors.As(err, &later) {
		return Result{}, errors.Join(err, e.Store.putLimit(ctx, w.hub.Budget(), later))
	}
	result.Findings = append(result.Findings, more.Findings...)
	result.Unread = append(result.Unread, more.Unread...)
	return result, err
}

// readObjectsAgain fetches single objects of a git repository, and the refs with the given
// names as they are stored, and scans them.
func (w *scanJob) readObjectsAgain(ctx context.Context, objects []string, names map[string]bool) (Result, error) {
	url, err := w.cloneURL(ctx)
	if err != nil {
		return Result{}, err
	}
	remote, err := fetch.Connect(ctx, url)
	if err != nil {
		return Result{}, w.classify(ctx, err)
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
		return Result{}, w.classify(ctx, err)
	}
	// The halves of a key may be in two files, and belong together by where these are.
	known, err := w.Store.placesOf(ctx, w.repo.Number, objects)
	var result Result
	if err == nil {
		result, err = w.Scan(ctx, remembered{fetch.Source{Repository: repo, WebURL: w.repo.WebURL}, known}, w.repo.WebURL)
	}
	if closeErr := repo.Close(); closeErr != nil {
		w.Log.WarnContext(ctx, "a temporary folder is left behind", "repository", w.repo.Name, "err", closeErr)
	}
	return result, err
}

// textsToVerify returns the texts to read again in order to verify the open findings of a
// repository that were last verified before then.
func (s *Store) textsToVerify(ctx context.Context, number int64, before time.Time) (texts []openText, err error) {
	err = database.EachRow(ctx, s.SQL, func(scan func(...any) error) error {
		var t openText
		var kind string
		err := scan(&t.fingerprint, &t.keyID, &kind, &t.blob)
		t.kind = finding.Kind(kind)
		texts = append(texts, t)
		return err
	}, `SELECT DISTINCT l.fingerprint, f.key_id, l.kind, l.blob FROM location l JOIN finding f ON f.fingerprint = l.fingerprint
		WHERE l.repository = $1 AND l.blob <> '' AND `+isOpen+` AND f.verified < $2 AND `+isFirstCopy+` ORDER BY l.fingerprint`, number, database.Millis(before))
	return texts, err
}

// putOthers stores what a scan of the texts of open findings says of those that it has not
// found, as part of tx.
func (s *Store) putOthers(ctx context.Context, tx *sql.Tx, open []openText, result Result, begun time.Time) error {
	why := "its text is not there any more"
	if len(result.Unread) > 0 {
		why = "its text could not be read: " + result.Unread[0].Why
	}
	done, ids := map[string]bool{}, map[string]*verifier.Verdict{}
	for i := range result.Findings {
		f := &result.Findings[i]
		done[f.Fingerprint()] = true
		if id := f.Match.Credential.ID; id != "" && !isWhole(f) && isAnswer(f.Verdict.State) {
			ids[id] = &f.Verdict
		}
	}
	for _, text := range open {
		if done[text.fingerprint] {
			continue
		}
		done[text.fingerprint] = true
		var err error
		if v := ids[text.keyID]; v != nil {
			// A scan joins halves from two texts only as long as the key works. It asks with
			// both, and gives the answer to the id.
			err = s.putVerdictOf(ctx, tx, text.fingerprint, *v)
		} else {
			_, err = database.Exec(ctx, tx, `UPDATE finding SET stale = $2 WHERE fingerprint = $1 AND verified < $3`, text.fingerprint, notAskedAgain+why, database.Millis(begun))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// putVerdictOf stores v as the new verdict of a known finding, as part of tx.
func (s *Store) putVerdictOf(ctx context.Context, tx *sql.Tx, fingerprint string, v verifier.Verdict) error {
	var record string
	if err := database.QueryRow(ctx, tx, `SELECT record FROM finding WHERE fingerprint = $1`, fingerprint)(&record); err != nil {
		return ignoreError(err, sql.ErrNoRows)
	}
	var f finding.Finding
	if err := database.UnmarshalRecord(json.RawMessage(record), &f); err != nil {
		return fmt.Errorf("a finding in the database: %w", err)
	}
	if v.Identity.ARN == "" {
		v.Identity = f.Verdict.Identity // AWS names the owner of a key that works, and no other
	}
	f.Verdict = v
	return s.putVerdict(ctx, tx, &f)
}

// isOpen is true for findings that may still be live. It leaves out findings that were
// never verified, whatever the reason.
const isOpen = `f.ignored = '' AND f.verified > 0 AND f.state IN ('live', 'id-active-secret-mismatch', 'unknown')`

// isFirstCopy is true for exactly one of the existing repositories of a target that have
// the text of a finding.
const isFirstCopy = `l.repository = (SELECT MIN(m.repository) FROM location m JOIN repository o ON o.number = m.repository
	WHERE m.fingerprint = l.fingerprint AND m.blob <> '' AND o.state <> 'gone'
	AND o.target = (SELECT target FROM repository WHERE number = l.repository))`

// repositoriesToVerify returns the repositories of a target for which textsToVerify is
// not empty.
func (s *Store) repositoriesToVerify(ctx context.Context, tx *sql.Tx, target string, before time.Time) (numbers []int64, err error) {
	err = database.EachRow(ctx, tx, func(scan func(...any) error) error {
		var n int64
		err := scan(&n)
		numbers = append(numbers, n)
		return err
	}, `SELECT DISTINCT l.repository FROM location l JOIN finding f ON f.fingerprint = l.fingerprint JOIN repository r ON r.number = l.repository
		WHERE r.target = $1 AND r.state <> 'gone' AND l.blob <> '' AND `+isOpen+` AND f.verified < $2
		AND `+isFirstCopy, target, database.Millis(before))
	return numbers, err
}

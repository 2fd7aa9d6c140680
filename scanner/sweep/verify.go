package sweep

import (
	"context"
	"database/sql"
	"errors"

	"github.com/stanch-dev/stanch/scanner/github/fetch"
)

// verify asks AWS again about the open findings of a repository. The database holds no
// secrets, so it fetches the files that the findings are in.
func (e *Engine) verify(ctx context.Context, j Job, last bool, done Done) error {
	r, err := e.Store.repository(ctx, j.Number)
	if err != nil {
		return err
	}
	t, err := e.Store.target(ctx, r.Target)
	if err != nil {
		return err
	}
	blobs, err := e.Store.blobsToVerify(ctx, r.Number, t.Begun)
	if err != nil {
		return err
	}
	var result Result
	if len(blobs) > 0 {
		if result, err = e.readAgain(ctx, t, r, blobs); err != nil {
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

func (e *Engine) readAgain(ctx context.Context, t Target, r Repository, blobs []string) (Result, error) {
	hub, err := e.Hub(t)
	if err != nil {
		return Result{}, err
	}
	w := scanJob{Engine: e, hub: e.withLimits(hub), repo: r}
	url, err := w.cloneURL(ctx)
	if err != nil {
		return Result{}, err
	}
	remote, err := fetch.Connect(ctx, url)
	if err != nil {
		return Result{}, w.classify(ctx, err)
	}
	repo, err := remote.Fetch(ctx, fetch.Wanted{Objects: blobs, MaxBytes: e.MaxFetch, Dir: e.Temp})
	if err != nil {
		return Result{}, w.classify(ctx, err)
	}
	result, err := e.Scan(ctx, repo, r.WebURL)
	if closeErr := repo.Close(); closeErr != nil {
		e.Log.Warn("a temporary folder is left behind", "repository", r.Name, "err", closeErr)
	}
	return result, err
}

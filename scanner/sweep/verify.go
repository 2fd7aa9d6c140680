package sweep

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/stanch-dev/stanch/scanner/github/fetch"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
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
	if err := w.learnName(ctx); err != nil {
		return Result{}, err
	}
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

// blobsToVerify returns the ids of the files to fetch in order to verify the open
// findings of a repository that were last verified before then. Findings in other kinds
// of text are left out: those cannot be fetched alone.
func (s *Store) blobsToVerify(ctx context.Context, number int64, before time.Time) (blobs []string, err error) {
	err = database.EachRow(ctx, s.SQL, func(scan func(...any) error) error {
		var blob string
		err := scan(&blob)
		blobs = append(blobs, blob)
		return err
	}, `SELECT DISTINCT l.blob FROM location l JOIN finding f ON f.fingerprint = l.fingerprint
		WHERE l.repository = $1 AND l.blob <> '' AND `+isOpen+` AND f.verified < $2 AND l.kind = 'blob'
		AND `+isFirstCopy, number, database.Millis(before))
	return blobs, err
}

// isOpen is true for findings that may still be live. It leaves out findings that were
// never verified, whatever the reason.
const isOpen = `f.ignored = '' AND f.verified > 0 AND f.state IN ('live', 'id-active-secret-mismatch', 'unknown')`

// isFirstCopy is true for exactly one of the existing repositories of a target that have
// the text of a finding.
const isFirstCopy = `l.repository = (SELECT MIN(m.repository) FROM location m JOIN repository o ON o.number = m.repository
	WHERE m.fingerprint = l.fingerprint AND m.kind = 'blob' AND m.blob <> '' AND o.state <> 'gone'
	AND o.target = (SELECT target FROM repository WHERE number = l.repository))`

// repositoriesToVerify returns the repositories of a target for which blobsToVerify is
// not empty.
func (s *Store) repositoriesToVerify(ctx context.Context, tx *sql.Tx, target string, before time.Time) (numbers []int64, err error) {
	err = database.EachRow(ctx, tx, func(scan func(...any) error) error {
		var n int64
		err := scan(&n)
		numbers = append(numbers, n)
		return err
	}, `SELECT DISTINCT l.repository FROM location l JOIN finding f ON f.fingerprint = l.fingerprint JOIN repository r ON r.number = l.repository
		WHERE r.target = $1 AND r.state <> 'gone' AND l.kind = 'blob' AND `+isOpen+` AND f.verified < $2
		AND `+isFirstCopy, target, database.Millis(before))
	return numbers, err
}

package sweep

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// News is what a host says by itself, as by a webhook, about a repository.
type News struct {
	API  string // URL of the API of the host
	ID   string // of the repository; "12345.wiki" for its wiki
	Name string // owner/name
	// Pushed is the time of the push by the clock of the host, zero if it is not known.
	Pushed time.Time
	// Doubt says that the repository itself has changed: it was made, renamed, archived,
	// transferred or deleted. The host is asked about it before it is read, and it is gone
	// only if the host says so.
	Doubt bool
}

// PutNews queues a scan of the repository that n is about, ahead of all that is no push, as
// part of tx. It needs no listing and no sweep under way. If a scan is running, another one
// follows it. A repository that the store does not know is looked up before it is read. Any
// number of equal news may be put, by several processes at once.
//
// watched reports whether a target has the repository, or its owner. It is false for a
// repository that the filter of its target leaves out, unless n.Doubt: then that is decided
// anew.
func (s *Store) PutNews(ctx context.Context, tx *sql.Tx, q Queue, n News) (watched bool, err error) {
	targets, err := s.targetsOf(ctx, tx, n)
	if err != nil {
		return false, err
	}
	var jobs []Job
	for _, t := range targets {
		job, err := s.putNewsOf(ctx, tx, t, n)
		if err != nil {
			return false, err
		}
		if job.Number != 0 {
			jobs = append(jobs, job)
		}
	}
	if len(jobs) == 0 {
		return false, nil
	}
	return true, q.Put(ctx, tx, jobs)
}

// targetsOf returns the targets that have the repository of n: its owner and itself may be
// targets both.
func (s *Store) targetsOf(ctx context.Context, tx *sql.Tx, n News) (targets []Target, err error) {
	owner, _, _ := strings.Cut(n.Name, "/")
	err = database.EachRow(ctx, tx, func(scan func(...any) error) error {
		t, err := scanTarget(scan)
		if err == nil && sameAPI(t.API, n.API) {
			targets = append(targets, t)
		}
		return err
	}, `SELECT `+targetColumns+` FROM target WHERE LOWER(name) IN (LOWER($1), LOWER($2)) ORDER BY name`, owner, strings.TrimSuffix(n.Name, ".wiki"))
	return targets, err
}

// sameAPI reports whether two URLs are of one API.
func sameAPI(a, b string) bool {
	return strings.EqualFold(strings.TrimRight(a, "/"), strings.TrimRight(b, "/"))
}

// putNewsOf notes n in one target, and returns the job to do: none if the repository is left
// out.
func (s *Store) putNewsOf(ctx context.Context, tx *sql.Tx, t Target, n News) (Job, error) {
	job := Job{Kind: KindScan, Sweep: t.Sweep, Rank: RankPush}
	if id, wiki := strings.CutSuffix(n.ID, ".wiki"); wiki {
		var known int
		if err := database.QueryRow(ctx, tx, `SELECT COUNT(*) FROM repository WHERE target = $1 AND id = $2`, t.Name, n.ID)(&known); err != nil {
			return job, err
		}
		if known == 0 { // the look at its repository finds the wiki
			n.ID, n.Name, n.Doubt = id, strings.TrimSuffix(n.Name, ".wiki"), true
		} else {
			n.Doubt = false // it comes and goes with its repository
		}
	}
	var state, detector string
	var fork, due int
	err := database.QueryRow(ctx, tx, `INSERT INTO repository (id, target, name, page, fork, archived, private, pushed, state, at, listed, looked, due, told, doubt)
		VALUES ($1, $2, $3, '', 0, 0, 0, $4, $5, $6, 0, -1, 1, 1, 1)
		ON CONFLICT (target, id) DO UPDATE SET told = repository.told + 1,
			due = CASE WHEN repository.state = $7 AND $8 = 0 THEN repository.due ELSE 1 END,
			doubt = CASE WHEN $8 = 1 OR repository.state = $9 THEN 1 ELSE repository.doubt END,
			pushed = CASE WHEN excluded.pushed > repository.pushed THEN excluded.pushed ELSE repository.pushed END
		RETURNING number, state, detector, fork, due`,
		n.ID, t.Name, n.Name, database.Millis(n.Pushed), New, database.Millis(s.Now()), Skipped, database.Bool(n.Doubt), Gone)(
		&job.Number, &state, &detector, &fork, &due)
	switch {
	case err != nil:
		return job, err
	case due == 0:
		return Job{}, nil
	case fork != 0 && detector == "": // its parent comes first
		job.Rank = RankFork
	}
	return job, nil
}

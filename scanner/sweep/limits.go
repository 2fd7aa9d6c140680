package sweep

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// A limitedHub is a Hub whose limits all workers know.
type limitedHub struct {
	Hub
	store *Store
}

// request makes a request unless the budget is spent, and notes it if the answer says so.
func (l limitedHub) request(ctx context.Context, request func() error) error {
	later, err := l.store.limit(ctx, l.Budget())
	if err != nil {
		return err
	}
	if later != nil {
		return later
	}
	err = request()
	if errors.As(err, &later) {
		err = errors.Join(err, l.store.putLimit(ctx, l.Budget(), later))
	}
	return err
}

// Repositories implements Hub.
func (l limitedHub) Repositories(ctx context.Context, target string, yield func([]Listed) (bool, error)) error {
	return l.request(ctx, func() error { return l.Hub.Repositories(ctx, target, yield) })
}

// Count implements Hub.
func (l limitedHub) Count(ctx context.Context, target string) (n int, err error) {
	err = l.request(ctx, func() error {
		n, err = l.Hub.Count(ctx, target)
		return err
	})
	return n, err
}

// Repository implements Hub.
func (l limitedHub) Repository(ctx context.Context, target, name, id string) (listed Listed, err error) {
	err = l.request(ctx, func() error {
		listed, err = l.Hub.Repository(ctx, target, name, id)
		return err
	})
	return listed, err
}

// Gists implements Hub.
func (l limitedHub) Gists(ctx context.Context, target string, yield func([]Listed) error) error {
	return l.request(ctx, func() error { return l.Hub.Gists(ctx, target, yield) })
}

// Parent implements Hub.
func (l limitedHub) Parent(ctx context.Context, name string) (parent string, err error) {
	err = l.request(ctx, func() error {
		parent, err = l.Hub.Parent(ctx, name)
		return err
	})
	return parent, err
}

// LostCommits implements Hub.
func (l limitedHub) LostCommits(ctx context.Context, name string, since time.Time) (lost map[string]string, until time.Time, err error) {
	err = l.request(ctx, func() error {
		lost, until, err = l.Hub.LostCommits(ctx, name, since)
		return err
	})
	return lost, until, err
}

// Texts implements Hub. The engine notes the limits that reading them meets.
func (l limitedHub) Texts(ctx context.Context, name, cursor string, batch bool) (texts Texts, err error) {
	err = l.request(ctx, func() error {
		texts, err = l.Hub.Texts(ctx, name, cursor, batch)
		return err
	})
	return texts, err
}

// TextsAgain implements Hub.
func (l limitedHub) TextsAgain(ctx context.Context, name string, ids []finding.BlobID) (texts scanner.Source, err error) {
	err = l.request(ctx, func() error {
		texts, err = l.Hub.TextsAgain(ctx, name, ids)
		return err
	})
	return texts, err
}

// CloneURL implements Hub. The git server has limits of its own.
func (l limitedHub) CloneURL(ctx context.Context, name string) (string, error) {
	later, err := l.store.limit(ctx, gitBudget(l))
	if err != nil {
		return "", err
	}
	if later != nil {
		return "", later
	}
	return l.Hub.CloneURL(ctx, name)
}

// gitBudget names the limit that fetches count against.
func gitBudget(h Hub) string { return h.Budget() + " git" }

// limit returns until when a budget is spent, or nil if it is not.
func (s *Store) limit(ctx context.Context, budget string) (*Later, error) {
	var until int64
	later := &Later{}
	err := database.QueryRow(ctx, s.SQL, `SELECT until, why FROM budget WHERE name = $1`, budget)(&until, &later.Why)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, err
	}
	// A limit lasts an hour at most: if a longer one is stored, the clock has been set back
	// since.
	if left := database.Time(until).Sub(s.Now()); left <= 0 || left > 2*time.Hour {
		return nil, nil
	}
	later.At = database.Time(until)
	return later, nil
}

func (s *Store) putLimit(ctx context.Context, budget string, l *Later) error {
	_, err := database.Exec(ctx, s.SQL, `INSERT INTO budget (name, until, why) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE SET until = excluded.until, why = excluded.why`,
		budget, database.Millis(l.At), l.Why)
	return err
}

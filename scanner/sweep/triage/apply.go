package triage

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// chunk is how many findings one statement changes: fewer than the parameters that a
// statement may have (sqlite.org/limits.html).
const chunk = 500

// A state is the part of a finding that people change.
type state struct {
	Status  Status
	By      string
	Until   int64
	Owner   string
	Comment string
	Version int64
}

// Applied is the outcome of an Edit.
type Applied struct {
	Versions map[string]int64 // of each finding, by fingerprint
	Changed  int              // findings that were not yet as the Edit wants them
}

// Apply makes an Edit of findings, of all or of none. A finding that is as the Edit wants it
// keeps its version. The error is or wraps an
// *InvalidError, a *ConflictError or ErrNoFinding if the author has to do something else.
func (s *Store) Apply(ctx context.Context, by Author, e Edit, items []Item) (done Applied, err error) {
	by.Name = strings.TrimSpace(by.Name)
	if e.Owner != nil {
		owner := strings.TrimSpace(*e.Owner)
		e.Owner = &owner
	}
	if err := s.check(&e, by); err != nil {
		return done, err
	}
	if len(items) > MaxFindings {
		return done, &InvalidError{"findings", fmt.Sprintf("%d at once, and %d are allowed", len(items), MaxFindings)}
	}
	err = s.Tx(ctx, func(tx *sql.Tx) error {
		done, err = s.apply(ctx, tx, by, e, items)
		return err
	})
	return done, err
}

func (s *Store) apply(ctx context.Context, tx *sql.Tx, by Author, e Edit, items []Item) (Applied, error) {
	var none Applied
	// Every transaction locks findings in this order, so that two do not wait for each other.
	items = slices.Clone(items)
	slices.SortStableFunc(items, func(a, b Item) int { return strings.Compare(a.Fingerprint, b.Fingerprint) })
	known, err := s.lock(ctx, tx, items)
	if err != nil {
		return none, err
	}
	var missing, stale []string
	for _, item := range items {
		switch was, there := known[item.Fingerprint]; {
		case !there:
			missing = append(missing, item.Fingerprint)
		case item.Version != nil && *item.Version != was.Version:
			stale = append(stale, item.Fingerprint)
		}
	}
	if len(missing) > 0 {
		return none, fmt.Errorf("%w %s", ErrNoFinding, list(missing))
	}
	if len(stale) > 0 {
		return none, &ConflictError{stale}
	}
	now := s.Now()
	done, changes := Applied{Versions: map[string]int64{}}, map[state][]string{}
	for _, item := range items {
		if _, twice := done.Versions[item.Fingerprint]; twice {
			continue
		}
		was := known[item.Fingerprint]
		will, err := e.of(was, by, now)
		if err != nil {
			return none, err
		}
		done.Versions[item.Fingerprint] = was.Version
		if will == was {
			continue
		}
		done.Versions[item.Fingerprint]++
		done.Changed++
		will.Version = 0 // that of each finding is counted by the database
		changes[will] = append(changes[will], item.Fingerprint)
	}
	for will, fingerprints := range changes {
		if err := put(ctx, tx, will, fingerprints); err != nil {
			return none, err
		}
		if e.Owner != nil || e.Comment != nil {
			if err := s.PutSearch(ctx, tx, fingerprints); err != nil {
				return none, err
			}
		}
		if err := note(ctx, tx, fingerprints, now, by, ""); err != nil {
			return none, err
		}
	}
	return done, nil
}

// lock returns the findings of items that are there, and keeps others from changing them.
func (s *Store) lock(ctx context.Context, tx *sql.Tx, items []Item) (map[string]state, error) {
	known := map[string]state{}
	for part := range slices.Chunk(items, chunk) {
		args := make([]any, len(part))
		for i := range part {
			args[i] = part[i].Fingerprint
		}
		err := database.EachRow(ctx, tx, func(scan func(...any) error) error {
			var fingerprint string
			var st state
			err := scan(&fingerprint, &st.Status, &st.By, &st.Until, &st.Owner, &st.Comment, &st.Version)
			known[fingerprint] = st
			return err
		}, `SELECT fingerprint, status, status_by, status_until, owner, comment, version FROM finding
			WHERE fingerprint IN (`+marks(1, len(part))+`) ORDER BY fingerprint`+s.ForUpdate(), args...)
		if err != nil {
			return nil, err
		}
	}
	return known, nil
}

// of returns the state that was becomes by e.
func (e *Edit) of(was state, by Author, now time.Time) (state, error) {
	will := was
	if e.Owner != nil {
		will.Owner = *e.Owner
	}
	if e.Comment != nil {
		will.Comment = *e.Comment
	}
	over := was.Until != 0 && was.Until <= database.Millis(now)
	if e.Status != nil && (*e.Status != was.Status || over || e.Until == nil) {
		will.Status, will.Until = *e.Status, 0
	}
	if e.Until != nil {
		will.Until = database.Millis(*e.Until)
	}
	switch {
	case will.Status == Open && will.Until != 0:
		return will, &InvalidError{"until", "an open finding has no last day: give it a status too"}
	case will.Status == Open:
		will.By = ""
	case will.Status != was.Status || will.Until != was.Until || will.By == "" || e.Status != nil:
		will.By = by.Name
	}
	return will, nil
}

// put stores will for findings.
func put(ctx context.Context, tx *sql.Tx, will state, fingerprints []string) error {
	for part := range slices.Chunk(fingerprints, chunk) {
		args := []any{string(will.Status), will.By, will.Until, will.Owner, will.Comment}
		for _, f := range part {
			args = append(args, f)
		}
		if _, err := database.Exec(ctx, tx, `UPDATE finding SET status = $1, status_by = $2, status_until = $3, owner = $4, comment = $5, version = version + 1
			WHERE fingerprint IN (`+marks(6, len(part))+`)`, args...); err != nil {
			return fmt.Errorf("changing findings: %w", err)
		}
	}
	return nil
}

// note adds the present state of findings to their history.
func note(ctx context.Context, tx *sql.Tx, fingerprints []string, at time.Time, by Author, why string) error {
	for part := range slices.Chunk(fingerprints, chunk) {
		args := []any{database.Millis(at), by.Name, by.Via, why}
		for _, f := range part {
			args = append(args, f)
		}
		if _, err := database.Exec(ctx, tx, `INSERT INTO triage (fingerprint, at, who, via, why, status, owner, comment, status_until)
			SELECT fingerprint, CAST($1 AS BIGINT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), status, owner, comment, status_until
			FROM finding WHERE fingerprint IN (`+marks(5, len(part))+`)`, args...); err != nil {
			return fmt.Errorf("noting the change of findings: %w", err)
		}
	}
	return nil
}

// marks returns n parameters of a statement, of which the first has the number first.
func marks(first, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("$%d", first+i)
	}
	return strings.Join(list, ",")
}

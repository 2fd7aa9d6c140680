package triage

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/verifier"
)

// A Detail is all that the store has about one finding.
type Detail struct {
	Row
	Finding finding.Finding `json:"finding"` // as reports have it, MaxPlaces places at most
	States  []StateChange   `json:"states"`  // answers of AWS that differ from the one before; the oldest first
	Changes []Change        `json:"changes"` // of people; the oldest first
}

// MaxPlaces is how many places of a finding a Detail has.
const MaxPlaces = 1000

// A StateChange is an answer of AWS.
type StateChange struct {
	At     time.Time      `json:"at"`
	State  verifier.State `json:"state"`
	Reason string         `json:"reason"`
}

// A Change is the outcome of a change of status, owner or comment.
type Change struct {
	At      time.Time `json:"at"`
	Who     string    `json:"who"` // "" for a sweep
	Via     string    `json:"via"` // cli, page, api, sweep or time
	Why     string    `json:"why"` // of a change that no person made
	Status  Status    `json:"status"`
	Owner   string    `json:"owner"`
	Comment string    `json:"comment"`
	Until   string    `json:"until"` // last day of Status in UTC, or ""
}

// Detail returns a finding. The error wraps ErrNoFinding if there is none.
func (s *Store) Detail(ctx context.Context, fingerprint string) (Detail, error) {
	d := Detail{States: []StateChange{}}
	rows, err := s.rows(ctx, []cursor{{ID: fingerprint}})
	if err != nil {
		return d, err
	}
	if len(rows) == 0 {
		return d, fmt.Errorf("%w %s", ErrNoFinding, fingerprint)
	}
	d.Row = rows[0]
	if err := s.record(ctx, &d); err != nil {
		return d, fmt.Errorf("reading the finding %s: %w", fingerprint, err)
	}
	err = database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
		var c StateChange
		var at int64
		var state string
		err := scan(&at, &state, &c.Reason)
		c.At, c.State = database.Time(at), verifier.State(state)
		d.States = append(d.States, c)
		return err
	}, `SELECT at, state, reason FROM verification WHERE fingerprint = $1 ORDER BY at`, fingerprint)
	if err != nil {
		return d, fmt.Errorf("reading the states of the finding %s: %w", fingerprint, err)
	}
	d.Changes, err = s.History(ctx, fingerprint)
	return d, err
}

// record fills in the record of a report.
func (s *Store) record(ctx context.Context, d *Detail) error {
	var record, status, by string
	var first, seen, dead, until int64
	if err := database.QueryRow(ctx, s.Read, `SELECT record, first_seen, last_seen, dead_since, status, status_by, status_until FROM finding WHERE fingerprint = $1`, d.Fingerprint)(
		&record, &first, &seen, &dead, &status, &by, &until); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNoFinding
		}
		return err
	}
	f := &d.Finding
	if err := database.UnmarshalRecord(json.RawMessage(record), f); err != nil {
		return err
	}
	f.Ignored = d.Ignored
	f.History = &finding.History{
		FirstSeen: database.Time(first), LastSeen: database.Time(seen), DeadSince: database.Time(dead),
		Owner: d.Owner, AcknowledgedBy: by, AcknowledgedUntil: database.Time(until), Note: d.Comment,
	}
	if Status(status) != Open {
		f.History.Status = status
	}
	f.Omitted += max(0, d.Places-MaxPlaces)
	return database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
		var text string
		var atHead int
		if err := scan(&text, &atHead); err != nil {
			return err
		}
		var l finding.Location
		err := database.UnmarshalRecord(json.RawMessage(text), &l)
		l.AtHead = atHead != 0
		f.Locations = append(f.Locations, l)
		return err
	}, `SELECT l.record, l.at_head FROM location l JOIN repository r ON r.number = l.repository WHERE l.fingerprint = $1
		ORDER BY l.at_head DESC, l.gone_since, r.name, l.place LIMIT $2`, d.Fingerprint, MaxPlaces)
}

// History returns the changes of a finding by people, the oldest first. A status whose last
// day is over has a change for that, which no row of the database has.
func (s *Store) History(ctx context.Context, fingerprint string) ([]Change, error) {
	changes := []Change{}
	var until int64
	over := func(before int64) {
		if until != 0 && until < before {
			c := changes[len(changes)-1]
			c.At, c.Who, c.Via, c.Why, c.Status, c.Until = database.Time(until), "", "time", "its last day is over", Open, ""
			changes = append(changes, c)
		}
	}
	err := database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
		var c Change
		var at, end int64
		var status string
		if err := scan(&at, &c.Who, &c.Via, &c.Why, &status, &c.Owner, &c.Comment, &end); err != nil {
			return err
		}
		over(at)
		c.At, c.Status, until = database.Time(at), Status(status), end
		if end != 0 {
			c.Until = database.Time(end).Format(time.DateOnly)
		}
		changes = append(changes, c)
		return nil
	}, `SELECT at, who, via, why, status, owner, comment, status_until FROM triage WHERE fingerprint = $1 ORDER BY number`, fingerprint)
	if err != nil {
		return nil, fmt.Errorf("reading the history of the finding %s: %w", fingerprint, err)
	}
	over(database.Millis(s.Now()))
	return slices.Clip(changes), nil
}

package triage

import (
	"fmt"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/verifier"
)

// A Filter selects findings. Fields that are empty select all.
type Filter struct {
	Target     string
	Repository string // owner/name
	States     []verifier.State
	Statuses   []Status
	Owner      string
	Unowned    bool   // only findings without an owner
	Text       string // part of a fingerprint, key id, account, owner, comment, repository or path
	NewSince   time.Time
	Ignored    bool // also findings that a rule or a baseline of the sweep ignores
}

// isPlain reports whether f selects by its text alone, and leaves out ignored findings.
func (f *Filter) isPlain() bool {
	return f.Target == "" && f.Repository == "" && len(f.States) == 0 && len(f.Statuses) == 0 && f.Owner == "" && !f.Unowned && f.NewSince.IsZero() && !f.Ignored
}

// States returns the states that a finding may have, the most urgent first.
func States() []verifier.State {
	return []verifier.State{
		verifier.Live, verifier.IDActive, verifier.Unknown, verifier.Skipped, verifier.NotVerifiable,
		verifier.CanarySuspected, verifier.Expired, verifier.Invalid,
	}
}

// ParseState returns the state of a name. The error lists the names.
func ParseState(name string) (verifier.State, error) {
	names := make([]string, 0, len(States()))
	for _, s := range States() {
		if string(s) == name {
			return s, nil
		}
		names = append(names, string(s))
	}
	return "", fmt.Errorf("%q is no state: use one of %s", name, strings.Join(names, ", "))
}

// covered returns the table of findings f by the one index that has all columns of summaries
// and lists. SQLite would look fingerprints up in the index of the primary key, and then read
// the row (sqlite.org/lang_indexedby.html).
func (s *Store) covered() string {
	if s.Postgres {
		return `finding f`
	}
	return `finding f INDEXED BY finding_text`
}

// A query collects the conditions of a statement and their arguments.
type query struct {
	table      string // of findings f
	conditions []string
	args       []any
}

// arg adds an argument, and returns its parameter.
func (q *query) arg(v any) string {
	q.args = append(q.args, v)
	return fmt.Sprintf("$%d", len(q.args))
}

// add adds a condition.
func (q *query) add(condition string) { q.conditions = append(q.conditions, condition) }

// where returns the clause of all conditions.
func (q *query) where() string {
	if len(q.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(q.conditions, " AND ")
}

// anyOf returns a condition that is true for each of values of a column.
func anyOf[T ~string](q *query, column string, values []T) string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = q.arg(string(v))
	}
	return column + " IN (" + strings.Join(list, ",") + ")"
}

// A scope is what queries have to know of the database.
type scope struct {
	onlyTarget bool      // there is no target but that of the filter
	text       *textScan // nil if the filter has no text
	all        bool      // the query is for all findings, not for the first of an order
}

// query returns the conditions of f on a finding f at a time.
func (f *Filter) query(now time.Time, s scope) *query {
	q := &query{table: `finding f`}
	if !f.Ignored {
		q.add(`f.ignored = ''`) // an index is of these findings
	}
	if len(f.States) > 0 {
		q.add(anyOf(q, "f.state", f.States))
	}
	if len(f.Statuses) > 0 {
		q.add(f.status(q, now))
	}
	switch {
	case f.Unowned:
		q.add(`f.owner = ''`)
	case f.Owner != "":
		q.add(`f.owner = ` + q.arg(f.Owner))
	}
	if !f.NewSince.IsZero() {
		q.add(`f.first_seen >= ` + q.arg(database.Millis(f.NewSince)))
	}
	if f.Target != "" && !s.onlyTarget {
		q.add(`EXISTS (SELECT 1 FROM location l WHERE l.fingerprint = f.fingerprint AND l.repository IN (SELECT number FROM repository WHERE target = ` + q.arg(f.Target) + `))`)
	}
	if f.Repository != "" {
		q.add(`f.fingerprint IN (SELECT l.fingerprint FROM location l JOIN repository r ON r.number = l.repository WHERE r.name = ` + q.arg(f.Repository) + `)`)
	}
	if f.Text != "" {
		s.text.add(q, s.all)
	}
	return q
}

// status returns the condition that a finding has one of the statuses now: one whose last
// day is over is open.
func (f *Filter) status(q *query, now time.Time) string {
	n := q.arg(database.Millis(now))
	parts := make([]string, 0, len(f.Statuses))
	for _, s := range f.Statuses {
		if s == Open {
			parts = append(parts, `f.status = 'open' OR f.status_until > 0 AND f.status_until <= `+n)
		} else {
			parts = append(parts, `f.status = `+q.arg(string(s))+` AND (f.status_until = 0 OR f.status_until > `+n+`)`)
		}
	}
	return "(" + strings.Join(parts, " OR ") + ")"
}

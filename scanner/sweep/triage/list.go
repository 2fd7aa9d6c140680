package triage

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/verifier"
)

// A Sort is an order of findings.
type Sort string

// The orders.
const (
	ByUrgency    Sort = "urgency"    // live first; the newest first among equals
	ByAge        Sort = "age"        // the oldest first
	ByNewest     Sort = "newest"     // the newest first
	ByRepository Sort = "repository" // by the first name of a repository that has it
	ByOwner      Sort = "owner"      // those without an owner first
)

// Sorts returns all orders, the usual one first.
func Sorts() []Sort { return []Sort{ByUrgency, ByAge, ByNewest, ByRepository, ByOwner} }

// A Row is a finding in a list. Times are UTC.
type Row struct {
	Fingerprint string         `json:"fingerprint"`
	Version     int64          `json:"version"`
	Rule        string         `json:"rule"`
	KeyID       string         `json:"key_id"` // "" for kinds of credentials without an id
	Account     string         `json:"account"`
	User        string         `json:"user"`      // name of the user or role at AWS, if it is known
	UserKind    string         `json:"user_kind"` // user, role, root …
	State       verifier.State `json:"state"`
	Skipped     string         `json:"skipped"` // finding.Finding.Skipped
	Status      Status         `json:"status"`
	Owner       string         `json:"owner"`
	Comment     string         `json:"comment"`
	Until       string         `json:"until"`   // last day of Status in UTC, or ""
	Ignored     string         `json:"ignored"` // why a rule or a baseline ignores it, or ""
	FirstSeen   time.Time      `json:"first_seen"`
	Verified    *time.Time     `json:"verified"`   // last answer of AWS, or null
	DeadSince   *time.Time     `json:"dead_since"` // it was live, and is not any more; or null
	// Where is one place, at HEAD if there is such a place. Places and Repositories count all.
	Where        Place `json:"where"`
	Places       int   `json:"places"`
	Repositories int   `json:"repositories"`
}

// A Place is where a finding is.
type Place struct {
	Target     string       `json:"target"`
	Repository string       `json:"repository"` // owner/name
	URL        string       `json:"url"`        // of the repository
	Kind       finding.Kind `json:"kind"`
	Path       string       `json:"path"`
	Line       int          `json:"line"`
	Commit     string       `json:"commit"`
	AtHead     bool         `json:"at_head"`
}

// A Page is a part of a list.
type Page struct {
	Findings []Row `json:"findings"`
	// Next is the cursor of the next page, "" if there is none.
	Next  string `json:"next"`
	Total int    `json:"total"` // findings on all pages, counted for the first one
}

// ErrCursor says that a cursor is none that a Page has given for this order.
var ErrCursor = errors.New("the cursor is of another list")

// A cursor is the end of a page: the keys of its last row.
type cursor struct {
	Sort  Sort   `json:"s"`
	Rank  int64  `json:"r,omitempty"`
	Text  string `json:"t,omitempty"`
	ID    string `json:"f"`
	Total int    `json:"n"`
}

func (c *cursor) String() string {
	text, _ := json.Marshal(c) //nolint:errchkjson // it has only numbers and text
	return base64.RawURLEncoding.EncodeToString(text)
}

func parseCursor(text string, sort Sort) (*cursor, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // the first page
	}
	c := &cursor{}
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(decoded, c)
	}
	if err != nil || c.Sort != sort || c.Total < 0 {
		return nil, ErrCursor
	}
	return c, nil
}

// List returns up to limit findings after a cursor, from the start if that is "". The error
// is ErrCursor if after is not from a page of this order.
func (s *Store) List(ctx context.Context, f Filter, sort Sort, after string, limit int) (Page, error) {
	page := Page{Findings: []Row{}}
	from, err := parseCursor(after, sort)
	if err != nil {
		return page, err
	}
	in, err := s.scope(ctx, &f)
	if err != nil {
		return page, err
	}
	if from != nil {
		page.Total = from.Total
	} else if page.Total, err = s.total(ctx, &f, in); err != nil {
		return page, fmt.Errorf("counting findings: %w", err)
	}
	var keys []cursor
	switch {
	case sort != ByRepository:
		keys, err = s.keys(ctx, f.query(s.Now(), in), sort, from, limit+1)
	case page.Total <= few:
		keys, err = s.fewByRepository(ctx, f.query(s.Now(), in), from, limit+1)
	default:
		keys, err = s.keysByRepository(ctx, &f, in, from, limit+1)
	}
	if err != nil {
		return page, fmt.Errorf("listing findings: %w", err)
	}
	if len(keys) > limit {
		keys = keys[:limit]
		last := keys[limit-1]
		last.Sort, last.Total = sort, page.Total
		page.Next = last.String()
	}
	page.Findings, err = s.rows(ctx, keys)
	return page, err
}

// total counts the findings of a filter.
func (s *Store) total(ctx context.Context, f *Filter, in scope) (n int, err error) {
	in.all = true
	q := f.query(s.Now(), in)
	if in.text.isMany() && f.isPlain() {
		q = in.text.plainly()
	}
	err = database.QueryRow(ctx, s.Read, `SELECT COUNT(*) FROM `+q.table+q.where(), q.args...)(&n)
	return n, err
}

// Fingerprints returns the fingerprints of all findings of a filter, in order, and how many
// of them are live.
func (s *Store) Fingerprints(ctx context.Context, f Filter) (list []string, live int, err error) {
	in, err := s.scope(ctx, &f)
	if err != nil {
		return nil, 0, err
	}
	in.all = true
	q := f.query(s.Now(), in)
	err = database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
		var fingerprint, state string
		err := scan(&fingerprint, &state)
		if list = append(list, fingerprint); verifier.State(state) == verifier.Live {
			live++
		}
		return err
	}, `SELECT f.fingerprint, f.state FROM `+q.table+q.where()+` ORDER BY f.fingerprint`, q.args...)
	if err != nil {
		return nil, 0, fmt.Errorf("selecting findings: %w", err)
	}
	return list, live, nil
}

// scope returns what queries of a filter have to know.
func (s *Store) scope(ctx context.Context, f *Filter) (in scope, err error) {
	if f.Text != "" {
		if in.text, err = s.scanTexts(ctx, f.Text); err != nil {
			return in, err
		}
	}
	if f.Target == "" {
		return in, nil
	}
	var n, those int
	err = database.QueryRow(ctx, s.Read, `SELECT COUNT(*), COUNT(CASE WHEN name = $1 THEN 1 END) FROM target`, f.Target)(&n, &those)
	in.onlyTarget = n == 1 && those == 1
	return in, err
}

// keys returns the keys of up to limit findings in an order, after from.
func (s *Store) keys(ctx context.Context, q *query, sort Sort, from *cursor, limit int) (keys []cursor, err error) {
	var columns, order string
	switch sort {
	case ByAge:
		columns, order = `f.first_seen, ''`, `f.first_seen, f.fingerprint`
		if from != nil {
			rank := q.arg(from.Rank)
			q.add(`f.first_seen >= ` + rank + ` AND (f.first_seen > ` + rank + ` OR f.fingerprint > ` + q.arg(from.ID) + `)`)
		}
	case ByNewest:
		columns, order = `f.first_seen, ''`, `f.first_seen DESC, f.fingerprint DESC`
		if from != nil {
			rank := q.arg(from.Rank)
			q.add(`f.first_seen <= ` + rank + ` AND (f.first_seen < ` + rank + ` OR f.fingerprint < ` + q.arg(from.ID) + `)`)
		}
	case ByOwner:
		columns, order = `0, f.owner`, `f.owner, f.fingerprint`
		if from != nil {
			text := q.arg(from.Text)
			q.add(`f.owner >= ` + text + ` AND (f.owner > ` + text + ` OR f.fingerprint > ` + q.arg(from.ID) + `)`)
		}
	default:
		columns, order = `f.first_seen, CAST(`+database.Urgency+` AS TEXT)`, database.Urgency+`, f.first_seen DESC, f.fingerprint`
		if from != nil {
			urgency, rank := q.arg(urgencyOf(from.Text)), q.arg(from.Rank)
			q.add(database.Urgency + ` >= ` + urgency + ` AND (` + database.Urgency + ` > ` + urgency + ` OR f.first_seen < ` + rank +
				` OR f.first_seen = ` + rank + ` AND f.fingerprint > ` + q.arg(from.ID) + `)`)
		}
	}
	err = database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
		var c cursor
		err := scan(&c.Rank, &c.Text, &c.ID)
		keys = append(keys, c)
		return err
	}, `SELECT `+columns+`, f.fingerprint FROM `+q.table+q.where()+` ORDER BY `+order+` LIMIT `+q.arg(limit), q.args...)
	return keys, err
}

// urgencyOf returns the urgency that a cursor has as text.
func urgencyOf(text string) int64 {
	if len(text) != 1 || text[0] < '0' || text[0] > '9' {
		return 0
	}
	return int64(text[0] - '0')
}

// rows returns the findings with these keys, in their order.
func (s *Store) rows(ctx context.Context, keys []cursor) ([]Row, error) {
	rows, index := make([]Row, len(keys)), make(map[string]int, len(keys))
	for i, k := range keys {
		index[k.ID] = i
	}
	for begin := 0; begin < len(keys); begin += chunk {
		part := keys[begin:min(begin+chunk, len(keys))]
		args := make([]any, len(part))
		for i, k := range part {
			args[i] = k.ID
		}
		in := ` IN (` + marks(1, len(part)) + `)`
		if err := s.fill(ctx, rows, index, in, args); err != nil {
			return nil, fmt.Errorf("reading findings: %w", err)
		}
	}
	there := rows[:0] // a finding may have been removed since its key was read
	for _, r := range rows {
		if r.Fingerprint != "" {
			there = append(there, r)
		}
	}
	return there, nil
}

// fill reads the findings whose fingerprints are in args into rows.
func (s *Store) fill(ctx context.Context, rows []Row, index map[string]int, in string, args []any) error {
	now := s.Now()
	err := database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
		row, err := scanRow(scan, now)
		rows[index[row.Fingerprint]] = row
		return err
	}, `SELECT f.fingerprint, f.version, f.record, f.key_id, f.account, f.state, f.status, f.owner, f.comment, f.status_until, f.ignored, f.first_seen, f.verified, f.dead_since
		FROM finding f WHERE f.fingerprint`+in, args...)
	if err != nil {
		return err
	}
	err = database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
		var fingerprint string
		var places, repositories int
		err := scan(&fingerprint, &places, &repositories)
		row := &rows[index[fingerprint]]
		row.Places, row.Repositories = places, repositories
		return err
	}, `SELECT l.fingerprint, COUNT(*), COUNT(DISTINCT l.repository) FROM location l WHERE l.fingerprint`+in+` GROUP BY l.fingerprint`, args...)
	if err != nil {
		return err
	}
	return database.EachRow(ctx, s.Read, func(scan func(...any) error) error {
		var fingerprint, record string
		var p Place
		var atHead int
		if err := scan(&fingerprint, &p.Target, &p.Repository, &p.URL, &record, &atHead); err != nil {
			return err
		}
		var l finding.Location
		err := database.UnmarshalRecord(json.RawMessage(record), &l)
		p.Kind, p.Path, p.Line, p.Commit, p.AtHead = l.Kind, l.Path, l.Line, l.Commit, atHead != 0
		rows[index[fingerprint]].Where = p
		return err
	}, `SELECT fingerprint, target, name, page, record, at_head FROM (SELECT l.fingerprint, r.target, r.name, r.page, l.record, l.at_head,
			ROW_NUMBER() OVER (PARTITION BY l.fingerprint ORDER BY l.at_head DESC, l.gone_since, r.name, l.place) AS nth
			FROM location l JOIN repository r ON r.number = l.repository WHERE l.fingerprint`+in+`) AS places WHERE nth = 1`, args...)
}

// scanRow scans the columns of a finding.
func scanRow(scan func(...any) error, now time.Time) (Row, error) {
	var r Row
	var record, st, status string
	var until, first, verified, dead int64
	if err := scan(&r.Fingerprint, &r.Version, &record, &r.KeyID, &r.Account, &st, &status, &r.Owner, &r.Comment, &until, &r.Ignored, &first, &verified, &dead); err != nil {
		return r, err
	}
	var f finding.Finding
	if err := database.UnmarshalRecord(json.RawMessage(record), &f); err != nil {
		return r, fmt.Errorf("a finding in the database: %w", err)
	}
	r.Rule, r.User, r.UserKind, r.Skipped = f.Match.Rule.ID, f.Verdict.Identity.Name, f.Verdict.Identity.Kind, f.Skipped()
	r.State, r.FirstSeen = verifier.State(st), database.Time(first)
	r.Status, r.Until = inForce(Status(status), until, now)
	r.Verified, r.DeadSince = optional(verified), optional(dead)
	return r, nil
}

// inForce returns a status at a time, and its last day: Open if that is over.
func inForce(status Status, until int64, now time.Time) (Status, string) {
	switch {
	case status == Open, until != 0 && until <= database.Millis(now):
		return Open, ""
	case until == 0:
		return status, ""
	}
	return status, database.Time(until).Format(time.DateOnly)
}

// optional returns a time of the database, nil for never.
func optional(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := database.Time(ms)
	return &t
}

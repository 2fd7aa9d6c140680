package alert

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/verifier"
)

// A row is one piece of news.
type row struct {
	fingerprint, event, was, delivery string
	urgent                            int
	at                                time.Time
}

// next returns the alert of the oldest delivery of a receiver that has no end, nil if there is
// none. News of findings that do not count is left out.
func (a *Alerts) next(ctx context.Context, name string) (*finding.Alert, error) {
	var rows []row
	err := database.EachRow(ctx, a.Store.SQL, func(scan func(...any) error) error {
		var r row
		var at int64
		err := scan(&r.fingerprint, &r.event, &r.was, &r.urgent, &at, &r.delivery)
		r.at = database.Time(at)
		rows = append(rows, r)
		return err
	}, `SELECT fingerprint, event, was, urgent, at, delivery FROM news WHERE receiver = $1 AND ended = 0
		AND delivery = (SELECT delivery FROM news WHERE receiver = $1 AND ended = 0 AND delivery <> '' ORDER BY number LIMIT 1) ORDER BY number`, name)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	alert := &finding.Alert{Delivery: rows[0].delivery, Kind: finding.AlertDigest, Time: a.Store.Now().UTC().Truncate(time.Second)}
	if rows[0].urgent != 0 {
		alert.Kind = finding.AlertNews
	}
	listed := map[string]bool{}
	for _, r := range rows {
		if r.urgent == 0 && listed[r.fingerprint] { // a digest says how things are now
			continue
		}
		listed[r.fingerprint] = true
		f, ok, err := a.load(ctx, r, len(alert.Findings) < maxFindings)
		switch {
		case err != nil:
			return nil, err
		case ok && len(alert.Findings) < maxFindings:
			alert.Findings = append(alert.Findings, f)
		case ok:
			alert.Omitted++
		}
	}
	return alert, nil
}

// load returns the finding of r, and whether it is to be told; without its place unless placed
// is set.
func (a *Alerts) load(ctx context.Context, r row, placed bool) (finding.AlertFinding, bool, error) {
	var record, state, ignored, status, by, owner string
	var first, until int64
	err := database.QueryRow(ctx, a.Store.SQL, `SELECT record, state, ignored, first_seen, status, status_by, status_until, owner FROM finding WHERE fingerprint = $1`, r.fingerprint)(
		&record, &state, &ignored, &first, &status, &by, &until, &owner)
	if errors.Is(err, sql.ErrNoRows) {
		return finding.AlertFinding{}, false, nil
	}
	var f finding.Finding
	if err == nil {
		err = database.UnmarshalRecord(json.RawMessage(record), &f)
	}
	if err != nil {
		return finding.AlertFinding{}, false, fmt.Errorf("a finding to tell of: %w", err)
	}
	known := status != "open" && (until == 0 || database.Time(until).After(a.Store.Now()))
	now := verifier.State(state)
	if ignored != "" || r.urgent == 0 && (known || now == verifier.Live) { // that was told at once
		return finding.AlertFinding{}, false, nil
	}
	if !placed {
		return finding.AlertFinding{}, true, nil
	}
	f.History = &finding.History{FirstSeen: database.Time(first)}
	where, repository, page, places, repositories, err := a.place(ctx, r.fingerprint)
	if err != nil {
		return finding.AlertFinding{}, false, err
	}
	told := finding.NewAlertFinding(&f, where, repository, page, r.event, verifier.State(r.was), r.at)
	told.Places, told.Repositories = places, repositories
	if known {
		told.Known = strings.ReplaceAll(status, "-", " ") + " by " + by
	}
	told.Owner = owner
	return told, true, nil
}

// place returns the best place to name of a finding: at HEAD, in a repository that is there.
func (a *Alerts) place(ctx context.Context, fingerprint string) (where *finding.Location, repository, page string, places, repositories int, err error) {
	err = database.QueryRow(ctx, a.Store.SQL, `SELECT COUNT(*), COUNT(DISTINCT repository) FROM location WHERE fingerprint = $1`, fingerprint)(&places, &repositories)
	if err != nil || places == 0 {
		return nil, "", "", 0, 0, err
	}
	var record string
	var head int
	err = database.QueryRow(ctx, a.Store.SQL, `SELECT l.record, l.at_head, r.name, r.page FROM location l JOIN repository r ON r.number = l.repository WHERE l.fingerprint = $1
		ORDER BY CASE WHEN r.state = '`+sweep.Gone+`' THEN 1 ELSE 0 END, l.at_head DESC, l.first_seen, l.repository, l.place LIMIT 1`, fingerprint)(&record, &head, &repository, &page)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, "", "", places, repositories, nil
	}
	where = &finding.Location{}
	if err == nil {
		err = database.UnmarshalRecord(json.RawMessage(record), where)
	}
	where.AtHead = head != 0
	return where, repository, page, places, repositories, err
}

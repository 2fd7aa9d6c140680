package sweep

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// Findings calls each for the findings of a target, of all targets if it is "": the
// newest first. They have all their locations and their history.
func (s *Store) Findings(ctx context.Context, target string, each func(finding.Finding) error) error {
	r := &findingReader{each: each}
	err := database.EachRow(ctx, s.Read, r.row, `SELECT f.fingerprint, f.record, f.ignored, f.first_seen, f.last_seen, f.dead_since,
			f.status, f.status_by, f.status_until, f.comment, f.owner, f.stale, l.record, l.at_head, l.gone_since, l.first_seen, r.state, t.begun
		FROM finding f JOIN location l ON l.fingerprint = f.fingerprint JOIN repository r ON r.number = l.repository JOIN target t ON t.name = r.target
		WHERE $1 = '' OR r.target = $1 ORDER BY f.first_seen DESC, f.fingerprint, l.at_head DESC, r.name, l.place`, target)
	if err != nil {
		return err
	}
	return r.flush()
}

// A findingReader puts findings together from rows, each of which has one location.
type findingReader struct {
	each        func(finding.Finding) error
	last        *finding.Finding // to which more locations may come
	fingerprint string
	stale       string
	atHead      bool // one of its locations is
	gone        bool // all its repositories are
}

// flush passes the last finding on.
func (r *findingReader) flush() error {
	if r.last == nil {
		return nil
	}
	if r.atHead {
		r.last.History.GoneSince = time.Time{}
	}
	r.last.Stale = staleness(r.last, r.stale, r.gone)
	return r.each(*r.last)
}

func (r *findingReader) row(scan func(...any) error) error {
	var fingerprint, record, ignored, status, by, comment, owner, stale, location, state string
	var first, seen, dead, until, gone, found, begun int64
	var atHead int
	if err := scan(&fingerprint, &record, &ignored, &first, &seen, &dead, &status, &by, &until, &comment, &owner, &stale, &location, &atHead, &gone, &found, &state, &begun); err != nil {
		return err
	}
	if r.last == nil || r.fingerprint != fingerprint {
		if err := r.flush(); err != nil {
			return err
		}
		*r = findingReader{each: r.each, last: &finding.Finding{}, fingerprint: fingerprint, stale: stale, gone: true}
		if err := database.UnmarshalRecord(json.RawMessage(record), r.last); err != nil {
			return fmt.Errorf("a finding in the database: %w", err)
		}
		r.last.Ignored = ignored
		r.last.History = &finding.History{
			FirstSeen: database.Time(first), LastSeen: database.Time(seen), DeadSince: database.Time(dead),
			AcknowledgedBy: by, AcknowledgedUntil: database.Time(until), Note: comment, Owner: owner, New: true,
		}
		if status != "open" {
			r.last.History.Status = status
		}
	}
	var l finding.Location
	if err := database.UnmarshalRecord(json.RawMessage(location), &l); err != nil {
		return fmt.Errorf("a place in the database: %w", err)
	}
	l.AtHead = atHead != 0 // as the last sweep saw it
	r.last.Locations = append(r.last.Locations, l)
	r.atHead, r.gone = r.atHead || l.AtHead, r.gone && state == Gone
	h := r.last.History
	h.New = h.New && found >= begun
	if t := database.Time(gone); t.After(h.GoneSince) {
		h.GoneSince = t
	}
	if t := database.Time(begun); state != Gone && t.After(h.LastSeen) {
		h.LastSeen = t // the last sweep saw the repository, and nothing in it had changed
	}
	return nil
}

// notAskedAgain begins the reasons why a state is that of an earlier sweep.
const notAskedAgain = "not asked again: "

// staleness returns why the answer about a finding is not that of the last sweep, "" if it
// is or nobody wanted to ask. gone says that no repository that has the finding is listed.
func staleness(f *finding.Finding, stale string, gone bool) string {
	v := &f.Verdict
	if v.At.IsZero() || isDead(v.State) {
		return ""
	}
	if gone {
		return cmp.Or(stale, notAskedAgain+"GitHub lists no repository any more that has it")
	}
	return stale
}

package sweep

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/verifier"
)

// locationKey identifies a location within a finding and a repository. The same content at the
// same path is the same location, whatever the commit.
func locationKey(l *finding.Location) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s\x00%d\x00%d", l.Kind, l.Blob, l.Path, l.Part, l.Line, l.Column))
	return hex.EncodeToString(h[:12])
}

// isAnswer reports whether a provider, or the credential itself, gave a state. Other
// states say that nobody knows.
func isAnswer(state verifier.State) bool {
	switch state {
	case verifier.Live, verifier.IDActive, verifier.Invalid, verifier.Expired:
		return true
	}
	return false
}

func isDead(state verifier.State) bool {
	return state == verifier.Invalid || state == verifier.Expired
}

// putFindings stores the findings of r, as part of tx. With afresh they replace all
// earlier ones: everything was read again.
func (s *Store) putFindings(ctx context.Context, tx *sql.Tx, r Repository, findings []finding.Finding, afresh bool) error {
	number := r.Number
	if afresh {
		if _, err := database.Exec(ctx, tx, `UPDATE location SET gone_since = -1 WHERE repository = $1`, number); err != nil {
			return err
		}
	}
	sortFindings(findings)
	for i := range findings {
		if afresh && findings[i].Ignored != "" {
			if err := markIgnored(ctx, tx, r, &findings[i]); err != nil {
				return err
			}
		}
		if err := s.putFinding(ctx, tx, &findings[i]); err != nil {
			return err
		}
		for j := range findings[i].Locations {
			if err := s.putLocation(ctx, tx, findings[i].Fingerprint(), number, &findings[i].Locations[j]); err != nil {
				return err
			}
		}
	}
	if !afresh {
		return nil
	}
	// A location that is not there any more was forced away, and its key may be live; or
	// this version does not call it a finding. Nobody can tell the two apart, so both
	// stay known.
	_, err := database.Exec(ctx, tx, `UPDATE location SET gone_since = $2, at_head = 0 WHERE repository = $1 AND gone_since = -1`, number, database.Millis(s.Now()))
	return err
}

// markIgnored marks f, in r, as ignored, unless another repository that was read with the
// same rules has it. Repositories that were read with other rules do not count.
func markIgnored(ctx context.Context, tx *sql.Tx, r Repository, f *finding.Finding) error {
	_, err := database.Exec(ctx, tx, `UPDATE finding SET ignored = $2 WHERE fingerprint = $1 AND ignored = '' AND NOT EXISTS
		(SELECT 1 FROM location l JOIN repository o ON o.number = l.repository WHERE l.fingerprint = $1 AND o.number <> $3 AND o.detector = $4)`,
		f.Fingerprint(), f.Ignored, r.Number, r.Detector)
	return err
}

// sortFindings sorts findings. All transactions write them in this order, so that two do
// not wait for each other.
func sortFindings(findings []finding.Finding) {
	slices.SortFunc(findings, func(a, b finding.Finding) int { return strings.Compare(a.Fingerprint(), b.Fingerprint()) })
}

// recordOf returns f as the store keeps it: in the JSON of a report, without a secret, and
// without its locations, each of which has a row of its own.
func recordOf(f *finding.Finding) (string, error) {
	r := f.Reported()
	r.Locations = nil
	record, err := database.MarshalRecord(&r)
	return string(record), err
}

func recordOfLocation(l *finding.Location) (string, error) {
	r := *l
	r.Refs = slices.Clone(l.Refs)
	record, err := database.MarshalRecord(&r)
	return string(record), err
}

// putFinding stores f. A state that a provider gave is not replaced by one that no provider
// gave.
func (s *Store) putFinding(ctx context.Context, tx *sql.Tx, f *finding.Finding) error {
	now := database.Millis(s.Now())
	kept, err := recordOf(f)
	if err != nil {
		return err
	}
	v, id := &f.Verdict, f.Fingerprint()
	account := v.Identity.Account
	var was, record string
	var since int64
	err = database.QueryRow(ctx, tx, `SELECT state, record, dead_since FROM finding WHERE fingerprint = $1`, id)(&was, &record, &since)
	state := verifier.State(was)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		_, err = database.Exec(ctx, tx, `INSERT INTO finding (fingerprint, key_id, account, state, reason, ignored, verified, first_seen, last_seen, record)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (fingerprint) DO NOTHING`,
			id, f.Match.Credential.ID, account, string(v.State), v.Reason, f.Ignored, database.Millis(v.At), now, now, kept)
	case err != nil:
	case isAnswer(state) && !isAnswer(v.State):
		// A finding that counts in one repository counts.
		_, err = database.Exec(ctx, tx, `UPDATE finding SET last_seen = $2, ignored = CASE WHEN $3 = '' THEN '' ELSE ignored END WHERE fingerprint = $1`, id, now, f.Ignored)
	default:
		if !isDead(v.State) {
			since = 0
		} else if since == 0 && isAnswer(state) && !isDead(state) {
			since = now
		}
		_, err = database.Exec(ctx, tx, `UPDATE finding SET account = $2, state = $3, reason = $4, verified = $5, last_seen = $6, dead_since = $7, record = $8,
			ignored = CASE WHEN $9 = '' THEN '' ELSE ignored END WHERE fingerprint = $1`,
			id, account, string(v.State), v.Reason, database.Millis(v.At), now, since, kept, f.Ignored)
	}
	if err != nil {
		return err
	}
	if was == "" || state != v.State && (isAnswer(v.State) || !isAnswer(state)) {
		for _, observe := range s.Observers {
			if err := observe(ctx, tx, Change{Fingerprint: id, Before: state, After: v.State, At: s.Now()}); err != nil {
				return err
			}
		}
	}
	if v.At.IsZero() || v.State == state { // the history holds changes only
		return nil
	}
	_, err = database.Exec(ctx, tx, `INSERT INTO verification (fingerprint, at, state, reason, account) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (fingerprint, at) DO NOTHING`,
		id, database.Millis(v.At), string(v.State), v.Reason, account)
	return err
}

// putVerdict stores the new state of a known finding, as part of tx. An ignored finding
// stays ignored: the text alone has no path by which a rule could ignore it again.
func (s *Store) putVerdict(ctx context.Context, tx *sql.Tx, f *finding.Finding) error {
	var n int
	if err := database.QueryRow(ctx, tx, `SELECT COUNT(*) FROM finding WHERE fingerprint = $1 AND ignored = ''`, f.Fingerprint())(&n); err != nil || n == 0 {
		return err
	}
	return s.putFinding(ctx, tx, f)
}

func (s *Store) putLocation(ctx context.Context, tx *sql.Tx, fingerprint string, repository int64, l *finding.Location) error {
	record, err := recordOfLocation(l)
	if err != nil {
		return err
	}
	_, err = database.Exec(ctx, tx, `INSERT INTO location (fingerprint, repository, place, kind, blob, path, at_head, first_seen, record) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (fingerprint, repository, place) DO UPDATE SET path = excluded.path, at_head = excluded.at_head, gone_since = 0, record = excluded.record`,
		fingerprint, repository, locationKey(l), string(l.Kind), string(l.Blob), l.Path, database.Bool(l.AtHead), database.Millis(s.Now()), record)
	return err
}

// updateAtHead notes for each file location of a repository whether HEAD has it, as part
// of tx. at returns the blob at a path; known is false if that has not changed.
func (s *Store) updateAtHead(ctx context.Context, tx *sql.Tx, repository int64, at func(path string) (blob string, known bool)) error {
	type move struct {
		fingerprint, place string
		atHead             bool
	}
	var moves []move
	err := database.EachRow(ctx, tx, func(scan func(...any) error) error {
		var m move
		var blob, path string
		var was int
		if err := scan(&m.fingerprint, &m.place, &blob, &path, &was); err != nil {
			return err
		}
		now, known := at(path)
		for i := range path { // a member of an archive; but files may have this in their names, too
			if path[i] == '!' && known && now != blob {
				now, known = at(path[:i])
			}
		}
		if m.atHead = now == blob; known && m.atHead != (was != 0) {
			moves = append(moves, m)
		}
		return nil
	}, `SELECT fingerprint, place, blob, path, at_head FROM location WHERE repository = $1 AND path <> '' AND blob <> ''`, repository)
	for _, m := range moves {
		gone := s.Now()
		if m.atHead {
			gone = time.Time{}
		}
		if err == nil {
			_, err = database.Exec(ctx, tx, `UPDATE location SET at_head = $3, gone_since = $4 WHERE fingerprint = $1 AND place = $2 AND repository = $5`,
				m.fingerprint, m.place, database.Bool(m.atHead), database.Millis(gone), repository)
		}
	}
	return err
}

// Findings calls each for the findings of a target, of all targets if it is "": the
// newest first. They have all their locations and their history.
func (s *Store) Findings(ctx context.Context, target string, each func(finding.Finding) error) error {
	var last *finding.Finding
	var lastID string
	headed := false
	flush := func() error {
		if last == nil {
			return nil
		}
		if headed {
			last.History.GoneSince = time.Time{}
		}
		return each(*last)
	}
	err := database.EachRow(ctx, s.SQL, func(scan func(...any) error) error {
		var fingerprint, record, ignored, by, note, location, state string
		var first, seen, dead, until, gone, begun int64
		var atHead int
		if err := scan(&fingerprint, &record, &ignored, &first, &seen, &dead, &by, &until, &note, &location, &atHead, &gone, &state, &begun); err != nil {
			return err
		}
		if last == nil || lastID != fingerprint {
			if err := flush(); err != nil {
				return err
			}
			last, lastID, headed = &finding.Finding{}, fingerprint, false
			if err := database.UnmarshalRecord(json.RawMessage(record), last); err != nil {
				return fmt.Errorf("a finding in the database: %w", err)
			}
			last.Ignored = ignored
			last.History = &finding.History{
				FirstSeen: database.Time(first), LastSeen: database.Time(seen), DeadSince: database.Time(dead),
				AcknowledgedBy: by, AcknowledgedUntil: database.Time(until), Note: note,
			}
		}
		var l finding.Location
		if err := database.UnmarshalRecord(json.RawMessage(location), &l); err != nil {
			return fmt.Errorf("a place in the database: %w", err)
		}
		l.AtHead = atHead != 0 // as the last sweep saw it
		last.Locations = append(last.Locations, l)
		headed = headed || l.AtHead
		h := last.History
		if t := database.Time(gone); t.After(h.GoneSince) {
			h.GoneSince = t
		}
		if t := database.Time(begun); state != Gone && t.After(h.LastSeen) {
			h.LastSeen = t // the last sweep saw the repository, and nothing in it had changed
		}
		return nil
	}, `SELECT f.fingerprint, f.record, f.ignored, f.first_seen, f.last_seen, f.dead_since, f.acknowledged_by, f.acknowledged_until, f.note,
			l.record, l.at_head, l.gone_since, r.state, t.begun
		FROM finding f JOIN location l ON l.fingerprint = f.fingerprint JOIN repository r ON r.number = l.repository JOIN target t ON t.name = r.target
		WHERE $1 = '' OR r.target = $1 ORDER BY f.first_seen DESC, f.fingerprint, l.at_head DESC, r.name, l.place`, target)
	if err != nil {
		return err
	}
	return flush()
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

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

// PutFindings stores the findings of r, as part of tx. With afresh they replace all
// earlier ones: everything was read again.
func (s *Store) PutFindings(ctx context.Context, tx *sql.Tx, r Repository, findings []finding.Finding, afresh bool) error {
	number := r.Number
	if afresh {
		if _, err := database.Exec(ctx, tx, `UPDATE location SET gone_since = -1 WHERE repository = $1`, number); err != nil {
			return err
		}
	}
	sortFindings(findings)
	fingerprints := make([]string, len(findings))
	for i := range findings {
		fingerprints[i] = findings[i].Fingerprint()
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
		if isWhole(&findings[i]) {
			if err := s.absorbHalves(ctx, tx, number, &findings[i]); err != nil {
				return err
			}
		}
	}
	if err := s.PutSearch(ctx, tx, fingerprints); err != nil || !afresh {
		return err
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
// gave. It locks the row of the finding until tx ends: of several transactions that store
// one finding at once, one tells the observers that it is new, and each change of its state
// is told once. A finding that no rule ignores any more is new to them.
func (s *Store) putFinding(ctx context.Context, tx *sql.Tx, f *finding.Finding) error {
	record, err := recordOf(f)
	if err != nil {
		return err
	}
	before, err := s.lockFinding(ctx, tx, f.Fingerprint())
	if errors.Is(err, sql.ErrNoRows) {
		inserted, err := s.insertFinding(ctx, tx, f, record)
		if err != nil {
			return err
		}
		if inserted {
			if err := s.observe(ctx, tx, Change{Fingerprint: f.Fingerprint(), After: f.Verdict.State, At: s.Now()}); err != nil {
				return err
			}
			return noteVerdict(ctx, tx, "", f)
		}
		// Another transaction has stored it since.
		if before, err = s.lockFinding(ctx, tx, f.Fingerprint()); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	if err := s.updateFinding(ctx, tx, f, record, before); err != nil {
		return err
	}
	c := Change{Fingerprint: f.Fingerprint(), Before: before.state, After: stateAfter(before.state, f.Verdict.State), At: s.Now()}
	counts := before.ignored && f.Ignored == ""
	if counts {
		c.Before = ""
	}
	if counts || c.Before != c.After {
		if err := s.observe(ctx, tx, c); err != nil {
			return err
		}
	}
	return noteVerdict(ctx, tx, before.state, f)
}

// A knownFinding is a finding as the store has it.
type knownFinding struct {
	state     verifier.State
	ignored   bool
	deadSince int64 // 0 for never
}

// stateAfter returns the state of a finding that had the state before, once a scan has given
// it another one: an answer is not forgotten for the lack of one.
func stateAfter(before, given verifier.State) verifier.State {
	if isAnswer(before) && !isAnswer(given) {
		return before
	}
	return given
}

// lockFinding returns a finding as it is stored. The error is sql.ErrNoRows if it is unknown.
func (s *Store) lockFinding(ctx context.Context, tx *sql.Tx, fingerprint string) (known knownFinding, err error) {
	var state, ignored string
	err = database.QueryRow(ctx, tx, `SELECT state, ignored, dead_since FROM finding WHERE fingerprint = $1`+s.ForUpdate(), fingerprint)(&state, &ignored, &known.deadSince)
	known.state, known.ignored = verifier.State(state), ignored != ""
	return known, err
}

// insertFinding stores a new finding. inserted is false if another transaction has stored it.
func (s *Store) insertFinding(ctx context.Context, tx *sql.Tx, f *finding.Finding, record string) (inserted bool, err error) {
	v, now := &f.Verdict, database.Millis(s.Now())
	result, err := database.Exec(ctx, tx, `INSERT INTO finding (fingerprint, key_id, account, state, reason, ignored, verified, first_seen, last_seen, record, skipped)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (fingerprint) DO NOTHING`,
		f.Fingerprint(), f.Match.Credential.ID, v.Identity.Account, string(v.State), v.Reason, f.Ignored, database.Millis(v.At), now, now, record, f.Skipped())
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// updateFinding stores what a scan says of a known finding. It names the columns that it
// changes: those that people change stay as they are.
func (s *Store) updateFinding(ctx context.Context, tx *sql.Tx, f *finding.Finding, record string, before knownFinding) error {
	v, now := &f.Verdict, database.Millis(s.Now())
	if stateAfter(before.state, v.State) != v.State {
		// A finding that counts in one repository counts.
		stale := ""
		if v.State == verifier.Unknown {
			stale = "asked again, without an answer: " + strings.TrimPrefix(v.Reason, "no answer: ")
		}
		_, err := database.Exec(ctx, tx, `UPDATE finding SET last_seen = $2, ignored = CASE WHEN $3 = '' THEN '' ELSE ignored END,
			stale = CASE WHEN $4 = '' THEN stale ELSE $4 END WHERE fingerprint = $1`, f.Fingerprint(), now, f.Ignored, stale)
		return err
	}
	deadSince := before.deadSince
	if !isDead(v.State) {
		deadSince = 0
	} else if deadSince == 0 && isAnswer(before.state) && !isDead(before.state) {
		deadSince = now
	}
	_, err := database.Exec(ctx, tx, `UPDATE finding SET account = $2, state = $3, reason = $4, verified = $5, last_seen = $6, dead_since = $7, record = $8, skipped = $10, stale = '',
		ignored = CASE WHEN $9 = '' THEN '' ELSE ignored END WHERE fingerprint = $1`,
		f.Fingerprint(), v.Identity.Account, string(v.State), v.Reason, database.Millis(v.At), now, deadSince, record, f.Ignored, f.Skipped())
	return err
}

// observe tells the observers of a change.
func (s *Store) observe(ctx context.Context, tx *sql.Tx, c Change) error {
	for _, observe := range s.Observers {
		if err := observe(ctx, tx, c); err != nil {
			return err
		}
	}
	return nil
}

// noteVerdict notes the answer about f in its history, if it is another one than before.
func noteVerdict(ctx context.Context, tx *sql.Tx, before verifier.State, f *finding.Finding) error {
	v := &f.Verdict
	if v.At.IsZero() || v.State == before {
		return nil
	}
	_, err := database.Exec(ctx, tx, `INSERT INTO verification (fingerprint, at, state, reason, account) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (fingerprint, at) DO NOTHING`,
		f.Fingerprint(), database.Millis(v.At), string(v.State), v.Reason, v.Identity.Account)
	return err
}

// putVerdict stores the new state of a known finding, as part of tx. An ignored finding
// stays ignored: the text alone has no path by which a rule could ignore it again. The owner
// stays known: AWS names the owner of a key that works, and no other.
func (s *Store) putVerdict(ctx context.Context, tx *sql.Tx, f *finding.Finding) error {
	var record string
	if err := database.QueryRow(ctx, tx, `SELECT record FROM finding WHERE fingerprint = $1 AND ignored = ''`, f.Fingerprint())(&record); err != nil {
		return ignoreError(err, sql.ErrNoRows)
	}
	if f.Verdict.Identity.ARN == "" {
		var known finding.Finding
		if err := database.UnmarshalRecord(json.RawMessage(record), &known); err != nil {
			return fmt.Errorf("a finding in the database: %w", err)
		}
		if known.Verdict.Identity.ARN != "" {
			f.Verdict.Identity = known.Verdict.Identity
		}
	}
	if err := s.putFinding(ctx, tx, f); err != nil {
		return err
	}
	return s.PutSearch(ctx, tx, []string{f.Fingerprint()}) // it may have an account now
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

// UpdateAtHead notes for each file location of a repository whether HEAD has it, as part
// of tx. at returns the blob at a path; known is false if that has not changed.
func (s *Store) UpdateAtHead(ctx context.Context, tx *sql.Tx, repository int64, at func(path string) (blob string, known bool)) error {
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
		if finding.IsRedacted(path) { // nobody knows the path any more
			return nil
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

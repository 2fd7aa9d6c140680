package sweep

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/verifier"
)

// An OpenText is a text with a finding whose key may be live, or live again.
type OpenText struct {
	Fingerprint string // of the finding
	KeyID       string // of the finding
	Kind        finding.Kind
	Blob        string // as in Location.Blob
}

// TextsToVerify returns the texts to read again in order to verify findings of a repository:
// those that may be live and were last verified before then, and those whose key was live once
// and is off, if that was said a day before then or earlier.
func (s *Store) TextsToVerify(ctx context.Context, number int64, before time.Time) (texts []OpenText, err error) {
	err = database.EachRow(ctx, s.SQL, func(scan func(...any) error) error {
		var t OpenText
		var kind string
		err := scan(&t.Fingerprint, &t.KeyID, &kind, &t.Blob)
		t.Kind = finding.Kind(kind)
		texts = append(texts, t)
		return err
	}, `SELECT DISTINCT l.fingerprint, f.key_id, l.kind, l.blob FROM location l JOIN finding f ON f.fingerprint = l.fingerprint
		WHERE l.repository = $1 AND l.blob <> '' AND `+isDue+` AND `+isFirstCopy+` ORDER BY l.fingerprint`, number, database.Millis(before), database.Millis(s.Now()), database.Millis(before.Add(-offAgain)), textGone)
	return texts, err
}

// PutVerdicts stores, as part of tx, the outcome of a scan of the texts of open findings, in a
// sweep that was begun at a time. It sorts result.Findings, and leaves out their locations: a
// few texts do not have all of them.
func (s *Store) PutVerdicts(ctx context.Context, tx *sql.Tx, open []OpenText, result Result, begun time.Time) error {
	sortFindings(result.Findings)
	for i := range result.Findings {
		if err := s.putVerdict(ctx, tx, &result.Findings[i]); err != nil {
			return err
		}
	}
	return s.putOthers(ctx, tx, open, result, begun)
}

// putOthers stores what a scan of the texts of open findings says of those that it has not
// found, as part of tx.
func (s *Store) putOthers(ctx context.Context, tx *sql.Tx, open []OpenText, result Result, begun time.Time) error {
	why := textGone
	if len(result.Unread) > 0 {
		why = notAskedAgain + "its text could not be read: " + result.Unread[0].Why
	}
	done, ids := map[string]bool{}, map[string]*verifier.Verdict{}
	for i := range result.Findings {
		f := &result.Findings[i]
		done[f.Fingerprint()] = true
		if id := f.Match.Credential.ID; id != "" && !isWhole(f) && isAnswer(f.Verdict.State) {
			ids[id] = &f.Verdict
		}
	}
	for _, text := range open {
		if done[text.Fingerprint] {
			continue
		}
		done[text.Fingerprint] = true
		var err error
		if v := ids[text.KeyID]; v != nil {
			// A scan joins halves from two texts only as long as the key works. It asks with
			// both, and gives the answer to the id.
			err = s.putVerdictOf(ctx, tx, text.Fingerprint, *v)
		} else {
			_, err = database.Exec(ctx, tx, `UPDATE finding AS f SET stale = $4 WHERE fingerprint = $1 AND `+isVerifiedBefore, text.Fingerprint, database.Millis(begun), database.Millis(s.Now()), why)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// putVerdictOf stores v as the new verdict of a known finding, as part of tx.
func (s *Store) putVerdictOf(ctx context.Context, tx *sql.Tx, fingerprint string, v verifier.Verdict) error {
	var record string
	if err := database.QueryRow(ctx, tx, `SELECT record FROM finding WHERE fingerprint = $1`, fingerprint)(&record); err != nil {
		return ignoreError(err, sql.ErrNoRows)
	}
	var f finding.Finding
	if err := database.UnmarshalRecord(json.RawMessage(record), &f); err != nil {
		return fmt.Errorf("a finding in the database: %w", err)
	}
	f.Verdict = v
	return s.putVerdict(ctx, tx, &f)
}

// isDue is true for findings that are to be verified again: those that may be live and were
// verified before $2, and those whose key was live once and is off, if they were verified
// before $4 and their text was not gone ($5) then. AWS says of a deleted key what it says of
// one that somebody has switched off, and may switch on again. isDue leaves out findings that
// were never verified, whatever the reason.
const isDue = `f.ignored = '' AND f.verified > 0 AND (f.state IN ('live', 'id-active-secret-mismatch', 'unknown') AND ` + isVerifiedBefore + `
	OR f.state = 'invalid' AND f.dead_since > 0 AND (f.verified < $4 OR f.verified > $3) AND f.stale <> $5)`

// offAgain is how long the answer holds that a key is off, as it does between scans
// (docs/verification.md).
const offAgain = 24 * time.Hour

// textGone says why a finding was not verified again. It is stored, so it never changes.
const textGone = notAskedAgain + "its text is not there any more"

// isVerifiedBefore is true for findings that were verified before the time $2. One that was
// verified later than now, the time $3, was so by a clock that was ahead: then the order of the
// times says nothing.
const isVerifiedBefore = `(f.verified < $2 OR f.verified > $3)`

// isFirstCopy is true for exactly one of the existing repositories of a target that have
// the text of a finding.
const isFirstCopy = `l.repository = (SELECT MIN(m.repository) FROM location m JOIN repository o ON o.number = m.repository
	WHERE m.fingerprint = l.fingerprint AND m.blob <> '' AND o.state <> 'gone'
	AND o.target = (SELECT target FROM repository WHERE number = l.repository))`

// RepositoriesToVerify returns the repositories of a target for which TextsToVerify is
// not empty.
func (s *Store) RepositoriesToVerify(ctx context.Context, tx *sql.Tx, target string, before time.Time) (numbers []int64, err error) {
	err = database.EachRow(ctx, tx, func(scan func(...any) error) error {
		var n int64
		err := scan(&n)
		numbers = append(numbers, n)
		return err
	}, `SELECT DISTINCT l.repository FROM location l JOIN finding f ON f.fingerprint = l.fingerprint JOIN repository r ON r.number = l.repository
		WHERE r.target = $1 AND r.state <> 'gone' AND l.blob <> '' AND `+isDue+`
		AND `+isFirstCopy, target, database.Millis(before), database.Millis(s.Now()), database.Millis(before.Add(-offAgain)), textGone)
	return numbers, err
}

//go:build sweep

package sweeptest

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/verifier"
)

// Many is how many findings benchmarks fill a store with: as many as a large organization has.
const Many = 50_000

// Fill puts n findings into the store, as sweeps of the target acme leave them: in 900
// repositories and two places each, most of them dead, and one in 100 live.
func (s *Store) Fill(t testing.TB, n int) {
	t.Helper()
	if err := s.PutTarget(t.Context(), sweep.Target{Name: "acme", Options: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	s.Do(t, func(ctx context.Context, tx *sql.Tx) error {
		for i := range repositories {
			name := fmt.Sprintf("acme/service-%d", i)
			if _, err := database.Exec(ctx, tx, `INSERT INTO repository (id, target, name, page, fork, archived, private, pushed, due, listed, state, at) VALUES ($1, 'acme', $2, $3, 0, 0, 0, 0, 0, 0, 'swept', 0)`,
				fmt.Sprint("r", i), name, "https://h/"+name); err != nil {
				return err
			}
		}
		var first int64
		if err := database.QueryRow(ctx, tx, `SELECT number FROM repository WHERE id = 'r0'`)(&first); err != nil {
			return err
		}
		fingerprints := make([]string, n)
		for i := range n {
			f := s.finding(i)
			fingerprints[i] = f.Fingerprint()
			if err := s.put(ctx, tx, i, f, first); err != nil {
				return err
			}
		}
		return s.PutSearch(ctx, tx, fingerprints)
	})
	analyze := `ANALYZE`
	if s.Postgres {
		analyze = `VACUUM ANALYZE` // as the server does by itself after a while
	}
	if _, err := database.Exec(t.Context(), s.SQL, analyze); err != nil {
		t.Fatal(err)
	}
}

const repositories = 900

// put puts f, the i-th finding, with its answers and places. first is the number of the first
// repository.
func (s *Store) put(ctx context.Context, tx *sql.Tx, i int, f *finding.Finding, first int64) error {
	kept := *f
	kept.Locations = nil
	record, err := database.MarshalRecord(&kept)
	if err != nil {
		return err
	}
	status, comment := "open", ""
	if i%3 == 0 {
		status = "fixed"
	}
	if i%20 == 0 {
		comment = fmt.Sprintf("rotated with release %d, see the ticket OPS-%d", i%40, i)
	}
	id, at := f.Fingerprint(), database.Millis(f.Verdict.At)
	if _, err := database.Exec(ctx, tx, `INSERT INTO finding (fingerprint, key_id, account, state, reason, ignored, verified, first_seen, last_seen, owner, status, status_by, comment, record, skipped, dead_since)
		VALUES ($1, $2, $3, $4, '', '', $5, $5, $5, $6, $7, '', $8, $9, $10, $11)`, id, f.Match.Credential.ID, f.Verdict.Identity.Account, string(f.Verdict.State), at,
		[]string{"", "", "", "payments", "platform", "search", "mobile"}[i%7], status, comment, string(record), f.Skipped(), at*int64(i%2)); err != nil {
		return err
	}
	if _, err := database.Exec(ctx, tx, `INSERT INTO verification (fingerprint, at, state, reason, account) VALUES ($1, $2, $3, '', '')`, id, at, string(f.Verdict.State)); err != nil {
		return err
	}
	for j := range f.Locations {
		l := &f.Locations[j]
		record, err := database.MarshalRecord(l)
		if err != nil {
			return err
		}
		if _, err := database.Exec(ctx, tx, `INSERT INTO location (fingerprint, repository, place, kind, blob, path, at_head, first_seen, record) VALUES ($1, $2, $3, 'blob', 'b', $4, $5, 0, $6)`,
			id, first+int64((i*7+j)%repositories), fmt.Sprint(j), l.Path, database.Bool(l.AtHead), string(record)); err != nil {
			return err
		}
	}
	return nil
}

// finding makes the i-th finding, with a record of the usual length.
func (s *Store) finding(i int) *finding.Finding {
	state := []verifier.State{verifier.Invalid, verifier.Unknown, verifier.Skipped}[max(0, i%10-7)]
	if i%100 == 50 {
		state = verifier.Live
	}
	fingerprint, seen, user := fmt.Sprintf("%032x", uint32(i)*2654435761), s.Clock.Add(-time.Duration(i)*time.Minute), fmt.Sprintf("deploy-%d", i)
	f := &finding.Finding{Digest: &finding.Digest{Fingerprint: fingerprint, SecretSHA256: fingerprint + fingerprint}}
	f.Match.Rule = &detectors.Rule{ID: "aws-access-key", Title: "AWS access key"}
	f.Match.Credential.ID = fmt.Sprintf("AKIA%016d", i)
	f.Verdict = verifier.Verdict{State: state, At: seen, Reason: "InvalidClientTokenId: the key is not valid", Identity: verifier.Identity{
		Account: fmt.Sprint(123456789012 + i%12), ARN: "arn:aws:iam::123456789012:user/" + user, Kind: "user", Name: user}}
	for j := range 4 {
		f.Verdict.Facts = append(f.Verdict.Facts, verifier.Fact{Name: fmt.Sprint("fact", j), Value: "a sentence about the key, of some length, as reports have it"})
	}
	for j := range 2 {
		f.Locations = append(f.Locations, finding.Location{Kind: finding.KindBlob, Path: fmt.Sprintf("services/%s-%d/deploy/production-%d.env", []string{"billing", "checkout", "search"}[i%3], i%4000, j),
			Line: 7, AtHead: j == 0, Commit: fingerprint + fingerprint[:8], Author: "A. Developer", Email: "a@example.com", Time: seen})
	}
	return f
}

//go:build sweep && unix

package triage_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
	"github.com/stanch-dev/stanch/scanner/sweep/triage"
	"github.com/stanch-dev/stanch/verifier"
)

// fill puts n findings, in 900 repositories and two places each: one in 100 is live, and 70
// are dead.
func (f *fixture) fill(n int) {
	f.Helper()
	for i := range 900 {
		f.exec(`INSERT INTO repository (id, target, name, page, fork, archived, private, pushed, listed, state, at) VALUES ($1, 'acme', $2, $3, 0, 0, 0, 0, 0, 'swept', 0)`,
			fmt.Sprint("r", i), fmt.Sprintf("acme/service-%d", i), fmt.Sprintf("https://h/acme/service-%d", i))
	}
	owners := []string{"", "", "", "payments", "platform", "search", "mobile"}
	err := f.Tx(f.Context(), func(tx *sql.Tx) error {
		for i := range n {
			state := []verifier.State{verifier.Invalid, verifier.Unknown, verifier.Skipped}[max(0, i%10-7)]
			if i%100 == 50 {
				state = verifier.Live
			}
			status := triage.Open
			if i%3 == 0 {
				status = triage.Fixed
			}
			fingerprint := fmt.Sprintf("%032x", uint32(i)*2654435761)
			one := finding.Finding{Digest: &finding.Digest{Fingerprint: fingerprint, SecretSHA256: fingerprint + fingerprint}}
			one.Match.Rule = &detectors.Rule{ID: "aws-access-key", Title: "AWS access key"}
			one.Match.Credential.ID = fmt.Sprintf("AKIA%016d", i)
			seen := f.clock.Add(-time.Duration(i) * time.Minute)
			one.Verdict = verifier.Verdict{State: state, At: seen, Reason: "InvalidClientTokenId: the key is not valid", Identity: verifier.Identity{
				Account: "123456789012", ARN: fmt.Sprintf("arn:aws:iam::123456789012:user/deploy-%d", i), Kind: "user", Name: fmt.Sprintf("deploy-%d", i)}}
			for j := range 4 {
				one.Verdict.Facts = append(one.Verdict.Facts, verifier.Fact{Name: fmt.Sprint("fact", j), Value: "a sentence about the key, of some length, as reports have it"})
			}
			record, err := database.MarshalRecord(&one)
			if err != nil {
				return err
			}
			ms := database.Millis(seen)
			if _, err := database.Exec(f.Context(), tx, `INSERT INTO finding (fingerprint, key_id, account, state, reason, ignored, verified, first_seen, last_seen, owner, status, status_by, record, dead_since)
				VALUES ($1, $2, '123456789012', $3, '', '', $4, $4, $4, $5, $6, '', $7, $8)`, fingerprint, one.Match.Credential.ID, string(state), ms, owners[i%len(owners)], string(status), string(record), ms*int64(i%2)); err != nil {
				return err
			}
			if _, err := database.Exec(f.Context(), tx, `INSERT INTO verification (fingerprint, at, state, reason, account) VALUES ($1, $2, $3, '', '')`, fingerprint, ms, string(state)); err != nil {
				return err
			}
			for j := range 2 {
				path := fmt.Sprintf("deploy/environments/production-%d/%d.env", i%50, j)
				l, err := json.Marshal(&finding.Location{Kind: finding.KindBlob, Path: path, Line: 7, AtHead: j == 0, Commit: fingerprint + fingerprint[:8], Author: "A. Developer", Email: "a@example.com", Time: seen})
				if err != nil {
					return err
				}
				if _, err := database.Exec(f.Context(), tx, `INSERT INTO location (fingerprint, repository, place, kind, blob, path, at_head, first_seen, record) VALUES ($1, $2, $3, 'blob', 'b', $4, $5, 0, $6)`,
					fingerprint, 4+(i*7+j)%900, fmt.Sprint(j), path, database.Bool(j == 0), string(l)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		f.Fatal(err)
	}
	f.exec(`ANALYZE`)
	if f.Postgres {
		f.exec(`VACUUM`)
	}
}

// measure runs an operation, and reports the CPU time of this process: the machine may be busy
// with other work. The server of PostgreSQL is another process.
func measure(b *testing.B, name string, do func() error) {
	b.Helper()
	b.Run(name, func(b *testing.B) {
		before := cpuTime(b)
		for b.Loop() {
			if err := do(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/op")
	})
}

// cpuTime returns the CPU time that this process has taken in user mode.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano())
}

func (f *fixture) benchmark(b *testing.B) {
	b.Helper()
	live, open := []verifier.State{verifier.Live}, []triage.Status{triage.Open}
	for name, filter := range map[string]triage.Filter{
		"all": {}, "live": {States: live}, "live_open": {States: live, Statuses: open}, "owner": {Owner: "payments"}, "target": {Target: "acme"},
		"repository": {Repository: "acme/service-7"}, "text": {Text: "deploy-4711"}, "new": {NewSince: f.clock.AddDate(0, 0, -1)},
	} {
		for _, sort := range triage.Sorts() {
			measure(b, name+"/"+string(sort), func() error {
				_, err := f.List(b.Context(), filter, sort, "", 50)
				return err
			})
		}
	}
	after := ""
	for range 100 { // as far as somebody may scroll
		page, err := f.List(b.Context(), triage.Filter{}, triage.ByUrgency, after, 200)
		if err != nil {
			b.Fatal(err)
		}
		after = page.Next
	}
	measure(b, "far/urgency", func() error {
		_, err := f.List(b.Context(), triage.Filter{}, triage.ByUrgency, after, 50)
		return err
	})
	measure(b, "summary", func() error {
		_, err := f.Summary(b.Context(), f.clock.AddDate(0, 0, -1))
		return err
	})
}

// BenchmarkList reads pages of 50,000 findings in 100,000 places.
func BenchmarkList(b *testing.B) {
	dsn, err := database.SQLiteDSN(filepath.Join(b.TempDir(), "sweep.db"))
	if err != nil {
		b.Fatal(err)
	}
	for driver, url := range map[string]string{"sqlite": dsn, "pgx": ""} {
		b.Run(driver, func(b *testing.B) {
			if url == "" {
				url = sweeptest.StartPostgres(b).URL
			}
			db, err := sql.Open(driver, url)
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			db.SetMaxOpenConns(1)
			f := newFixture(b, db, driver == "pgx")
			f.fill(50_000)
			f.benchmark(b)
		})
	}
}

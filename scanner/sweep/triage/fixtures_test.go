//go:build sweep

package triage_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
	"github.com/stanch-dev/stanch/scanner/sweep/triage"
	"github.com/stanch-dev/stanch/verifier"
)

// A fixture is a test with a store of its own, and a clock that the test sets.
type fixture struct {
	testing.TB
	*triage.Store
	clock *time.Time
}

// onEachDatabase runs tests in SQLite and in PostgreSQL.
func onEachDatabase(t *testing.T, tests map[string]func(*fixture)) {
	t.Helper()
	each := map[string]func(*testing.T, *sweeptest.Store){}
	for name, test := range tests {
		each[name] = func(t *testing.T, s *sweeptest.Store) {
			t.Helper()
			test(newFixture(t, s))
		}
	}
	sweeptest.OnEachDatabase(t, each)
}

func newFixture(t *testing.T, s *sweeptest.Store) *fixture {
	t.Helper()
	f := &fixture{TB: t, Store: &triage.Store{Store: s.Store}, clock: &s.Clock}
	s.Clock = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for _, name := range []string{"acme", "octo"} {
		if err := f.PutTarget(t.Context(), sweep.Target{Name: name, Options: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
	}
	for i, name := range []string{"acme/app", "acme/web", "octo/lib"} {
		f.exec(`INSERT INTO repository (id, target, name, page, fork, archived, private, pushed, listed, state, at) VALUES ($1, $2, $3, $4, 0, 0, 0, 0, 0, 'swept', 0)`,
			fmt.Sprint(i), name[:4], name, "https://h/"+name)
	}
	return f
}

// exec runs a statement.
func (f *fixture) exec(statement string, args ...any) {
	f.Helper()
	if _, err := database.Exec(f.Context(), f.SQL, statement, args...); err != nil {
		f.Fatalf("%s: %v", statement, err)
	}
}

// put adds a finding, that a sweep has seen now, in repositories.
func (f *fixture) put(fingerprint string, state verifier.State, repositories ...string) {
	f.Helper()
	one := finding.Finding{Digest: &finding.Digest{Fingerprint: fingerprint}}
	one.Match.Rule = &detectors.Rule{ID: "aws-access-key", Title: "AWS access key"}
	one.Match.Credential.ID = "ID" + fingerprint
	one.Verdict = verifier.Verdict{State: state, At: *f.clock, Identity: verifier.Identity{Account: "123456789012", ARN: "arn:aws:iam::123456789012:user/deploy-" + fingerprint, Kind: "user", Name: "deploy-" + fingerprint}}
	record, err := database.MarshalRecord(&one)
	if err != nil {
		f.Fatal(err)
	}
	now := database.Millis(*f.clock)
	f.exec(`INSERT INTO finding (fingerprint, key_id, account, state, reason, ignored, verified, first_seen, last_seen, record) VALUES ($1, $2, $3, $4, '', '', $5, $5, $5, $6)`,
		fingerprint, one.Match.Credential.ID, "123456789012", string(state), now, string(record))
	f.exec(`INSERT INTO verification (fingerprint, at, state, reason, account) VALUES ($1, $2, $3, '', '')`, fingerprint, now, string(state))
	for _, name := range repositories {
		for i, path := range []string{"config/" + fingerprint + ".env", "old.env"} {
			l, err := json.Marshal(&finding.Location{Kind: finding.KindBlob, Path: path, Line: 7, AtHead: i == 0})
			if err != nil {
				f.Fatal(err)
			}
			f.exec(`INSERT INTO location (fingerprint, repository, place, kind, blob, path, at_head, first_seen, record)
				SELECT CAST($1 AS TEXT), number, CAST($2 AS TEXT), 'blob', 'b', CAST($3 AS TEXT), CAST($4 AS BIGINT), 0, CAST($5 AS TEXT) FROM repository WHERE name = $6`,
				fingerprint, fmt.Sprint(i), path, database.Bool(i == 0), string(l), name)
		}
	}
	f.searchable(fingerprint)
}

// searchable has lists find findings by their text, which exec has put or changed.
func (f *fixture) searchable(fingerprints ...string) {
	f.Helper()
	if err := f.Tx(f.Context(), func(tx *sql.Tx) error { return f.PutSearch(f.Context(), tx, fingerprints) }); err != nil {
		f.Fatal(err)
	}
}

// becomes stores a new state as a sweep does, and tells the observer.
func (f *fixture) becomes(fingerprint string, before, after verifier.State) {
	f.Helper()
	err := f.Tx(f.Context(), func(tx *sql.Tx) error {
		if _, err := database.Exec(f.Context(), tx, `UPDATE finding SET state = $2 WHERE fingerprint = $1`, fingerprint, string(after)); err != nil {
			return err
		}
		return triage.Reopen(f.Context(), tx, sweep.Change{Fingerprint: fingerprint, Before: before, After: after, At: *f.clock})
	})
	if err != nil {
		f.Fatal(err)
	}
}

// detail returns a finding.
func (f *fixture) detail(fingerprint string) triage.Detail {
	f.Helper()
	d, err := f.Detail(f.Context(), fingerprint)
	if err != nil {
		f.Fatal(err)
	}
	return d
}

var ada = triage.Author{Name: "ada", Via: "cli"}

// apply makes an edit of findings.
func (f *fixture) apply(e triage.Edit, fingerprints ...string) (triage.Applied, error) {
	f.Helper()
	items := make([]triage.Item, len(fingerprints))
	for i, fingerprint := range fingerprints {
		items[i].Fingerprint = fingerprint
	}
	return f.Apply(context.WithoutCancel(f.Context()), ada, e, items)
}

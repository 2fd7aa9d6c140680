//go:build sweep

package sweepreport

import (
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
	"github.com/stanch-dev/stanch/verifier"
)

// TestFailOnNew: a finding is new until the next sweep of any target that has it, however
// long ago the sweeps of other targets began.
func TestFailOnNew(t *testing.T) {
	store := sweeptest.SQLite(t).Store
	exec := func(statement string, args ...any) {
		t.Helper()
		if _, err := database.Exec(t.Context(), store.SQL, statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	// often was swept at 900, seldom at 100.
	exec(`INSERT INTO target (name, api, options, every_ms, added, sweep, begun, ended) VALUES ('often', '', '{}', 0, 1, 9, 900, 950), ('seldom', '', '{}', 0, 1, 1, 100, 150)`)
	exec(`INSERT INTO repository (id, target, name, page, fork, archived, private, pushed, listed, state, at) VALUES
		('1', 'often', 'often/app', 'https://h/often/app', 0, 0, 0, 1, 900, 'swept', 900), ('2', 'seldom', 'seldom/app', 'https://h/seldom/app', 0, 0, 0, 1, 100, 'swept', 100)`)
	for _, f := range []struct {
		name, ignored, status, by string
		first                     int
		repositories              []int
	}{
		{"new", "", "open", "", 900, []int{1}},
		{"of an earlier sweep", "", "open", "", 500, []int{1}},
		{"found by a push since", "", "open", "", 120, []int{2}},
		{"in both", "", "open", "", 500, []int{1, 2}},
		{"ignored", "a rule", "open", "", 910, []int{1}},
		{"acknowledged", "", "acknowledged", "ada", 910, []int{1}},
	} {
		record := finding.Finding{Match: detectors.Match{Rule: &detectors.Rule{ID: "rule"}, Credential: detectors.Credential{ID: f.name}}}
		data, err := database.MarshalRecord(&record)
		if err != nil {
			t.Fatal(err)
		}
		id := record.Fingerprint()
		exec(`INSERT INTO finding (fingerprint, key_id, account, state, reason, verified, first_seen, last_seen, ignored, record, status, status_by)
			VALUES ($1, '', '', $2, '', 0, $3, $3, $4, $5, $6, $7)`, id, string(verifier.Invalid), f.first, f.ignored, string(data), f.status, f.by)
		for _, repository := range f.repositories {
			exec(`INSERT INTO location (fingerprint, repository, place, kind, blob, path, at_head, first_seen, record) VALUES ($1, $2, 'p', 'file', '', 'p', 1, 1, '{}')`, id, repository)
		}
	}
	for target, want := range map[string][]string{
		"": {"found by a push since", "new"}, "often": {"new"}, "seldom": {"found by a push since", "in both"},
	} {
		r := &Report{Store: store, Target: target, Handler: &finding.Saved{}, FailOn: run.FailOnNew}
		result, err := r.Write(t.Context())
		if err != nil || result.Leaks != len(want) {
			t.Errorf("of target %q %d findings are new, want %s (%v)", target, result.Leaks, strings.Join(want, ", "), err)
		}
	}
}

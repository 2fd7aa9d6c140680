//go:build sweep

package sweepreport

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/report/plaintext"
	"github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
	"github.com/stanch-dev/stanch/verifier"
)

// TestNew: a finding is new if no target of the report knew a place of it before its last sweep
// began, however long ago the sweeps of other targets began. The text and --fail-on new agree.
func TestNew(t *testing.T) {
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
	const often, seldom = 1, 2
	for _, f := range []struct {
		name, ignored, status, by string
		places                    map[int]int // when each repository had it first
	}{
		{"new", "", "open", "", map[int]int{often: 900}},
		{"of an earlier sweep", "", "open", "", map[int]int{often: 500}},
		{"found by a push since", "", "open", "", map[int]int{seldom: 120}},
		{"often had it before", "", "open", "", map[int]int{often: 500, seldom: 520}},
		{"seldom had it before", "", "open", "", map[int]int{often: 905, seldom: 50}},
		{"new in both", "", "open", "", map[int]int{often: 905, seldom: 120}},
		{"ignored", "a rule", "open", "", map[int]int{often: 910}},
		{"acknowledged", "", "acknowledged", "ada", map[int]int{often: 910}},
	} {
		record := finding.Finding{Match: detectors.Match{Rule: &detectors.Rule{ID: "rule", Title: "key"}, Credential: detectors.Credential{ID: f.name}}}
		data, err := database.MarshalRecord(&record)
		if err != nil {
			t.Fatal(err)
		}
		id, first := record.Fingerprint(), slices.Min(slices.Collect(maps.Values(f.places)))
		exec(`INSERT INTO finding (fingerprint, key_id, account, state, reason, verified, first_seen, last_seen, ignored, record, status, status_by)
			VALUES ($1, '', '', $2, '', 0, $3, $3, $4, $5, $6, $7)`, id, string(verifier.Invalid), first, f.ignored, string(data), f.status, f.by)
		for repository, at := range f.places {
			exec(`INSERT INTO location (fingerprint, repository, place, kind, blob, path, at_head, first_seen, record) VALUES ($1, $2, 'p', 'file', '', 'p', 1, $3, '{}')`, id, repository, at)
		}
	}
	title := regexp.MustCompile(`(?m)^ID ONLY  (.+)  key(  new)?$`)
	for target, want := range map[string][]string{
		"": {"found by a push since", "new", "new in both"}, "often": {"new", "new in both", "seldom had it before"},
		"seldom": {"found by a push since", "new in both", "often had it before"},
	} {
		var text strings.Builder
		r := &Report{Store: store, Target: target, Handler: plaintext.New(&text, plaintext.Options{ListAll: "--all"}), FailOn: run.FailOnNew}
		result, err := r.Write(t.Context())
		if err != nil || result.Leaks != len(want) {
			t.Errorf("of target %q %d findings are new, want %s (%v)", target, result.Leaks, strings.Join(want, ", "), err)
		}
		var listed []string
		for _, m := range title.FindAllStringSubmatch(text.String(), -1) {
			listed = append(listed, m[1])
			if m[2] == "" {
				t.Errorf("of target %q the text lists %q, which is not new", target, m[1])
			}
		}
		if slices.Sort(listed); !slices.Equal(listed, want) {
			t.Errorf("of target %q the text lists %q as new, want %q", target, listed, want)
		}
	}
}

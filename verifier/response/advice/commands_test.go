package advice

import (
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/verifier/response"
)

// TestNextCommands: the commands that come next are whole, and those that cannot help are not
// printed.
func TestNextCommands(t *testing.T) {
	plan := response.Plan{Hash: "abc", Keys: make([]response.Key, 2)}
	f := Flags{Accounts: []string{"111122223333", "222233334444"}, Role: "stanch", ExternalID: "a b", Journal: "j.jsonl", Findings: "scan.jsonl"}
	const rest = " 'my plan.json' --accounts 111122223333,222233334444 --role stanch --external-id 'a b' --journal j.jsonl"
	apply := "  stanch respond apply" + rest + " --findings scan.jsonl --max-keys 2 --plan abc\n"
	confirm := "  stanch respond confirm" + rest + " --findings scan.jsonl\n"
	undo := "  stanch respond undo" + rest + "\n"
	for _, tt := range []struct {
		name     string
		outcomes []response.Outcome
		want     []string
	}{
		{"contained", []response.Outcome{{Result: response.Contained}}, []string{confirm, undo}},
		{"one is not", []response.Outcome{{Result: response.Contained}, {Result: response.Unconfirmed}}, []string{apply, confirm, undo}},
		{"undone, and not contained", []response.Outcome{{Result: response.Incomplete, Closed: true}}, []string{confirm, undo}},
		{"undone", []response.Outcome{{Result: response.Undone}}, nil},
		{"nothing", nil, nil},
	} {
		var b strings.Builder
		if err := WriteOutcomes(&b, tt.outcomes, "my plan.json", plan, f); err != nil {
			t.Fatal(err)
		}
		var got []string
		for line := range strings.Lines(b.String()) {
			if strings.HasPrefix(line, "  stanch respond ") {
				got = append(got, line)
			}
		}
		if strings.Join(got, "") != strings.Join(tt.want, "") {
			t.Errorf("%s:\n%swant\n%s", tt.name, strings.Join(got, ""), strings.Join(tt.want, ""))
		}
	}
}

// TestReadBack: it is as late as the last key was shut off.
func TestReadBack(t *testing.T) {
	off := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	for want, outcomes := range map[string][]response.Outcome{
		"In five minutes, see":           {{}},
		"After 09:20:00 UTC, when Cloud": {{Off: off.Add(5 * time.Minute)}, {Off: off}, {}},
	} {
		if got := readBack(outcomes); !strings.HasPrefix(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

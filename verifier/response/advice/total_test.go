package advice

import (
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier/response"
)

// alice is a key of a user.
var alice = response.Key{Subject: finding.Subject{KeyID: "ID", Kind: "user", Name: "alice", Account: "111122223333"}}

// TestTotal: of several keys, those that are not contained are named where the list ends.
func TestTotal(t *testing.T) {
	var p Page
	p.total([]response.Outcome{
		{Result: response.Contained},
		{Result: response.Unconfirmed, Status: response.Active, Key: alice},
		{Result: response.Contained},
	})
	if want := "3 keys\n  2 contained\n  ID still works, and AWS does not confirm every step\n"; p.text.String() != want {
		t.Errorf("%s, want %s", p.text.String(), want)
	}
}

// TestVerdict: a sentence says what has become of a key, and claims of its sessions nothing that
// is not known.
func TestVerdict(t *testing.T) {
	until := time.Date(2026, 3, 15, 21, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		o    response.Outcome
		want string
	}{
		{response.Outcome{Result: response.Contained, Status: response.Inactive, Until: until}, "ID is Inactive and its sessions are denied"},
		{response.Outcome{Result: response.Contained, Status: response.Inactive}, "ID is Inactive"}, // the sessions are over
		{response.Outcome{Result: response.Contained, Until: until}, "ID is shut off and its sessions are denied"},
		{response.Outcome{Result: response.Incomplete, Status: response.Inactive, Until: until, Why: make([]string, 4), Left: make([]response.Remnant, 4)},
			`ID is Inactive and its sessions are denied; 4 things are open, see "why" above`},
		{response.Outcome{Result: response.Incomplete, Status: response.Inactive, Until: until, Why: make([]string, 2), Left: make([]response.Remnant, 1)},
			`ID is Inactive; 2 things are open, see "why" above`}, // one of several policies may be missing
		{response.Outcome{Result: response.Incomplete, Status: response.Inactive, Why: make([]string, 1)}, `ID is Inactive; 1 thing is open, see "why" above`},
		{response.Outcome{Result: response.Incomplete, Status: response.Absent}, "ID was deleted"},
		{response.Outcome{Result: response.Unconfirmed, Status: response.Inactive, Until: until}, "ID is Inactive, and AWS does not confirm every step"},
		{response.Outcome{Result: response.Unconfirmed}, "ID may still work"},
		{response.Outcome{Result: response.Partly, Status: response.Active}, "ID still works, but its older sessions are denied"},
		{response.Outcome{Result: response.Untouched, Why: make([]string, 1)}, `ID still works; 1 thing is open, see "why" above`},
		{response.Outcome{Result: response.Undone, Status: response.Active}, "ID is Active: the plan is undone"},
		{response.Outcome{Result: response.Undone, Status: response.Inactive}, "ID is as it was before the plan"},
		{response.Outcome{Result: response.NotUndone, Status: response.Inactive}, "ID was not put back in full"},
	} {
		tt.o.Key = alice
		if got := verdict(tt.o); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt.o, got, tt.want)
		}
	}
}

// TestVerdictIsLast: of a long list, a terminal shows the end.
func TestVerdictIsLast(t *testing.T) {
	var b strings.Builder
	o := response.Outcome{Key: alice, Result: response.Incomplete, Status: response.Inactive, Why: []string{"an error"}}
	if err := (&Page{W: &b}).WriteOutcomes([]response.Outcome{o}, "plan.json", response.Plan{}, Flags{}); err != nil {
		t.Fatal(err)
	}
	if want := "\nID is Inactive; 1 thing is open, see \"why\" above\n"; !strings.HasSuffix(b.String(), want) {
		t.Errorf("%s, want …%s", b.String(), want)
	}
}

// TestAgain: confirm does not write the tasks that apply has written, but for those that have a
// time and those about new things.
func TestAgain(t *testing.T) {
	deny := alice
	deny.Steps = []response.Step{{Do: response.DenySessions, Kind: "user", Name: "alice", Object: "policy"}}
	o := response.Outcome{Key: deny, Result: response.Contained, Status: response.Inactive, Until: time.Now(), Made: []response.Remnant{{Why: "an instance"}}}
	for _, again := range []bool{false, true} {
		var b strings.Builder
		if err := (&Page{W: &b, Again: again}).WriteOutcomes([]response.Outcome{o}, "plan.json", response.Plan{}, Flags{}); err != nil {
			t.Fatal(err)
		}
		for text, want := range map[string]bool{"Rewriting history": !again, "Tell the owner": !again, "delete-user-policy": true, "an instance": true} {
			if strings.Contains(b.String(), text) != want {
				t.Errorf("again %t: %q is there: %t\n%s", again, text, !want, b.String())
			}
		}
	}
}

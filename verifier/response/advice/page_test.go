package advice

import (
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/verifier/response"
)

// TestUrgentAfterUndo: nobody is told to apply a plan that was undone, which is refused,
// or to make a new one for a key that has nothing to shut off.
func TestUrgentAfterUndo(t *testing.T) {
	for _, tt := range []struct {
		o         response.Outcome
		want, not string
	}{
		{response.Outcome{Status: "Active"}, "apply the plan again", "undone"},
		{response.Outcome{Status: "Active", Closed: true}, "Make a new one", "apply the plan again"},
		{response.Outcome{Closed: true}, "Make a new one", "apply the plan again"}, // a session
		{response.Outcome{Status: "Inactive", Closed: true}, "cannot be applied again", "Make a new one"},
		{response.Outcome{Status: "absent", Closed: true}, "cannot be applied again", "Make a new one"},
	} {
		for _, result := range []response.Result{response.Unconfirmed, response.Incomplete} {
			tt.o.Result = result
			if got := urgent(tt.o); !strings.Contains(got, tt.want) || strings.Contains(got, tt.not) {
				t.Errorf("%+v: %s", tt.o, got)
			}
		}
	}
}

// TestUrgentAfterFailedUndo: nobody is told to undo again what nothing brings back.
func TestUrgentAfterFailedUndo(t *testing.T) {
	for status, want := range map[string]string{"Inactive": "run the same command again", "": "run the same command again", "absent": "nothing can make it work again"} {
		if got := urgent(response.Outcome{Result: response.NotUndone, Status: status}); !strings.Contains(got, want) {
			t.Errorf("%q: %s", status, got)
		}
	}
}

// TestUndoSaysWhatWorks: "it works again" is said of a key that the undo has made work.
func TestUndoSaysWhatWorks(t *testing.T) {
	active, inactive := response.Outcome{Status: "Active"}, response.Outcome{Status: "Inactive"}
	undid := func(o response.Outcome, steps ...response.Action) response.Outcome { o.Undid = steps; return o }
	for _, tt := range []struct {
		o         response.Outcome
		want, not string
	}{
		{undid(active, response.DenySessions, response.Deactivate), "It works again", "Nothing"},
		{undid(active, response.DisableServiceCredential), "It works again", "Nothing"},
		{active, "Nothing had to be undone", "again"},
		{undid(active, response.DenySessions), "works for everybody who has it", "It works again"},
		{undid(inactive, response.DenySessions), "Sessions that were made with it work again until they are over. The key is still Inactive", "works"},
		{undid(response.Outcome{Status: "absent"}, response.DenySessions), "Sessions that were made with it work again until they are over. There is no such key", "works"},
		{undid(inactive, response.Quarantine), "still Inactive", "again"},
		{undid(response.Outcome{}, response.DenySessions), "Its sessions work again", "Nothing"},
		{response.Outcome{}, "Nothing had to be undone", "works"},
	} {
		if got := undone(tt.o); !strings.Contains(got, tt.want) || strings.Contains(got, tt.not) {
			t.Errorf("%+v: %s", tt.o, got)
		}
	}
}

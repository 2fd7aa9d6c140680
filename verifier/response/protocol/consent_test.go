package protocol_test

import (
	"io"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/advice"
	"github.com/stanch-dev/stanch/verifier/response/protocol"
)

// TestAsk: each key is typed for, also if all answers come at once.
func TestAsk(t *testing.T) {
	plan := response.Plan{Keys: []response.Key{
		{Subject: finding.Subject{KeyID: "key-one1", Account: "111122223333", Kind: "user", Name: "a"}},
		{Subject: finding.Subject{KeyID: "key-two2", Account: "222233334444", Kind: "user", Name: "b"}},
	}}
	for typed, gate := range map[string]response.Gate{
		"111122223333 one1\n222233334444 two2\n": "",
		"111122223333 one1\n222233334444 one1\n": response.GateConfirm,
		"111122223333 one1\n":                    response.GateConfirm,
		"222233334444 two2\n111122223333 one1\n": response.GateConfirm,
	} {
		err := protocol.Ask(strings.NewReader(typed), &advice.Page{W: io.Discard}, "shut off", "--yes")(t.Context(), plan)
		if response.Refused(err) != gate || gate == "" && err != nil {
			t.Errorf("%q: %v", typed, err)
		}
	}
}

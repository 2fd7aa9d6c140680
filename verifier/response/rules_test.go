package response_test

import (
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/verifier/response"
)

func TestCheckForNamesAccounts(t *testing.T) {
	const a, b = "111122223333", "444455556666"
	for _, tt := range []struct {
		name      string
		listed    []string
		of        []string
		want, not string // "" for no error
	}{
		{"one", nil, []string{a, a}, "add --accounts " + a, a + ","},
		{"several", nil, []string{b, a, b}, "--accounts " + a + "," + b, b + ","},
		{"none known", nil, []string{"", "123"}, "list the accounts", "The keys are of"},
		{"listed", []string{b}, []string{a}, "", ""}, // the gate of the account speaks later
	} {
		err := response.Rules{Accounts: tt.listed}.CheckFor(tt.of)
		switch {
		case tt.want == "" && err == nil:
		case tt.want == "" || err == nil || !strings.Contains(err.Error(), tt.want):
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		case strings.Contains(err.Error(), tt.not):
			t.Errorf("%s: %v has %q", tt.name, err, tt.not)
		}
	}
}

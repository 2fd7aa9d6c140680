package assessment

import (
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
)

// TestFactsAreWrapped: a fact takes the rows that it needs, and none holds half a word.
func TestFactsAreWrapped(t *testing.T) {
	f := &finding.Finding{}
	f.Match.Credential.ID = "ID"
	facts := []verifier.Fact{{Name: "rights", Value: "it may do everything in the account", Source: "iam:SimulatePrincipalPolicy", Risk: act}}
	for width, want := range map[int]string{
		0: "  ACT NOW  rights: it may do everything in the account  (iam:SimulatePrincipalPolicy)\n",
		40: `  ACT NOW  rights: it may do everything
           in the account
           (iam:SimulatePrincipalPolicy)
`,
	} {
		var b strings.Builder
		WriteFacts(&b, width, f, facts)
		if got := b.String(); got != "ID  account not known\n"+want+"\n" {
			t.Errorf("at %d:\n%s", width, got)
		}
	}
}

package advice

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier/response"
)

// TestNarrowPage: at each width only commands and single words are longer than the terminal, a
// command stays on one row, and no word is lost.
func TestNarrowPage(t *testing.T) {
	off := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	key := response.Key{
		Subject: finding.Subject{KeyID: "AKIA-EXAMPLE-OF-LENGTH", Account: "111122223333", Kind: "user", Name: "deploy",
			ARN: "arn:aws:iam::111122223333:user/ci/deploy", Where: "config/prod.env:2 commit 0d6b0d6b in release/2026-03 and 14 other branches"},
		Status: response.Active, LastUsed: "2026-03-14 in us-east-1 by sts",
		Responder: "arn:aws:sts::111122223333:assumed-role/stanch-respond/stanch-1", Others: []string{"another key id, Active"},
		Warnings: []string{"a warning of so many words that no terminal of eighty columns holds it on one row"},
		Steps: []response.Step{
			{Do: response.Deactivate, Kind: "user", Name: "deploy"},
			{Do: response.DenySessions, Kind: "user", Name: "deploy", Object: "stanch-deny-sessions-0d6b0d6b"},
			{Do: response.DenyConsole, Kind: "user", Name: "deploy", Object: "stanch-deny-console-0d6b0d6b"},
		},
		Left: []response.Remnant{{Why: "the user has an inline policy that the key may have written since it leaked", Look: "aws iam get-user-policy --user-name deploy --policy-name odd"}},
	}
	plan := response.Plan{ID: "id", Hash: "0d6b", Expires: off, Keys: []response.Key{key}, Refused: []response.Refusal{
		{KeyID: "ID", Gate: response.GateManual, Why: "it cannot be shut off by anything that stanch does, for a reason of many words", Do: Manual(response.GateRoot, &finding.Finding{})},
		{KeyID: "ID", Gate: response.GateManual, Why: "short", Do: Manual(response.GateManual, &finding.Finding{})},
	}}
	outcomes := []response.Outcome{
		{Key: key, Result: response.Contained, Off: off, Until: off, Status: response.Inactive, Left: key.Left, Why: []string{key.Left[0].Why}},
		{Key: key, Result: response.Contained, Until: off, Managed: key.Steps[1:2]},
		{Key: key, Result: response.Unconfirmed, Closed: true},
	}
	write := func(width int) string {
		var b strings.Builder
		p := &Page{W: &b, Width: width}
		flags := Flags{Accounts: []string{"111122223333"}, Role: "stanch-respond"}
		for _, err := range []error{
			p.WritePlan(plan, "my plan.json", flags), p.ShowPlan(plan, "/home/ada/Library/Application Support/stanch/plan.json"),
			p.WriteOutcomes(outcomes, "my plan.json", plan, flags), p.Ask("To shut it off, type the account and the last four characters of the key id:"),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		return b.String()
	}
	wide := write(0)
	for _, width := range []int{40, 60, 80, 120} {
		narrow := write(width)
		if !slices.Equal(strings.Fields(wide), strings.Fields(narrow)) {
			t.Errorf("%d: the words differ", width)
		}
		for line := range strings.Lines(narrow) {
			line = strings.TrimSuffix(line, "\n")
			text := strings.TrimSpace(line)
			if strings.HasPrefix(line, "  ") && len(line) > len(fieldIndent) && line[len(fieldIndent)-1] == ' ' {
				text = strings.TrimSpace(line[len(fieldIndent):])
			}
			command := text
			if !strings.HasPrefix(text, "/") {
				_, command = cutCommand(text)
			}
			switch {
			case command == text && command != "":
				if !strings.Contains(wide, command+"\n") {
					t.Errorf("%d: not the whole command: %q", width, line)
				}
			case utf8.RuneCountInString(line) > width && strings.Contains(text, " "):
				t.Errorf("%d: %d columns: %q", width, utf8.RuneCountInString(line), line)
			}
		}
	}
}

package markdown

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/report/internal/reporttest"
	"github.com/stanch-dev/stanch/scanner/report/internal/wording"
	"github.com/stanch-dev/stanch/verifier"
)

// TestMarkdownLimit: the report fits a comment of GitHub, and says how many findings it leaves
// out. The live one can be read without unfolding, and each fold is closed.
func TestMarkdownLimit(t *testing.T) {
	var b strings.Builder
	reporttest.Many(t, New(&b, wording.Reading{}), 20_000)
	s := b.String()
	if len(s) > 60_000 || len(s) < maxMarkdown/2 {
		t.Errorf("%d bytes", len(s))
	}
	listed := strings.Count(s, "\n#### ")
	if want := fmt.Sprintf("**%s not listed here**", printable.Plural(20_000-listed, "more finding")); !strings.Contains(s, want) {
		t.Errorf("it lists %d and ends with %s, want %s", listed, s[len(s)-200:], want)
	}
	head, _, _ := strings.Cut(s, "<details>")
	if strings.Count(head, "\n#### ") != open || !strings.Contains(head, "\n#### LIVE KEY19999 ") || len(strings.Split(head, "\n")) > 40 {
		t.Errorf("it begins with %s", head)
	}
	if strings.Count(s, "<details>") != 1 || strings.Count(s, "</details>") != 1 {
		t.Errorf("folds that are not closed: %s", s[len(s)-300:])
	}
}

// TestLongTexts: a path of thousands of characters, and hundreds of things that were not
// read, leave room for findings.
func TestLongTexts(t *testing.T) {
	var b strings.Builder
	h := New(&b, wording.Reading{})
	f := reporttest.Reported("r", "KEY", "x", verifier.Live)
	f.Locations = slices.Repeat([]finding.Location{{Kind: finding.KindBlob, Path: strings.Repeat("`ü/", 4000)}}, 5)
	unread := slices.Repeat([]finding.Unread{{What: strings.Repeat("a/", 9000), Why: strings.Repeat("y_", 9000)}}, 300)
	_ = h.Scan(finding.Scan{})
	_ = h.Finding(f)
	_ = h.Summary(finding.Summary{Unread: unread})
	if s := b.String(); len(s) > 60_000 || !strings.Contains(s, "\n#### LIVE KEY\n") || !strings.Contains(s, "280 more") {
		t.Errorf("%d bytes: %.2000s", len(s), s)
	}
}

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"plain text, 1":            "plain text, 1",
		"a/b-c.txt:1 (line 2)":     "a/b-c.txt:1 (line 2)",
		"at 23:00, not again: x:1": "at 23:00, not again: x:1",
		"@ada #1":                  "`@ada #1`",
		"ada@example.com":          "`ada@example.com`",
		"[x](y)|`<b>`":             "`` [x](y)|`<b>` ``",
		"`` ` ":                    "``` `` `  ```",
		"https://a.b":              "`https://a.b`",
		"WWW.a.b":                  "`WWW.a.b`",
		"a:x:b":                    "`a:x:b`",
		"fix gh-12":                "`fix gh-12`",
		"$x$ ~y~ _z_":              "`$x$ ~y~ _z_`",
		"a\nb":                     "`\"a\\nb\"`",
	} {
		if got := text(in); got != want {
			t.Errorf("text(%q) = %q, want %q", in, got, want)
		}
	}
}

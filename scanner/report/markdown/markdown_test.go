package markdown

import (
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/report/internal/reporttest"
	"github.com/stanch-dev/stanch/scanner/report/internal/wording"
)

// TestMarkdownLimit: the summary stays below the size that GitHub drops as a whole.
func TestMarkdownLimit(t *testing.T) {
	var b strings.Builder
	reporttest.Many(t, New(&b, wording.Reading{}), 20_000)
	if b.Len() > 1<<20 || b.Len() < maxMarkdown/2 {
		t.Errorf("%d bytes", b.Len())
	}
	if !strings.Contains(b.String(), "more findings** not listed here") || !strings.Contains(b.String()[:1000], "LIVE") {
		t.Errorf("it begins with %s and ends with %s", b.String()[:500], b.String()[b.Len()-200:])
	}
}

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"plain text, 1": "plain text, 1",
		"@ada #1":       "&#64;ada &#35;1",
		"[x](y)|`<b>`":  "&#91;x&#93;&#40;y&#41;&#124;&#96;&#60;b&#62;&#96;",
		"https://a.b":   "https&#58;&#47;&#47;a&#46;b",
		"a\nb":          "&#34;a&#92;nb&#34;",
	} {
		if got := escape(in); got != want {
			t.Errorf("escape(%q) = %q, want %q", in, got, want)
		}
	}
}

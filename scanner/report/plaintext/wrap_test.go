package plaintext

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		line  string
		width int
		want  []string
	}{
		{"nothing is wrapped without a terminal of a known width", 0, []string{"nothing is wrapped without a terminal of a known width"}},
		{"a terminal of a few columns wraps for itself", narrowest - 1, []string{"a terminal of a few columns wraps for itself"}},
		{"exactly twenty-four wide", 24, []string{"exactly twenty-four wide"}},
		{"exactly twenty-four wide and more", 24, []string{"exactly twenty-four wide", "and more"}},
		{"app.env:2 (secret on line 3)  commit 0d6b", 28, []string{"app.env:2 (secret on line 3)", "commit 0d6b"}},
		{"arn:aws:iam::111122223333:user/ci/deploy stays", 24, []string{"arn:aws:iam::111122223333:user/ci/deploy", "stays"}},
		{"arn:aws:iam::111122223333:user/ci/deploy", 24, []string{"arn:aws:iam::111122223333:user/ci/deploy"}},
		{"  caf\u00e9s are counted in characters", 24, []string{"  caf\u00e9s are counted in", "characters"}},
	} {
		if got := wrap(tt.line, tt.width); !slices.Equal(got, tt.want) {
			t.Errorf("%q at %d: %q, want %q", tt.line, tt.width, got, tt.want)
		}
	}
}

// TestNarrow: at 40 columns only commands, words and the lines that are pasted are longer, and no
// word is lost.
func TestNarrow(t *testing.T) {
	wide, narrow := string(write(t, "several", Options{})), string(write(t, "several", Options{Width: 40}))
	if !slices.Equal(strings.Fields(strings.ReplaceAll(wide, " · ", " ")), strings.Fields(strings.ReplaceAll(narrow, " · ", " "))) {
		t.Error("the words differ")
	}
	for line := range strings.Lines(narrow) {
		line = strings.TrimSuffix(line, "\n")
		if !strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "  fingerprint ") || utf8.RuneCountInString(line) <= 40 {
			continue
		}
		text := strings.TrimSpace(line[2+labelWidth:])
		if strings.Contains(text, " ") && !strings.HasPrefix(text, "stanch ") && !strings.HasPrefix(text, "aws ") {
			t.Errorf("%d columns: %q", utf8.RuneCountInString(line), line)
		}
	}
	for _, command := range []string{"stanch respond plan", "aws iam update-access-key", "aws cloudtrail lookup-events"} {
		for line := range strings.Lines(wide) {
			if strings.Contains(line, command) && !strings.Contains(narrow, line) {
				t.Errorf("not in the narrow report: %q", line)
			}
		}
	}
}

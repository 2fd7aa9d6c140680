package plaintext

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestNarrow: at 40 columns only commands and single words are longer, and no word is lost.
func TestNarrow(t *testing.T) {
	wide, narrow := string(write(t, "several", Options{})), string(write(t, "several", Options{Width: 40}))
	if !slices.Equal(strings.Fields(strings.ReplaceAll(wide, " · ", " ")), strings.Fields(strings.ReplaceAll(narrow, " · ", " "))) {
		t.Error("the words differ")
	}
	for line := range strings.Lines(narrow) {
		line = strings.TrimSuffix(line, "\n")
		if utf8.RuneCountInString(line) <= 40 {
			continue
		}
		text := strings.TrimSpace(line[min(2+labelWidth, len(line)):])
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

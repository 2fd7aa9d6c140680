package printable_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/printable"
)

func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		line  string
		width int
		want  []string
	}{
		{"nothing is wrapped without a terminal of a known width", 0, []string{"nothing is wrapped without a terminal of a known width"}},
		{"a terminal of a few columns wraps for itself", 23, []string{"a terminal of a few columns wraps for itself"}},
		{"exactly twenty-four wide", 24, []string{"exactly twenty-four wide"}},
		{"exactly twenty-four wide and more", 24, []string{"exactly twenty-four wide", "and more"}},
		{"app.env:2 (secret on line 3)  commit 0d6b", 28, []string{"app.env:2 (secret on line 3)", "commit 0d6b"}},
		{"arn:aws:iam::111122223333:user/ci/deploy stays", 24, []string{"arn:aws:iam::111122223333:user/ci/deploy", "stays"}},
		{"arn:aws:iam::111122223333:user/ci/deploy", 24, []string{"arn:aws:iam::111122223333:user/ci/deploy"}},
		{"  caf\u00e9s are counted in characters", 24, []string{"  caf\u00e9s are counted in", "characters"}},
	} {
		if got := printable.Wrap(tt.line, tt.width); !slices.Equal(got, tt.want) {
			t.Errorf("%q at %d: %q, want %q", tt.line, tt.width, got, tt.want)
		}
	}
}

// TestWrapIsLinear: a line of 4 MB, which a stranger may have written, keeps nobody waiting.
func TestWrapIsLinear(t *testing.T) {
	line, began := strings.Repeat("a b ", 1<<20), time.Now()
	if rows := printable.Wrap(line, 40); len(rows) < 1<<16 || time.Since(began) > 5*time.Second {
		t.Errorf("%d rows in %v", len(rows), time.Since(began))
	}
}

package pairing

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// TestDepthIsBounded: comparing the places of two values takes no more steps in a text
// that is deeply nested.
func TestDepthIsBounded(t *testing.T) {
	deep := ""
	for i := range 10 * maxDepth {
		deep += strings.Repeat(" ", i) + "a:\n"
	}
	deep += strings.Repeat(" ", 10*maxDepth) + strings.Repeat("{", 10*maxDepth)
	c := newLayoutCursor([]byte(deep + detectorstest.Fill("{AKIA1}")))
	v := Value{Span: detectors.Span{Start: len(deep), End: len(deep) + keyformat.IDLen}}
	if c.setPlace(&v); v.block.depth >= 2*maxDepth {
		t.Errorf("%d blocks around one value", v.block.depth)
	}
}

// TestBeginsStanza compares beginsStanza with a look at all of the line.
func TestBeginsStanza(t *testing.T) {
	slow := func(text []byte) bool {
		line, _, _ := bytes.Cut(text[:min(len(text), 256)], []byte{'\n'})
		line = bytes.TrimSpace(line)
		return len(line) == 0 || line[0] == '[' && line[len(line)-1] == ']' || line[0] == '{' || line[0] == '}'
	}
	parts := []string{" ", "\t", "\r", "\n", "[", "]", "{", "}", "a", "Z9", "=", "\u00a0", "é", strings.Repeat(" ", 254)}
	r := rand.New(rand.NewPCG(1, 19))
	for range 20_000 {
		text := ""
		for range r.IntN(6) {
			text += parts[r.IntN(len(parts))]
		}
		if got, want := beginsStanza([]byte(text)), slow([]byte(text)); got != want {
			t.Fatalf("%q: %v, want %v", text, got, want)
		}
	}
}

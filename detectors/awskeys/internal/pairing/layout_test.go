package pairing

import (
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

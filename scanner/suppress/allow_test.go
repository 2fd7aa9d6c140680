package suppress_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors/rules"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/suppress"
)

// TestAllowAsksForThePathOnce: it takes system calls, and a file may have many entries.
func TestAllowAsksForThePathOnce(t *testing.T) {
	own, err := rules.ReadOwn("x.toml", []byte(strings.Repeat("[[allow]]\nreason = 'demo'\npaths = ['''^none/''']\n", 3)), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	f := found()
	suppress.Allow(own, func(l *finding.Location) string { asked++; return path(l) }, now, nil)(f, &f.Locations[0])
	if asked != 1 {
		t.Errorf("it was asked for %d times", asked)
	}
}

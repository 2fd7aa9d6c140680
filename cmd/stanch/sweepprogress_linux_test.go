//go:build sweep

package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// TestSweepProgressAtTerminal: while the keys of a repository are verified, the line of a sweep
// says how many AWS has been asked about, and of how many.
func TestSweepProgressAtTerminal(t *testing.T) {
	r := newTerminalRun(t, 0)
	o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
	var script strings.Builder
	for i := range uint64(60) {
		fmt.Fprintf(&script, "echo 'aws_access_key_id = %s\naws_secret_access_key = %s' >f%d\n", detectorstest.KeyID("AKIA", detectorstest.Account, i+100), detectorstest.SecretKey(i+100), i)
	}
	o.repo(t, "a", "", script.String()+"commit 1")
	o.add(t)
	out := r.run(100, "./stanch sweep --database-url "+o.database+" run --no-cache --sts-endpoint $STS")
	said := regexp.MustCompile(`\x1b\[K0 of 1 repositories done · asking AWS: (\d+) of 60 keys( · \d+ s left)? · 0 findings open`).FindAllStringSubmatch(out, -1)
	last := -1
	for _, m := range said {
		if n, err := strconv.Atoi(m[1]); err != nil || n < last {
			t.Errorf("it counts %s after %d", m[1], last)
		} else {
			last = n
		}
	}
	if len(said) < 2 || last < 20 {
		t.Errorf("the line was drawn %d times, up to %d keys:\n%q", len(said), last, out)
	}
	if code, _, _ := o.stanch(t, "report"); code != cli.ExitLeaks {
		t.Errorf("the sweep has found nothing: %d", code)
	}
}

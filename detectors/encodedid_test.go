package detectors_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// TestWrappedIDs holds that an id in base64 is found wherever a line break cuts it, at each
// offset in a line and in each alignment.
func TestWrappedIDs(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	for seed, width := range []int{40, 41, 60, 63, 64, 76, 120} {
		id := detectorstest.KeyID("AKIA", detectorstest.Account, uint64(seed))
		for before := range width {
			encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("y", 70+before) + "\n" + id + "\nand the rest of the text"))
			for _, end := range []string{"\n", "\r\n", "\n      ", `\n`, `\r\n`} {
				text := "key: " + end + strings.ReplaceAll(wrapped(encoded, width), "\n", end)
				if !set.MayMatch([]byte(text)) {
					t.Errorf("width %d, %d before, %q: the prefilter rules out %s", width, before, end, text)
				}
				if found := set.Detect(nil, []byte(text)); len(found) != 1 || found[0].Credential.ID != id {
					t.Errorf("width %d, %d before, %q: found %v in %s", width, before, end, described(found), text)
				}
				// A piece that holds a window holds the reason.
				found := false
				for at := 0; at < len(text); at += 50 {
					found = found || set.MayMatch([]byte(text[at:min(len(text), at+50+set.Window())]))
				}
				if !found {
					t.Errorf("width %d, %d before, %q: ruled out in pieces", width, before, end)
				}
			}
		}
	}
}

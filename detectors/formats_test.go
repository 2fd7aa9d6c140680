package detectors_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// TestFormats finds keys in the ways in which people write them down: the pair, and
// nothing else.
func TestFormats(t *testing.T) {
	formats, err := txtar.ParseFile("testdata/formats.txtar")
	if err != nil {
		t.Fatal(err)
	}
	set := detectors.NewSet(awskeys.Detector{})
	for _, f := range formats.Files {
		for seed := range uint64(4) {
			id, secret := detectorstest.KeyID("AKIA", detectorstest.Account, seed), detectorstest.SecretKey(seed)
			text := strings.NewReplacer("{id}", id, "{secret}", secret).Replace(string(f.Data))
			var got []string
			for _, m := range set.Detect(nil, []byte(text)) {
				got = append(got, fmt.Sprint(m.Credential.ID, m.Credential.Secret.Reveal()))
			}
			if len(got) != 1 || got[0] != id+secret {
				t.Errorf("%s: found %q in %q", f.Name, got, text)
			}
		}
	}
}

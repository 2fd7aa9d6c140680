package detectors_test

import (
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// TestWholeSecretPasses holds that the prefilter lets each file pass that holds a secret
// alone, though the secret has no name, and that all of such a file is in one window.
func TestWholeSecretPasses(t *testing.T) {
	const maxWhole = 104
	set := detectors.NewSet(awskeys.Detector{})
	r := rand.New(rand.NewPCG(1, 7))
	space := func() string { return strings.Repeat([]string{" ", "\n", "\r\n", "\t"}[r.IntN(4)], r.IntN(4)) }
	found := 0
	for seed := range uint64(3000) {
		text := space() + detectorstest.SecretKey(seed) + space()
		if r.IntN(4) == 0 {
			k := r.IntN(len(text))
			text = text[:k] + []string{"=", "x", "\n", "/", ""}[r.IntN(5)] + text[k:]
		}
		switch r.IntN(4) {
		case 0:
			text = base64.StdEncoding.EncodeToString([]byte(text)) + space()
		case 1:
			text = base64.RawURLEncoding.EncodeToString([]byte(text))
		case 2:
			text = "\xff\xfe" + encodeUTF16(text, false, "")
		}
		mayMatch, mayMatchNear := set.MayMatch([]byte(text)), set.MayMatchNear([]byte(text))
		matches := awskeys.Detector{}.Detect(nil, []byte(text))
		for _, v := range set.SearchViews([]byte(text)) {
			matches = append(matches, v.Matches...)
		}
		for _, m := range matches {
			if m.NameAt == nil || len(text) > maxWhole {
				continue
			}
			found++
			if !mayMatch || !mayMatchNear || maxWhole > (awskeys.Detector{}).Window() {
				t.Errorf("%q: the prefilter says %v and %v", text, mayMatch, mayMatchNear)
			}
		}
	}
	if found < 1500 {
		t.Errorf("only %d secrets were found", found)
	}
}

// TestWholeSecretIsLocal: bytes before or behind the secret decide whether it is all of the
// text. Where they go, the ends of the text are new, and the prefilter sees it.
func TestWholeSecretIsLocal(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	for _, more := range []string{"x ", "id: 1\n", "="} {
		text := more + detectorstest.Fill("{secret1}")
		if set.MayMatchNear([]byte(text)) || !set.MayMatchNear([]byte(text[len(more):])) {
			t.Errorf("%q", text)
		}
	}
}

package detectors_test

import (
	"encoding/base64"
	"encoding/hex"
	"maps"
	"math/rand/v2"
	"slices"
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
	for seed, width := range []int{46, 47, 60, 63, 64, 76, 120} {
		id := detectorstest.KeyID("AKIA", detectorstest.Account, uint64(seed))
		for before := range width {
			encoded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("y", 70+before) + "\n" + id + "\nand the rest of the text"))
			for _, end := range []string{"\n", "\r\n", "\n      "} {
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

// layers are the encodings that may be around each other.
func layers() map[string]func(string) string {
	return map[string]func(string) string{
		"base64":    func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"base64url": func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
		"hex":       func(s string) string { return hex.EncodeToString([]byte(s)) },
		"HEX":       func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
		"utf16le":   func(s string) string { return encodeUTF16(s, false, "") },
		"utf16be":   func(s string) string { return encodeUTF16(s, true, "\xfe\xff") },
		"wrapped":   func(s string) string { return wrapped(base64.StdEncoding.EncodeToString([]byte(s)), 76) },
		"pem":       func(s string) string { return wrapped(base64.StdEncoding.EncodeToString([]byte(s)), 64) },
	}
}

// nested returns an id in depth encodings, each with text around it or without, and the
// names of the encodings. The id alone takes at most 72 bytes in them. UTF-16 of UTF-16 is left out: it is UTF-32.
func nested(r *rand.Rand, id string, depth int) (text, names string) {
	all := layers()
	list := slices.Sorted(maps.Keys(all))
	text = id
	alone := id
	for last := ""; depth > 0; depth-- {
		name := list[r.IntN(len(list))]
		for strings.HasPrefix(last, "utf16") && strings.HasPrefix(name, "utf16") {
			name = list[r.IntN(len(list))]
		}
		if alone = all[name](alone); len(alone) > 72 {
			break
		}
		last, names = name, names+" "+name
		if r.IntN(2) == 0 {
			text = strings.Repeat("y", r.IntN(90)) + []string{" ", "\n", ": ", "=", `":"`}[r.IntN(5)] + text + []string{"\n", " ", `"}`, ";\nz: 1"}[r.IntN(4)]
		}
		text = all[name](text)
	}
	return text, names
}

// TestNestedIDs holds that an id within several encodings is found, whatever stands around
// it in each, in the whole text and in one of its pieces.
func TestNestedIDs(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	r := rand.New(rand.NewPCG(1, 14))
	const tries = 6000
	shown := 0
	for seed := range uint64(tries) {
		id := detectorstest.KeyID("AKIA", detectorstest.Account, seed)
		inner, names := nested(r, id, 1+r.IntN(3))
		text := []byte(filler(r, r.IntN(99)) + " " + inner + "\n")
		if !slices.ContainsFunc(set.DetectAll(text), func(m detectors.Match) bool { return m.Credential.ID == id }) {
			continue // no view shows it
		}
		shown++
		if !set.MayMatch(text) {
			t.Errorf("%s: the prefilter rules out %q", names, text)
			continue
		}
		found, step := false, 1+r.IntN(100)
		for at := 0; at < len(text) && !found; at += step {
			found = set.MayMatch(text[at:min(len(text), at+step+set.Window())])
		}
		if !found {
			t.Errorf("%s: the prefilter rules out all pieces of %q", names, text)
		}
	}
	if shown < tries*8/10 {
		t.Errorf("the views show only %d ids of %d", shown, tries)
	}
}

// FuzzNestedID draws ids in encodings, as TestNestedIDs, between fuzzed texts.
func FuzzNestedID(f *testing.F) {
	f.Add(uint64(1), uint8(2), "x: ", "\n")
	f.Add(uint64(2), uint8(3), "\x00", "\x00\x00")
	f.Add(uint64(3), uint8(1), "QUFB", "=")
	set := detectors.NewSet(awskeys.Detector{})
	f.Fuzz(func(t *testing.T, seed uint64, depth uint8, before, after string) {
		r := rand.New(rand.NewPCG(seed, 15))
		id := detectorstest.KeyID("AKIA", detectorstest.Account, seed)
		inner, names := nested(r, id, 1+int(depth%3))
		text := []byte(before + inner + after)
		if !set.MayMatch(text) && slices.ContainsFunc(set.DetectAll(text), func(m detectors.Match) bool { return m.Credential.ID == id }) {
			t.Errorf("%s: the prefilter rules out %q", names, text)
		}
	})
}

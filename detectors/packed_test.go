package detectors_test

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/detectors/internal/views"
)

// packings are the formats that are read in base64.
func packings() map[string]func(string) string {
	forms := map[string]func(string) string{
		"gzip": gzipped,
		"zip":  func(s string) string { return zipped("config/credentials", s) },
		"zip_stored": func(s string) string {
			var b strings.Builder
			w := zip.NewWriter(&b)
			f, err := w.CreateRaw(&zip.FileHeader{Name: "x", CompressedSize64: uint64(len(s)), UncompressedSize64: uint64(len(s))})
			if err == nil {
				_, err = f.Write([]byte(s))
			}
			if err := errors.Join(err, w.Close()); err != nil {
				panic(err)
			}
			return b.String()
		},
	}
	for level := zlib.DefaultCompression; level <= zlib.BestCompression; level++ {
		forms[fmt.Sprint("zlib_", level)] = func(s string) string { return deflated(s, level) }
	}
	return forms
}

// TestPackedIDs holds that an id in packed data in base64 is found however the base64 is
// written, in the whole text and in one of its pieces.
func TestPackedIDs(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	writings := map[string]func(r *rand.Rand, s string) string{
		"plain": func(_ *rand.Rand, s string) string { return " " + b64(s) + "\n" },
		"url": func(_ *rand.Rand, s string) string {
			return "." + base64.RawURLEncoding.EncodeToString([]byte(s)) + "."
		},
		"glued":   func(r *rand.Rand, s string) string { return "ab/"[r.IntN(4):] + b64(s) + "\n" },
		"wrapped": func(r *rand.Rand, s string) string { return wrap(b64(s), 60+r.IntN(17), "  "[r.IntN(3):]) },
		"lines": func(r *rand.Rand, s string) string {
			return "\"" + strings.ReplaceAll(wrap(b64(s), 60+r.IntN(17), ""), "\n", `\n`) + "\""
		},
		"json": func(_ *rand.Rand, s string) string { return `"\n` + strings.ReplaceAll(b64(s), "/", `\/`) + `"` },
		"percent": func(_ *rand.Rand, s string) string {
			return "%3D" + strings.NewReplacer("/", "%2F", "+", "%2B", "=", "%3D").Replace(b64(s)) + "&"
		},
		"utf16": func(_ *rand.Rand, s string) string { return encodeUTF16(" "+b64(s)+"\n", false, "") },
		"twice": func(_ *rand.Rand, s string) string { return " " + b64("x: "+b64(s)+"\n") + "\n" },
		"three": func(_ *rand.Rand, s string) string { return " " + b64(b64(b64(s))) + "\n" },
	}
	forms := packings()
	r := rand.New(rand.NewPCG(1, 26))
	for seed := range uint64(12) {
		id := detectorstest.KeyID("AKIA", detectorstest.Account, seed)
		key := "aws_access_key_id = " + id + "\naws_secret_access_key = " + detectorstest.SecretKey(seed) + "\n" + strings.Repeat("region = us-east-1\n", r.IntN(9))
		for _, form := range slices.Sorted(maps.Keys(forms)) {
			for _, writing := range slices.Sorted(maps.Keys(writings)) {
				text := []byte(filler(r, r.IntN(200)) + " \n" + writings[writing](r, forms[form](key)) + " " + filler(r, r.IntN(200)))
				if !slices.ContainsFunc(set.Detect(nil, text), func(m detectors.Match) bool { return m.Credential.ID == id }) {
					t.Errorf("%s, %s: nothing found in %q", form, writing, text)
					continue
				}
				found, step := false, 1+r.IntN(100)
				for at := 0; at < len(text) && !found; at += step {
					found = set.MayMatch(text[at:min(len(text), at+step+set.Window())])
				}
				if !found {
					t.Errorf("%s, %s: the prefilter rules out all pieces of %q", form, writing, text)
				}
			}
		}
	}
}

// TestNotPacked holds that names and other data that begin like packed data pass the
// prefilter hardly ever.
func TestNotPacked(t *testing.T) {
	packed := detectors.NewSet(awskeys.Detector{}).Parts()["packed"]
	r := rand.New(rand.NewPCG(1, 27))
	passed := 0
	for range 20_000 {
		data := make([]byte, 60+r.IntN(60))
		for i := range data {
			data[i] = byte(r.UintN(256))
		}
		copy(data, "\x78\x9c")
		if packed([]byte(" " + base64.StdEncoding.EncodeToString(data) + "\n")) {
			passed++
		}
	}
	if passed > 400 {
		t.Errorf("%d of 20,000 random texts pass", passed)
	}
	for _, text := range []string{
		"eJwName", strings.Repeat("eNo", 40) + "\n", "/resources/typeNode/typeNodeName/typeNodeNames/typeNodeNamesOfAll/eNodes\n",
		"UEsDBA==", "eJw" + strings.Repeat("/", 90), "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
	} {
		if packed([]byte(text)) {
			t.Errorf("%q passes", text)
		}
	}
}

// TestBadPacked holds that packed data that was made to break programs costs little time and
// memory.
func TestBadPacked(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	b64 := base64.StdEncoding.EncodeToString
	pairs := func(n int) (files []string) {
		for i := range n {
			files = append(files, fmt.Sprint(i), detectorstest.Fill("{AKIA1} {secret1}\n"))
		}
		return files
	}
	nested := zipped("credentials", detectorstest.Fill("{AKIA1} {secret1}\n"))
	for range 50 {
		nested = zipped("in.zip", nested)
	}
	bomb := strings.Repeat("a", 48<<20)
	headers := strings.Repeat("PK\x03\x04\x14\x00\x00\x00\x08\x00"+strings.Repeat("\x00", 20)+strings.Repeat("\x00\x00\x00\xff\xff", 20), 20_000)
	for _, tt := range []struct {
		name, packed string
		found        bool
	}{
		{"zlib_bomb", deflated(bomb, 9), false},
		{"zip_bomb", zipped("a", bomb), false},
		{"zip_of_bombs", strings.Repeat(zipped("a", bomb[:1<<20]), 100), false},
		{"zip_of_zeros", zipped("a", strings.Repeat("\x00", 48<<20)), false},
		{"zip_of_many_files", zipped(pairs(10_000)...), true},
		{"zip_nested", nested, false},
		{"zip_of_headers", headers, false},
		{"zip_of_magic", strings.Repeat("PK\x03\x04", 1_000_000), false},
		{"zlib_magic", strings.Repeat("\x78\x9c", 1_000_000), false},
		{"zip_cut", zipped(pairs(10)...)[:300], true},
		{"zip_without_a_file", zipped()[:22] + strings.Repeat("\x00", 60), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := bytes.Join([][]byte{[]byte("x"), []byte(b64([]byte(tt.packed))), nil}, []byte("\n"))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			found := set.DetectAll(text)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if got := len(found) > 0; got != tt.found {
				t.Errorf("found %d", len(found))
			}
			// A view of MaxUnpacked bytes is searched, and grows by doubling.
			if got := after.TotalAlloc - before.TotalAlloc; got > 16*views.MaxUnpacked {
				t.Errorf("allocated %d MB in all", got>>20)
			}
			if took > 20*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

package detectors_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

type benchText struct{ name, unit string }

// benchTexts are ordinary text and texts made to be slow.
func benchTexts() []benchText {
	id, pair := detectorstest.Fill("{AKIA1}"), detectorstest.Fill("id={AKIA1} secret={secret1}")
	return []benchText{
		{"prose", "the quick brown fox jumps over the lazy dog\n"},
		{"code", "\tif err != nil { return fmt.Errorf(\"reading %s: %w\", name, err) }\n"},
		{"the_word_secret", "the client_secret is \\n read from %s\n"},
		{"upper_case_A", "AAAAAAAA"},
		{"id_lines", id + "\n"},
		{"pair_lines", pair + "\n"},
		{"pairs_on_one_line", pair + " "},
		{"secrets_on_one_line", detectorstest.Fill("secret={secret1} ")},
		{"percent", "%41%4B%49%41"},
		{"escapes_that_do_not_merge", `\n%41 AKIA`},
		{"base64_lines", base64.StdEncoding.EncodeToString([]byte(id)) + "\n"},
		{"base64_on_one_line", "QUtJQQ"},
		{"utf16", "A\x00K\x00I\x00A\x00"},
		{"token_heads", id + " IQoJ"},
		{"path_of_ids", id + "/"},
	}
}

// BenchmarkDetect runs on texts of two sizes: the rate must not fall with the
// size.
func BenchmarkDetect(b *testing.B) {
	set := detectors.NewSet(awskeys.Detector{})
	for _, bb := range benchTexts() {
		for _, size := range []int{1 << 18, 1 << 20} {
			text := []byte(strings.Repeat(bb.unit, size/len(bb.unit)))
			b.Run(fmt.Sprintf("%s/%dK", bb.name, size>>10), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					set.Detect(nil, text)
				}
			})
		}
	}
}

// BenchmarkMayMatch runs on texts that the prefilter has to read to their end, and on
// the blobs of the repository that STANCH_REPO names.
func BenchmarkMayMatch(b *testing.B) {
	set := detectors.NewSet(awskeys.Detector{})
	for _, bb := range append(benchTexts(),
		benchText{"upper_case", "THE_QUICK_BROWN_FOX = JUMPSOVERTHELAZYDOG\n"},
		benchText{"base64", strings.ReplaceAll(detectorstest.Fill("{token1}{token2}"), "IQoJ", "IQoI")},
		benchText{"entities", "caf&#233; &amp;&#47;&nbsp;"},
		benchText{"unicode", `\u00e9\u00e8\u00ea`},
		benchText{"nul", "\x00\x00\x00\x00"},
	) {
		text := bytes.Repeat([]byte(bb.unit), 1<<18/len(bb.unit))
		b.Run(bb.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				set.MayMatch(text)
			}
		})
	}
	blobs, size := repoBlobs(b, 200<<20)
	b.Run("repository", func(b *testing.B) {
		if size == 0 {
			b.Skip("STANCH_REPO is not set")
		}
		b.SetBytes(int64(size))
		var flagged, bytes int
		for b.Loop() {
			flagged, bytes = 0, 0
			for _, blob := range blobs {
				if set.MayMatch(blob) {
					flagged, bytes = flagged+1, bytes+len(blob)
				}
			}
		}
		b.ReportMetric(100*float64(flagged)/float64(len(blobs)), "%blobs")
		b.ReportMetric(100*float64(bytes)/float64(size), "%bytes")
	})
}

// BenchmarkViews runs the parts of the prefilter, and the decoders, on the blobs
// of the repository that STANCH_REPO names.
func BenchmarkViews(b *testing.B) {
	blobs, size := repoBlobs(b, 100<<20)
	if size == 0 {
		b.Skip("STANCH_REPO is not set")
	}
	run := func(kind string, parts map[string]func([]byte) bool) {
		for _, name := range slices.Sorted(maps.Keys(parts)) {
			b.Run(kind+"/"+name, func(b *testing.B) {
				b.SetBytes(int64(size))
				flagged := 0
				for b.Loop() {
					flagged = 0
					for _, blob := range blobs {
						if parts[name](blob) {
							flagged++
						}
					}
				}
				b.ReportMetric(100*float64(flagged)/float64(len(blobs)), "%blobs")
			})
		}
	}
	run("prefilter", detectors.NewSet(awskeys.Detector{}).Parts())
	run("view", detectors.Views())
}

// BenchmarkNewSet measures what every start of the program costs.
func BenchmarkNewSet(b *testing.B) {
	for b.Loop() {
		detectors.NewSet(awskeys.Detector{})
	}
}

// repoBlobs reads blobs of most bytes in all from the repository that STANCH_REPO
// names, in the order of their hashes: a sample of its whole history.
func repoBlobs(b *testing.B, most int) (blobs [][]byte, size int) {
	b.Helper()
	repo := os.Getenv("STANCH_REPO")
	if repo == "" {
		return nil, 0
	}
	cmd := exec.Command("git", "-C", repo, "cat-file", "--batch", "--batch-all-objects", "--buffer")
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	for r := bufio.NewReaderSize(out, 1<<20); size < most; {
		header, err := r.ReadString('\n')
		if err == io.EOF {
			break
		}
		f := strings.Fields(header)
		if err != nil || len(f) != 3 {
			b.Fatalf("git cat-file: %q, %v", header, err)
		}
		n, _ := strconv.Atoi(f[2])
		blob := make([]byte, n+1)
		if _, err := io.ReadFull(r, blob); err != nil {
			b.Fatal(err)
		}
		if f[1] == "blob" {
			blobs, size = append(blobs, blob[:n:n]), size+n
		}
	}
	return blobs, size
}

package detectors_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// BenchmarkDetect runs on ordinary text and on texts made to be slow. Each comes
// in two sizes: the rate must not fall with the size.
func BenchmarkDetect(b *testing.B) {
	set := detectors.NewSet(awskeys.Detector{})
	id, pair := detectorstest.Fill("{AKIA1}"), detectorstest.Fill("id={AKIA1} secret={secret1}")
	for _, bb := range []struct{ name, unit string }{
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
	} {
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

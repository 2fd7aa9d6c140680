package detectors_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// BenchmarkBadInput has texts of n parts and of 2n, with a key in them. The time and the
// memory for each byte stay the same if both are linear.
func BenchmarkBadInput(b *testing.B) {
	set := detectors.NewSet(awskeys.Detector{})
	key := detectorstest.Fill("{AKIA1}\",\"{secret1}")
	for _, kind := range []struct {
		name string
		n    int
		make func(n int) string
	}{
		{"nested", 10_000, func(n int) string { return strings.Repeat(`{"a":`, n) + `["` + key + `"]` + strings.Repeat("}", n) }},
		{"nested_lines", 10_000, func(n int) string {
			return strings.Repeat("{\"value\":\n", n) + `["` + key + `"]` + strings.Repeat("\n}", n)
		}},
		{"columns", 10_000, func(n int) string {
			return strings.Repeat("secret_key,", n) + "\n" + strings.Repeat(`"`+key+`",`, n/100) + strings.Repeat("x,", n)
		}},
		{"name", 1 << 20, func(n int) string { return strings.Repeat("n", n) + `_secret_key = "` + key + `"` }},
		{"providers", 10_000, func(n int) string { return strings.Repeat("provider = AWS\nendpoint: s3.example.com\n", n) + key }},
		{"ids", 10_000, func(n int) string { return strings.Repeat("?AWSAccessKeyId="+key+"&Expires=1&Signature=abcdefgh\n", n) }},
		{"escapes", 100_000, func(n int) string { return strings.Repeat(`\\\"`, n) + key }},
	} {
		for _, n := range []int{kind.n, 2 * kind.n} {
			text := []byte(kind.make(n))
			b.Run(fmt.Sprintf("%s/%d", kind.name, n), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					set.Detect(nil, text)
				}
			})
		}
	}
}

package prefilter

import (
	"bytes"

	"github.com/stanch-dev/stanch/detectors/internal/encodings"
)

// gzipMark is the beginning of gzip in base64. The bytes behind it are usually zero, which
// is how New recognises gzip that is encoded twice.
const gzipMark = "H4sI"

// gzipWindow bounds the first characters of gzip in base64, escapes and line breaks
// included.
const gzipWindow = 2 * encodings.MinGzip / 3 * 4

// HasGzip reports whether text may hold gzip in base64 of more than a few words.
func (*Filter) HasGzip(text []byte) bool { return hasGzip(text, encodings.MinGzip/3*4) }

// hasGzip reports whether text has the mark of gzip with chars characters of base64.
func hasGzip(text []byte, chars int) bool {
	for i := 0; ; {
		k := bytes.Index(text[i:], []byte(gzipMark))
		if k < 0 {
			return false
		}
		i += k
		n := 0
		for j := i; j < min(len(text), i+gzipWindow) && n < chars; j++ {
			switch j = encodings.SkipLineBreak(text, j); {
			case j == len(text):
			case encodings.Base64Set[text[j]]:
				n++
			case !encodings.EscapeStarts[text[j]]:
				j = len(text)
			}
		}
		if n == chars {
			return true
		}
		i += len(gzipMark)
	}
}

package prefilter

import (
	"bytes"

	"github.com/stanch-dev/stanch/detectors/internal/encodings"
)

// gzipMark is what gzip begins with in base64; few of its next bytes are ever
// other than zero if it is encoded once more.
const gzipMark = "H4sI"

// gzipWindow bounds the first characters of gzip in base64, some of which may be
// escapes or line breaks.
const gzipWindow = 2 * encodings.MinGzip / 3 * 4

// HasGzip reports whether text may hold gzip in base64 of more than a few words.
func (*Filter) HasGzip(text []byte) bool {
	for i := 0; ; {
		k := bytes.Index(text[i:], []byte(gzipMark))
		if k < 0 {
			return false
		}
		i += k
		n := 0
		for j := i; j < min(len(text), i+gzipWindow) && n < encodings.MinGzip/3*4; j++ {
			switch j = encodings.SkipLineBreak(text, j); {
			case j == len(text):
			case encodings.Base64Set[text[j]]:
				n++
			case !encodings.EscapeStarts[text[j]]:
				j = len(text)
			}
		}
		if n == encodings.MinGzip/3*4 {
			return true
		}
		i += len(gzipMark)
	}
}

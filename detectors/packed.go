package detectors

import "bytes"

// gzipMark is what gzip begins with in base64; few of its next bytes are ever
// other than zero if it is encoded once more.
const gzipMark = "H4sI"

// gzipWindow bounds the first characters of gzip in base64, some of which may be
// escapes or line breaks.
const gzipWindow = 2 * minGzip / 3 * 4

// HasGzip reports whether text may hold gzip in base64 of more than a few words.
func (*Filter) HasGzip(text []byte) bool {
	for i := 0; ; {
		k := bytes.Index(text[i:], []byte(gzipMark))
		if k < 0 {
			return false
		}
		i += k
		n := 0
		for j := i; j < min(len(text), i+gzipWindow) && n < minGzip/3*4; j++ {
			switch j = skipLineBreak(text, j); {
			case j == len(text):
			case base64Set[text[j]]:
				n++
			case !escapeStarts[text[j]]:
				j = len(text)
			}
		}
		if n == minGzip/3*4 {
			return true
		}
		i += len(gzipMark)
	}
}

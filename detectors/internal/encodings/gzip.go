package encodings

import "bytes"

// MinGzip is the least length of gzip with an id in it: 18 bytes of header and trailer,
// and the id, which is random but for its prefix. Shorter gzip is an example in a manual.
const MinGzip = 36

// IsGzip reports whether b begins like a gzip file (RFC 1952): the magic number, the
// method deflate, and no reserved flag.
func IsGzip(b []byte) bool {
	return len(b) >= MinGzip && bytes.HasPrefix(b, GzipMagic) && b[3]&0xe0 == 0
}

// GzipMagic is the magic number of gzip and the method deflate.
var GzipMagic = []byte{0x1f, 0x8b, 8}

package encodings

import "bytes"

// MinGzip is what gzip of an id has at least: 18 bytes of header and trailer, and an
// id, which is random but for its prefix. What is shorter are the examples of manuals.
const MinGzip = 36

// IsGzip reports whether b begins like a file in gzip (RFC 1952): its magic
// number, deflate, and no reserved flag.
func IsGzip(b []byte) bool {
	return len(b) >= MinGzip && bytes.HasPrefix(b, GzipMagic) && b[3]&0xe0 == 0
}

var GzipMagic = []byte{0x1f, 0x8b, 8}

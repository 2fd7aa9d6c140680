package detectors

import "bytes"

// minGzip is what gzip of an id has at least: 18 bytes of header and trailer, and an
// id, which is random but for its prefix. What is shorter are the examples of manuals.
const minGzip = 36

// isGzip reports whether b begins like a file in gzip (RFC 1952): its magic
// number, deflate, and no reserved flag.
func isGzip(b []byte) bool {
	return len(b) >= minGzip && bytes.HasPrefix(b, gzipMagic) && b[3]&0xe0 == 0
}

var gzipMagic = []byte{0x1f, 0x8b, 8}

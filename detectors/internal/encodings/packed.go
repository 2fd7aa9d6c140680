package encodings

import "bytes"

// MinPacked is the least length of packed data that is read. An id and its secret, which are
// random, take more; shorter data is an example in a manual.
const MinPacked = 48

// A Packing is a format of compressed data that is read within base64.
type Packing int

const (
	NotPacked Packing = iota
	Gzip              // RFC 1952
	Zlib              // RFC 1950
	Zip               // APPNOTE.TXT of PKWARE
)

// PackedHead is the number of bytes that tell whether data is packed.
const PackedHead = 12

// PackingOf returns the format of the data that begins with head. If head is shorter than
// PackedHead, but at least three bytes, it goes by what is there.
func PackingOf(head []byte) Packing {
	switch {
	case len(head) >= PackedHead && IsText(head[:PackedHead]): // "x^" begins text as well as zlib
	case bytes.HasPrefix(head, gzipMagic) && (len(head) < 4 || head[3]&0xe0 == 0): // no reserved flag
		return Gzip
	case bytes.HasPrefix(head, ZipMagic[:min(len(head), len(ZipMagic))]):
		return Zip
	case head[0] == zlibWindow && (int(head[0])<<8|int(head[1]))%31 == 0 && head[1]&0x20 == 0: // no dictionary
		return Zlib
	}
	return NotPacked
}

var (
	// gzipMagic is the magic number of gzip and the method deflate.
	gzipMagic = []byte{0x1f, 0x8b, 8}
	// ZipMagic begins the header of each file in a zip.
	ZipMagic = []byte("PK\x03\x04")
)

// zlibWindow is the method deflate and a window of 32 KiB, which is the largest. All
// languages choose it unless told otherwise.
const zlibWindow = 0x78

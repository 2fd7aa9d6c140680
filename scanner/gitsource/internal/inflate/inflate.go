// Package inflate decompresses zlib streams (RFC 1950, RFC 1951) that lie whole
// in memory and whose size is known: the entries of git packs. compress/zlib
// reads byte by byte through an interface and keeps a window of its own; for
// entries of a few hundred bytes that costs more than the decoding.
//
// The scheme is libdeflate's: 8 bytes of input at a time in a bit buffer, one table lookup
// for most symbols, entries that hold base and extra bits, and matches copied within the
// output.
package inflate

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// How a stream can be damaged. Errors of a Decoder wrap exactly one of these.
var (
	ErrCorrupt   = errors.New("inflate: corrupt stream")
	ErrTruncated = errors.New("inflate: stream ends early")
	ErrSize      = errors.New("inflate: stream of another size")
	ErrChecksum  = errors.New("inflate: wrong checksum")
)

var (
	errHeader    = fmt.Errorf("%w: header", ErrCorrupt)
	errDict      = fmt.Errorf("%w: preset dictionary", ErrCorrupt)
	errBlockType = fmt.Errorf("%w: type of block", ErrCorrupt)
	errStored    = fmt.Errorf("%w: length of stored block", ErrCorrupt)
	errNumCodes  = fmt.Errorf("%w: number of codes", ErrCorrupt)
	errLengths   = fmt.Errorf("%w: code lengths", ErrCorrupt)
	errCode      = fmt.Errorf("%w: no such code", ErrCorrupt)
	errSymbol    = fmt.Errorf("%w: no such symbol", ErrCorrupt)
	errDistance  = fmt.Errorf("%w: distance too far back", ErrCorrupt)
	errLonger    = fmt.Errorf("%w: longer", ErrSize)
	errShorter   = fmt.Errorf("%w: shorter", ErrSize)
)

// A Decoder inflates one stream after the other. The zero value works. It holds
// 16 KiB of tables, so it is made to be kept, and nothing of the caller's between
// calls. It is not for concurrent use.
type Decoder struct {
	// Verify makes Zlib check the Adler-32 checksum of each stream. Without it, the four
	// bytes may have any value, but must be there.
	Verify bool

	in       bitReader
	hasFixed bool
	fixed    tables                // of RFC 1951, 3.2.6; built when first met
	dynamic  tables                // of the block at hand
	pre      [1 << preBits]uint32  // of the code lengths
	sorted   [maxLitLen + 2]uint32 // entries, while build works
	lengths  [maxCodes + 1]uint16  // one more: see readLengths
}

// Zlib inflates the zlib stream that src begins with into dst, whose length is the size that
// the stream must have, and returns how many bytes of src the stream takes, checksum included.
// Bytes after the stream are not looked at, but some should be there: the last 8 bytes of src
// take a slower way.
//
// An error wraps ErrCorrupt, ErrTruncated, ErrSize or ErrChecksum; then n is 0 and the content
// of dst is undefined. Streams with a preset dictionary are corrupt.
func (d *Decoder) Zlib(dst, src []byte) (n int, err error) {
	if err := header(src); err != nil {
		return 0, err
	}
	size, err := d.inflate(dst, src)
	end := d.in.offset()
	d.in.release()
	switch {
	case err != nil:
		return 0, err
	case size != len(dst):
		return 0, errShorter
	case len(src)-end < 4:
		return 0, ErrTruncated
	case d.Verify && binary.BigEndian.Uint32(src[end:]) != adler32(dst):
		return 0, ErrChecksum
	}
	return end + 4, nil
}

// Head inflates the first bytes of the zlib stream that src begins with, as many
// as dst has room for, and returns how many it wrote: fewer than len(dst) only
// if the stream ends, or with an error. It reads little more of src than it needs,
// so it does not judge the rest of the stream, nor its checksum.
func (d *Decoder) Head(dst, src []byte) (n int, err error) {
	if err := header(src); err != nil {
		return 0, err
	}
	n, err = d.inflate(dst, src)
	d.in.release()
	if n == len(dst) {
		return n, nil // bytes after the last one asked for do not count
	}
	return n, err
}

// header checks CMF and FLG (RFC 1950, 2.2).
func header(src []byte) error {
	if len(src) < 2 {
		return ErrTruncated
	}
	cmf, flg := src[0], src[1]
	if cmf&15 != 8 || cmf>>4 > 7 || (uint(cmf)<<8|uint(flg))%31 != 0 {
		return errHeader
	}
	if flg&0x20 != 0 {
		return errDict
	}
	return nil
}

// inflate decodes the blocks after the two bytes of header. It stops with
// errLonger as soon as a byte has no room in dst, and then dst is full.
func (d *Decoder) inflate(dst, src []byte) (n int, err error) {
	d.in.reset(src, 2)
	for final := false; !final && err == nil; {
		d.in.refill()
		kind := d.in.take(3)
		final = kind&1 != 0
		switch kind >> 1 {
		case 0:
			n, err = d.stored(dst, n)
		case 1:
			n, err = d.block(d.fixedTables(), dst, n)
		case 2:
			if err = d.readTables(); err == nil {
				n, err = d.block(&d.dynamic, dst, n)
			}
		default:
			err = errBlockType
		}
	}
	// Zeros stand in for the bytes behind src, and decode to anything.
	if d.in.offset() > len(src) {
		return n, ErrTruncated
	}
	return n, err
}

// stored copies a block that is not compressed (RFC 1951, 3.2.4) to dst[n:], and
// returns how much of dst is filled then.
func (d *Decoder) stored(dst []byte, n int) (int, error) {
	src, at := d.in.whole, d.in.offset()
	if at+4 > len(src) {
		return n, ErrTruncated
	}
	size := int(binary.LittleEndian.Uint16(src[at:]))
	if size^0xffff != int(binary.LittleEndian.Uint16(src[at+2:])) {
		return n, errStored
	}
	at += 4
	there := src[at:min(at+size, len(src))]
	copied := copy(dst[n:], there)
	n += copied
	switch {
	case len(there) < size:
		return n, ErrTruncated
	case copied < size:
		return n, errLonger
	}
	d.in.reset(src, at+size)
	return n, nil
}

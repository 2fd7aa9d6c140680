package pack

import "github.com/stanch-dev/stanch/scanner/gitsource/internal/inflate"

// An entry is the header of an object in a pack (gitformat-pack(5), "pack-*.pack files have
// the following format").
type entry struct {
	typ    Type
	size   int64 // inflated; of a delta, that of its instructions
	base   int64 // ofsDelta: offset of the base
	baseID []byte
	stream int64 // offset of the zlib stream
}

// fits reports whether e is no larger than limit. The instructions of a delta may be
// somewhat larger, since the object that they make has another size.
func (e entry) fits(limit int64) bool {
	if e.typ == ofsDelta || e.typ == refDelta {
		limit = max(limit, 1<<20)
	}
	return e.size <= limit
}

// No zlib stream inflates to more than 1,032 times its size: a length and a distance code of
// one bit each yield 258 bytes (RFC 1951). A larger claim is refused before memory is made for
// it.
const maxRatio = 1032

// entry reads the header at off.
func (p *Pack) entry(off int64) (e entry, err error) {
	if off < headerSize || off >= p.end {
		return e, damaged("offset %d is outside of the pack", off)
	}
	if e, err = readEntry(p.file.data[off:p.end], off, p.hash); err != nil {
		return e, err
	}
	if e.size > (p.end-e.stream)*maxRatio {
		return e, damaged("entry at offset %d claims %d bytes, which the rest of the pack cannot hold", off, e.size)
	}
	return e, nil
}

// readEntry reads the header that data begins with, which lies at off in a pack.
func readEntry(data []byte, off int64, hash int) (e entry, err error) {
	if len(data) == 0 {
		return e, damaged("entry at offset %d is cut off", off)
	}
	c, at := data[0], 1
	e.typ, e.size = Type(c>>4&7), int64(c&15)
	for shift := 4; c >= 0x80; shift += 7 {
		if at == len(data) || shift > 53 {
			return e, damaged("size at offset %d has no end", off)
		}
		c = data[at]
		e.size |= int64(c&0x7f) << shift
		at++
	}
	switch e.typ {
	case Commit, Tree, Blob, Tag:
	case ofsDelta:
		e.base, at = ofsBase(data, off, at)
		if at < 0 || e.base < headerSize || e.base >= off {
			return e, damaged("delta at offset %d has no base before it", off)
		}
	case refDelta:
		if at+hash > len(data) {
			return e, damaged("entry at offset %d is cut off", off)
		}
		e.baseID = data[at : at+hash]
		at += hash
	default:
		return e, damaged("entry at offset %d is of the unknown type %d", off, e.typ)
	}
	e.stream = off + int64(at)
	return e, nil
}

// ofsBase reads from data[at:] the distance of a delta at off to its base: 7 bits a byte, the
// highest first, with one added at each byte but the last. next is -1 if it has no end.
func ofsBase(data []byte, off int64, at int) (base int64, next int) {
	for distance, i := int64(0), 0; i < 9 && at < len(data); i++ {
		c := data[at]
		at++
		distance |= int64(c & 0x7f)
		if c < 0x80 {
			return off - distance, at
		}
		distance = (distance + 1) << 7
	}
	return 0, -1
}

// inflate inflates the stream of e to dst, which has its size, and returns how many bytes
// the stream takes. It does not check that the stream ends before the next entry: only the
// index says where that begins, and the index may say anything.
func (p *Pack) inflate(d *inflate.Decoder, dst []byte, e entry) (int, error) {
	n, err := d.Zlib(dst, p.file.data[e.stream:])
	if err != nil {
		return n, damaged("stream at offset %d: %v", e.stream, err)
	}
	return n, nil
}

package reftable

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/inflate"
)

// ErrDamaged is wrapped by all errors about the content of a table.
var ErrDamaged = errors.New("damaged")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

// The kinds of blocks, as the first byte of one names them. Indexes, and the maps from objects
// to refs ('o'), repeat what the others say.
const (
	refBlocks   = 'r'
	logBlocks   = 'g'
	indexBlocks = 'i'
)

// A table is a file in the format of a reftable:
//
//	header | ref blocks | their index | object blocks, index | log blocks, index | footer
//
// The header counts as part of the first block, whatever that is. A large index has several
// levels: the footer has the position of the highest, and the others lie before it.
type table struct {
	data      []byte // up to the footer
	header    int    // its size
	idSize    int    // of an object, in bytes
	blockSize int    // to which blocks are padded; 0 if they are not
	refs      section
	logs      section
	inflater  *inflate.Decoder
}

// A section is where the blocks of a kind are.
type section struct {
	kind     byte
	from, to int
}

// parse reads the header and the footer of a table. Only the footer has a checksum.
func parse(data []byte, idSize int) (*table, error) {
	if len(data) < 5 || string(data[:4]) != "REFT" {
		return nil, damaged("not a reftable")
	}
	t := &table{header: 24, idSize: idSize, inflater: &inflate.Decoder{Verify: true}}
	footerSize := 68
	switch data[4] {
	case 1:
	case 2:
		t.header, footerSize = 28, 72
	default:
		return nil, fmt.Errorf("reftable of version %d, which is not known", data[4])
	}
	end := len(data) - footerSize
	if end < t.header {
		return nil, damaged("cut off after %d bytes", len(data))
	}
	footer := data[end:]
	sum := footer[footerSize-4:]
	if crc32.ChecksumIEEE(footer[:footerSize-4]) != binary.BigEndian.Uint32(sum) {
		return nil, damaged("checksum of the footer")
	}
	if !bytes.Equal(footer[:t.header], data[:t.header]) {
		return nil, damaged("header and footer differ")
	}
	format := "sha1"
	if data[4] == 2 {
		format = string(data[24:28])
	}
	if size := map[string]int{"sha1": 20, "s256": 32}[format]; size != idSize {
		return nil, fmt.Errorf("ids of format %q, and not those of this repository", format)
	}
	t.data, t.blockSize = data[:end], int(uint24(data[5:]))
	return t, t.findSections(footer[t.header:])
}

// findSections finds the blocks of refs and logs from the positions in the footer: of the
// index of refs, of the objects (shifted by 5 bits) and their index, of the logs and their
// index. 0 says that there are none, or that they come first in the file.
func (t *table) findSections(footer []byte) error {
	end := uint64(len(t.data))
	at := make([]uint64, 5)
	for i := range at {
		at[i] = binary.BigEndian.Uint64(footer[8*i:])
	}
	at[1] >>= 5
	for _, pos := range at {
		if pos > end {
			return damaged("a position is behind the end")
		}
	}
	next := func(from uint64) int { // where the section that begins at from ends
		to := end
		for _, pos := range at {
			if pos > from {
				to = min(to, pos)
			}
		}
		return int(to)
	}
	logs := at[3]
	switch {
	case t.header == len(t.data): // empty
	case logs == 0 && t.data[t.header] == logBlocks:
		t.logs = section{logBlocks, 0, next(0)}
	default:
		t.refs = section{refBlocks, 0, next(0)}
		if logs > 0 {
			t.logs = section{logBlocks, int(logs), next(logs)}
		}
	}
	return nil
}

// A block holds records, which are sorted by key. After them comes a list of restarts: the
// offsets of records that have their whole key, in three bytes each, and how many there are
// in two.
type block struct {
	data     []byte // the records
	at       int    // where the first is, as restarts count
	restarts []byte
	next     int // where the next block is in the file
}

// readBlock reads the block of a section at pos: kind, length (of logs: inflated), content.
func (t *table) readBlock(s section, pos int) (block, error) {
	start := pos
	if pos == 0 {
		start = t.header
	}
	if s.to-start < 4 {
		return block{}, damaged("block at %d: cut off", pos)
	}
	size, content := int(uint24(t.data[start+1:])), t.data[start+4:s.to]
	b := block{at: start + 4 - pos}
	size -= b.at
	switch {
	case t.data[start] != s.kind:
		return block{}, damaged("block at %d: it is of another kind", pos)
	case size < 5 || s.kind != logBlocks && size > len(content):
		return block{}, damaged("block at %d: its length is wrong", pos)
	case s.kind == logBlocks:
		inflated := make([]byte, size)
		n, err := t.inflater.Zlib(inflated, content)
		if err != nil {
			return block{}, damaged("block at %d: %v", pos, err)
		}
		content, b.next = inflated, start+4+n
	default:
		b.next = start + 4 + size
		// Where blocks are padded, a zero follows: no kind of a block.
		if padded := pos + t.blockSize; b.next < padded && b.next < s.to && t.data[b.next] == 0 {
			b.next = min(padded, s.to)
		}
		content = content[:size]
	}
	count := int(binary.BigEndian.Uint16(content[size-2:]))
	records := size - 2 - 3*count
	if count == 0 || records <= 0 {
		return block{}, damaged("block at %d: its list of restarts is wrong", pos)
	}
	b.data, b.restarts = content[:records], content[records:size-2]
	return b, nil
}

// A record is a key with its value, which is as long as the rest of the block at most. Both
// are valid until the next one is read.
type record struct {
	key   []byte
	kind  byte // of the value: 3 bits
	value *reader
}

// read calls yield with each record of a section, in order. It goes on after a damaged
// block, if it knows where the next one is, and returns what it could not read.
func (t *table) read(s section, yield func(record) error) (errs []error) {
	var key []byte
	for pos := s.from; pos < s.to; {
		if pos > s.from && t.isIndex(s, pos) {
			return errs
		}
		b, err := t.readBlock(s, pos)
		if err == nil {
			key, err = t.readRecords(b, key, yield)
			if err != nil {
				err = fmt.Errorf("block at %d: %w", pos, err)
			}
		} else if b.next = 0; s.kind == refBlocks && t.blockSize > 0 {
			b.next = pos + t.blockSize
		}
		if err != nil {
			errs, key = append(errs, err), nil // it may be far from what it was
		}
		if b.next <= pos || len(errs) >= maxErrors {
			return errs
		}
		pos = b.next
	}
	return errs
}

// isIndex reports whether all blocks of a section from pos on are those of an index. A block of
// refs or logs whose kind is damaged is none: its records do not lead to blocks before it.
func (t *table) isIndex(s section, pos int) bool {
	s.kind = indexBlocks
	for pos < s.to {
		b, err := t.readBlock(s, pos)
		if err == nil {
			_, err = t.readRecords(b, nil, func(r record) error {
				if r.kind != 0 || r.value.varint() >= uint64(pos) {
					return damaged("a record of an index")
				}
				return nil
			})
		}
		if err != nil || b.next <= pos {
			return false
		}
		pos = b.next
	}
	return true
}

// maxErrors is how many damaged blocks of a table are named.
const maxErrors = 10

// readRecords calls yield with each record of a block. last is the key of the record before,
// and key that of the last one read.
func (t *table) readRecords(b block, last []byte, yield func(record) error) (key []byte, err error) {
	key = last
	r := &reader{data: b.data}
	for first := true; len(r.data) > 0; first = false {
		at := b.at + len(b.data) - len(r.data)
		prefix, suffix := r.varint(), r.varint()
		rest := r.bytes(suffix >> 3)
		isRestart := len(b.restarts) > 0 && int(uint24(b.restarts)) == at
		switch {
		case r.bad:
			return key, damaged("a record is cut off")
		case prefix > uint64(len(key)) || (first || isRestart) && prefix > 0, first && !isRestart:
			return key, damaged("a key is not whole")
		case bytes.Compare(rest, key[prefix:]) <= 0:
			return key, damaged("the keys are not in order")
		case prefix+uint64(len(rest)) > maxKey:
			return key, damaged("a key of %d bytes", prefix+uint64(len(rest)))
		}
		if isRestart {
			b.restarts = b.restarts[3:]
		}
		key = append(key[:prefix], rest...)
		if err := yield(record{key, byte(suffix & 7), r}); err != nil {
			return key, err
		}
		if r.bad {
			return key, damaged("a record is cut off")
		}
	}
	if len(b.restarts) > 0 {
		return key, damaged("its list of restarts is wrong")
	}
	return key, nil
}

// maxKey is the size of the longest key. git refuses names of refs that are longer than the
// paths of files.
const maxKey = 64 << 10

// A reader takes values off a text. After the first that is not there, bad is set and all
// others are zero.
type reader struct {
	data []byte
	bad  bool
}

func (r *reader) bytes(n uint64) []byte {
	if r.bad || n > uint64(len(r.data)) {
		r.bad, r.data = true, nil
		return nil
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

// varint reads a number of seven bits a byte, as the offsets in packs.
func (r *reader) varint() (n uint64) {
	for i := 0; ; i++ {
		b := r.bytes(1)
		if r.bad || i > 9 {
			r.bad = true
			return 0
		}
		n |= uint64(b[0] & 0x7f)
		if b[0] < 0x80 {
			return n
		}
		n = (n + 1) << 7
	}
}

// text reads a length and as many bytes.
func (r *reader) text() []byte { return r.bytes(r.varint()) }

func uint24(b []byte) uint32 { return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]) }

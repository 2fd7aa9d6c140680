package pack

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/inflate"
)

// scan makes the index of a pack that has none: it inflates the entries one after the other,
// since only the end of one tells where the next begins, and then computes the ids. Objects
// after an entry that cannot be inflated are lost; the error says where that was, and the pack
// is usable as far as it goes.
func (p *Pack) scan() error {
	offsets, lost := p.scanOffsets()
	found, order, err := p.identify(offsets)
	if err != nil {
		p.index = &Index{hash: p.hash}
		return errors.Join(lost, err)
	}
	p.index = newIndex(found, order, offsets)
	p.replant(nil)
	if left := len(offsets) - len(order); left > 0 && (lost == nil || errors.Is(lost, ErrCutOff)) {
		lost = unidentified(left, len(offsets))
	}
	return lost
}

func unidentified(left, of int) error {
	return damaged("%d of %d objects have no base, or are deltas of more than %d MiB", left, of, held>>20)
}

// scanOffsets returns where the entries begin.
func (p *Pack) scanOffsets() (offsets []int64, err error) {
	defer recoverFault(&err)()
	var d inflate.Decoder
	var room []byte
	n := int(uint32(p.file.data[8])<<24 | uint32(p.file.data[9])<<16 | uint32(p.file.data[10])<<8 | uint32(p.file.data[11]))
	at := int64(headerSize)
	for i := range n {
		e, err := p.entry(at)
		if err != nil && p.end < int64(len(p.file.data)) { // a pack that was cut off has no trailer
			p.end = int64(len(p.file.data))
			e, err = p.entry(at)
		}
		size := 0
		switch {
		case err != nil:
		case e.size > held:
			size, err = p.skip(e)
		default:
			if int64(cap(room)) < e.size {
				room = make([]byte, e.size)
			}
			size, err = p.inflate(&d, room[:e.size], e)
		}
		if err != nil {
			if err = fmt.Errorf("object %d of %d and all after it: %w", i+1, n, err); p.endsIn(at) {
				err = cutOff{err}
			}
			return offsets, err
		}
		offsets = append(offsets, at)
		at = e.stream + int64(size)
	}
	switch end := int64(len(p.file.data) - p.hash); {
	case at > end:
		return offsets, cutOff{damaged("the pack was cut off after object %d of %d", n, n)}
	case at < end:
		return offsets, damaged("%d bytes after the last of %d objects", end-at, n)
	}
	return offsets, nil
}

// endsIn reports whether the file ends in the entry at the offset, as far as that can
// be read, or before it.
func (p *Pack) endsIn(at int64) bool {
	data := p.file.data[at:]
	size := slices.IndexFunc(data, func(c byte) bool { return c < 0x80 }) + 1
	if size == 0 {
		return len(data) < binary.MaxVarintLen64
	}
	switch typ := Type(data[0] >> 4 & 7); typ {
	case Commit, Tree, Blob, Tag:
	case ofsDelta:
		base := slices.IndexFunc(data[size:], func(c byte) bool { return c < 0x80 }) + 1
		if base == 0 {
			return len(data)-size < binary.MaxVarintLen64
		}
		size += base
	case refDelta:
		size += p.hash
	default:
		return false
	}
	if size >= len(data) {
		return true
	}
	stream, err := zlib.NewReader(bytes.NewReader(data[size:]))
	if err == nil {
		_, err = io.Copy(io.Discard, stream)
	}
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

// held is how large an object is that scan holds in memory.
const held = 64 << 20

// skip is inflate for an object that is too large to be held.
func (p *Pack) skip(e entry) (size int, err error) {
	rest := bytes.NewReader(p.file.data[e.stream:])
	stream, err := zlib.NewReader(rest)
	if err == nil {
		var n int64
		if n, err = io.Copy(io.Discard, io.LimitReader(stream, e.size+1)); err == nil && n != e.size {
			err = errors.New("not of its size")
		}
	}
	if err != nil {
		return 0, damaged("stream at offset %d: %v", e.stream, err)
	}
	return int(rest.Size()) - rest.Len(), nil
}

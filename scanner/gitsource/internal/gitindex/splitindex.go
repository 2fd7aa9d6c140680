package gitindex

import (
	"encoding/binary"
	"slices"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// A link says which entries an index takes from the shared one that it is based on ("Split
// index" in gitformat-index(5)).
type link struct {
	base              pack.ID // of the file sharedindex.<id>
	deleted, replaced []bool  // entries of the shared index
}

func parseLink(data []byte, hash int) (*link, error) {
	if len(data) < hash {
		return nil, badIndex("the link to the shared index is cut off")
	}
	l, rest := &link{base: pack.ID(data[:hash])}, data[hash:]
	if len(rest) == 0 { // of old versions of git: all are taken
		return l, nil
	}
	var ok bool
	if l.deleted, rest, ok = parseEWAH(rest); ok {
		l.replaced, _, ok = parseEWAH(rest)
	}
	if !ok {
		return nil, badIndex("a bitmap of the shared index")
	}
	return l, nil
}

// join returns the entries of shared that are not deleted, and own, of which the
// first, without names, replace entries of shared in turn.
func (l *link) join(shared, own []Entry) ([]Entry, error) {
	at := func(bits []bool, i int) bool { return i < len(bits) && bits[i] }
	all := make([]Entry, 0, len(shared)+len(own))
	for i, e := range shared {
		if at(l.replaced, i) {
			if len(own) == 0 || own[0].Path != "" {
				return nil, badIndex("an entry that replaces one of the shared index is missing")
			}
			path := e.Path
			e, own = own[0], own[1:]
			e.Path = path
		}
		if !at(l.deleted, i) {
			all = append(all, e)
		}
	}
	if len(own) > 0 && own[0].Path == "" {
		return nil, badIndex("an entry has no name")
	}
	all = append(all, own...)
	slices.SortFunc(all, compareStaged)
	return all, nil
}

// maxBits bounds a bitmap: a few bytes may claim any length.
const maxBits = 1 << 27

// parseEWAH reads a compressed bitmap, and returns the bytes after it (gitformat-bitmap(5),
// "Appendix A"): the number of bits, of 64-bit words, the words, and the position of the last
// marker. The lowest bit of a marker is a value, the next 32 bits say how many words of that
// value come, and the rest how many literal words after them.
func parseEWAH(data []byte) (bits []bool, rest []byte, ok bool) {
	if len(data) < 8 {
		return nil, nil, false
	}
	n, words := int(binary.BigEndian.Uint32(data)), int(binary.BigEndian.Uint32(data[4:]))
	if n > maxBits || len(data) < 8+8*words+4 {
		return nil, nil, false
	}
	rest = data[8+8*words+4:]
	data = data[8 : 8+8*words]
	bits = make([]bool, 0, n)
	for len(data) > 0 {
		marker := binary.BigEndian.Uint64(data)
		data = data[8:]
		equal, literal := marker>>1&0xffff_ffff, marker>>33
		if equal*64 > maxBits || literal*8 > uint64(len(data)) {
			return nil, nil, false
		}
		for range equal * 64 {
			bits = append(bits, marker&1 == 1)
		}
		for ; literal > 0; literal-- {
			word := binary.BigEndian.Uint64(data)
			data = data[8:]
			for i := range 64 {
				bits = append(bits, word>>i&1 == 1)
			}
		}
		if len(bits) > maxBits {
			return nil, nil, false
		}
	}
	return bits, rest, true
}

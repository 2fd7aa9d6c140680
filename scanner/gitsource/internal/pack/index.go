package pack

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/prefetch"
)

// An Index lists the objects of a pack by id (gitformat-pack(5), "Version 1" and
// "Version 2 pack-*.idx files"). It numbers them in this order. Concurrent calls
// are allowed.
type Index struct {
	file     *mapping // nil if the index was made from the pack
	hash     int      // bytes of an id
	n        int
	ids      []byte // the first id, then one each stride bytes
	stride   int
	offsets  []byte // 4 bytes each stride bytes
	offEvery int
	large    []byte   // 8 bytes each, version 2
	checksum []byte   // of the pack; nil if not known
	fan      []byte   // how many ids begin with this byte or a lower one, 4 bytes each
	table    []uint32 // nil unless prepared
	unsorted bool     // the ids are in the order of the pack, and not all are known
	shift    int
}

var indexMagic = []byte("\xfftOc")

// OpenIndex opens an index.
func OpenIndex(name string, hash int) (_ *Index, err error) {
	file, err := openMapping(name)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = file.close()
		}
	}()
	defer recoverFault(&err)()
	x := &Index{file: file, hash: hash}
	if err := x.parse(file.data); err != nil {
		return nil, err
	}
	return x, nil
}

func (x *Index) close() error { return x.file.close() }

const fanSize = 256 * 4

func (x *Index) parse(data []byte) error {
	version2 := bytes.HasPrefix(data, indexMagic)
	rest := data
	if version2 {
		if len(data) < 8 || binary.BigEndian.Uint32(data[4:]) != 2 {
			return damaged("version of the index is neither 1 nor 2")
		}
		rest = data[8:]
	}
	if len(rest) < fanSize+2*x.hash {
		return damaged("index is too short")
	}
	n, err := checkFan(rest[:fanSize])
	if err != nil {
		return err
	}
	x.fan = rest[:fanSize]
	x.checksum = rest[len(rest)-2*x.hash:][:x.hash]
	rest = rest[fanSize : len(rest)-2*x.hash]
	if version2 {
		return x.parse2(rest, n)
	}
	x.stride, x.offEvery = 4+x.hash, 4+x.hash
	if uint64(len(rest)) != uint64(n)*uint64(x.stride) {
		return damaged("index has %d bytes for %d objects", len(rest), n)
	}
	x.n, x.offsets = int(n), rest
	if n > 0 {
		x.ids = rest[4:]
	}
	return nil
}

func (x *Index) parse2(rest []byte, n uint32) error {
	fixed := uint64(n) * uint64(x.hash+8)
	if uint64(len(rest)) < fixed || (uint64(len(rest))-fixed)%8 != 0 {
		return damaged("index has %d bytes for %d objects", len(rest), n)
	}
	x.n, x.stride, x.offEvery = int(n), x.hash, 4
	x.ids = rest[:x.n*x.hash]
	x.offsets = rest[x.n*(x.hash+4) : fixed]
	x.large = rest[fixed:]
	return nil
}

// checkFan returns the number of objects, the last of 256 numbers that never fall.
func checkFan(fan []byte) (n uint32, err error) {
	for i := 0; i < fanSize; i += 4 {
		next := binary.BigEndian.Uint32(fan[i:])
		if next < n {
			return 0, damaged("index has a fan-out table that is not in order")
		}
		n = next
	}
	return n, nil
}

// buildTable makes a finer fan-out table, with a few objects to each entry: git's own table
// leaves a dozen steps of binary search, each of them a cache miss.
func (x *Index) buildTable() {
	width := min(max(bits.Len(uint(x.n))-2, 8), 22)
	x.shift = 32 - width
	x.table = make([]uint32, 1<<width+1)
	at := 0
	for i := range x.n {
		for p := int(binary.BigEndian.Uint32(x.raw(i)) >> x.shift); at <= p; at++ {
			x.table[at] = uint32(i)
		}
	}
	for ; at < len(x.table); at++ {
		x.table[at] = uint32(x.n)
	}
}

func (x *Index) raw(i int) []byte { return x.ids[i*x.stride:][:x.hash] }

// ID returns the id of object i.
func (x *Index) ID(i int) ID { return ID(x.raw(i)) }

// Offset returns where in the pack the index says that object i is. It may be
// anywhere.
func (x *Index) Offset(i int) int64 {
	off := binary.BigEndian.Uint32(x.offsets[i*x.offEvery:])
	if off>>31 == 0 || x.large == nil {
		return int64(off)
	}
	if k := int(off&(1<<31-1)) * 8; k+8 <= len(x.large) {
		return int64(binary.BigEndian.Uint64(x.large[k:]))
	}
	return -1
}

// Prepare makes Find faster, for callers that look for many ids. It must not run at the
// same time as Find.
func (x *Index) Prepare() {
	if x.table == nil && !x.unsorted {
		x.buildTable()
	}
}

// Find returns the number of the object with the id, or -1.
func (x *Index) Find(id []byte) int {
	if len(id) != x.hash || x.n == 0 || x.unsorted {
		return -1
	}
	lo, hi := 0, x.n
	if x.table != nil {
		p := binary.BigEndian.Uint32(id) >> x.shift
		lo, hi = int(x.table[p]), int(x.table[p+1])
	} else if x.fan != nil {
		hi = int(binary.BigEndian.Uint32(x.fan[4*int(id[0]):]))
		if id[0] > 0 {
			lo = int(binary.BigEndian.Uint32(x.fan[4*int(id[0])-4:]))
		}
	}
	for hi-lo > 4 { // of ids that are hashes, hardly ever
		if mid := int(uint(lo+hi) / 2); string(x.raw(mid)) <= string(id) {
			lo = mid
		} else {
			hi = mid
		}
	}
	for head := binary.BigEndian.Uint64(id); lo < hi; lo++ {
		if raw := x.raw(lo); binary.BigEndian.Uint64(raw) == head && string(raw) == string(id) {
			return lo
		}
	}
	return -1
}

// Prefetch has the processor load what Find compares id with. It is for callers with something
// to do before they look for id.
func (x *Index) Prefetch(id []byte) {
	if x.table != nil && len(id) == x.hash {
		first := x.table[binary.BigEndian.Uint32(id)>>x.shift]
		prefetch.Line(x.ids, int(first)*x.stride)
	}
}

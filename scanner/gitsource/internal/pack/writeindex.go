package pack

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"os"
	"slices"
)

// WriteIndex reads all objects of the pack at stem.pack, which has no index, and writes the
// one that git index-pack would write to stem.idx. It is an error if any object cannot be
// put together, and if there is more or less in the pack than it says; then there is no
// index. The caller has to check the checksum of the pack.
func WriteIndex(stem string, hash int) error {
	p, note, err := OpenAlone(stem+".pack", hash)
	if err != nil {
		return err
	}
	defer func() { _ = p.Close() }() // was only read
	if note != nil {
		return note
	}
	file, err := os.OpenFile(stem+".idx", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(p.writeIndex(file), file.Close()); err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// writeIndex writes version 2 (gitformat-pack(5)).
func (p *Pack) writeIndex(to io.Writer) (err error) {
	defer recoverFault(&err)()
	sum := newHash(p.hash)
	w := bufio.NewWriter(io.MultiWriter(to, sum)) // keeps the first error until Flush
	number := func(n uint32) { _, _ = w.Write(binary.BigEndian.AppendUint32(nil, n)) }
	_, _ = w.Write(indexMagic)
	number(2)
	for first, i := 0, 0; first < 256; first++ {
		for i < p.Len() && int(p.index.raw(i)[0]) <= first {
			i++
		}
		number(uint32(i))
	}
	for i := range p.Len() {
		_, _ = w.Write(p.index.raw(i))
	}
	crcs := p.crcs()
	for i := range p.Len() {
		number(crcs[p.index.Offset(i)])
	}
	var large []byte
	for i := range p.Len() {
		off := p.index.Offset(i)
		if off <= math.MaxInt32 {
			number(uint32(off))
			continue
		}
		number(1<<31 | uint32(len(large)/8))
		large = binary.BigEndian.AppendUint64(large, uint64(off))
	}
	_, _ = w.Write(large)
	_, _ = w.Write(p.file.data[p.end : p.end+int64(p.hash)])
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = to.Write(sum.Sum(nil))
	return err
}

// crcs returns the checksum of each entry as it lies in the pack, by its offset.
func (p *Pack) crcs() map[int64]uint32 {
	offsets := make([]int64, p.Len())
	for i := range offsets {
		offsets[i] = p.index.Offset(i)
	}
	slices.Sort(offsets)
	crcs := make(map[int64]uint32, len(offsets))
	for i, from := range offsets {
		to := p.end
		if i+1 < len(offsets) {
			to = offsets[i+1]
		}
		crcs[from] = crc32.ChecksumIEEE(p.file.data[from:to])
	}
	return crcs
}

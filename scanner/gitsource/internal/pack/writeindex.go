package pack

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
)

// WriteIndex reads all objects of a pack that Receive has seen, and writes the index that git
// index-pack would write beside it. It is an error if any object cannot be put together, and if
// there is more or less in the pack than it says; then there is no index.
func (got *Received) WriteIndex() error {
	if got.problem != nil {
		return got.problem
	}
	p, err := got.open()
	if err != nil {
		return err
	}
	defer func() { _ = p.Close() }() // was only read
	return Guard(func() error {
		found, order, err := p.identify(got.offsets)
		if err != nil {
			return err
		}
		return p.saveIndex(found, order)
	})
}

// open maps the pack, which has no index yet.
func (got *Received) open() (_ *Pack, err error) {
	p := &Pack{Name: filepath.Base(got.Stem), hash: len(got.Sum), index: &Index{}, stem: got.Stem}
	if p.file, err = openMapping(got.Stem + ".pack"); err != nil {
		return nil, err
	}
	defer recoverFault(&err)()
	if err := p.checkHeader(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// saveIndex writes the index of the entries in order, which must be all there are, to a file
// that must not be there yet.
func (p *Pack) saveIndex(found *ids, order []uint32) error {
	if left := len(p.forest.numbers) - len(order); left > 0 {
		return unidentified(left, len(p.forest.numbers))
	}
	file, err := os.OpenFile(p.stem+".idx", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(p.writeIndex(file, found, order), file.Close()); err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// writeIndex writes version 2 (gitformat-pack(5)).
func (p *Pack) writeIndex(to io.Writer, found *ids, order []uint32) (err error) {
	defer recoverFault(&err)()
	sum := newHash(p.hash)
	w := bufio.NewWriterSize(io.MultiWriter(to, sum), 1<<16) // keeps the first error until Flush
	number := func(n uint32) { _, _ = w.Write(binary.BigEndian.AppendUint32(w.AvailableBuffer(), n)) }
	_, _ = w.Write(indexMagic)
	number(2)
	for first, i := 0, 0; first < 256; first++ {
		for i < len(order) && int(found.of(int32(order[i]))[0]) <= first {
			i++
		}
		number(uint32(i))
	}
	for _, entry := range order {
		_, _ = w.Write(found.of(int32(entry)))
	}
	for _, entry := range order {
		number(crc32.ChecksumIEEE(p.file.data[p.forest.offsets[entry]:p.forest.offsets[entry+1]]))
	}
	var large []byte
	for _, entry := range order {
		off := p.forest.offsets[entry]
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

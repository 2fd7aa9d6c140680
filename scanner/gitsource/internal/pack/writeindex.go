package pack

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"path/filepath"
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
	return p.saveIndex(stem + ".idx")
}

// WriteIndex is the function of that name for a pack that Receive has seen, of which it need
// not look for the entries.
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
		left, err := p.identify(got.offsets)
		if err == nil && left > 0 {
			err = unidentified(left, len(got.offsets))
		}
		if err != nil {
			return err
		}
		return p.saveIndex(got.Stem + ".idx")
	})
}

// open maps the pack, which has no index yet.
func (got *Received) open() (_ *Pack, err error) {
	p := &Pack{Name: filepath.Base(got.Stem), hash: len(got.Sum), index: &Index{}, crcs: got.crcs, stem: got.Stem}
	if p.file, err = openMapping(got.Stem + ".pack"); err != nil {
		return nil, err
	}
	defer recoverFault(&err)()
	if err := p.checkHeader(); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// writeIndex writes version 2 (gitformat-pack(5)).
func (p *Pack) writeIndex(to io.Writer) (err error) {
	defer recoverFault(&err)()
	x := p.index
	sum := newHash(p.hash)
	w := bufio.NewWriterSize(io.MultiWriter(to, sum), 1<<16) // keeps the first error until Flush
	number := func(n uint32) { _, _ = w.Write(binary.BigEndian.AppendUint32(w.AvailableBuffer(), n)) }
	_, _ = w.Write(indexMagic)
	number(2)
	for first, i := 0, 0; first < 256; first++ {
		for i < x.n && int(x.raw(i)[0]) <= first {
			i++
		}
		number(uint32(i))
	}
	_, _ = w.Write(x.ids)
	for _, crc := range p.crcsByNumber() {
		number(crc)
	}
	_, _ = w.Write(x.offsets)
	_, _ = w.Write(x.large)
	_, _ = w.Write(p.file.data[p.end : p.end+int64(p.hash)])
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = to.Write(sum.Sum(nil))
	return err
}

// crcsByNumber returns the checksum of each entry as it lies in the pack, in the order of the
// index.
func (p *Pack) crcsByNumber() []uint32 {
	f := p.forest
	crcs := make([]uint32, len(f.numbers))
	for entry, number := range f.numbers {
		if p.crcs != nil {
			crcs[number] = p.crcs[entry]
		} else {
			crcs[number] = crc32.ChecksumIEEE(p.file.data[f.offsets[entry]:f.offsets[entry+1]])
		}
	}
	return crcs
}

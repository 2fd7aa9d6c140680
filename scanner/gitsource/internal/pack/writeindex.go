package pack

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"
)

// WriteIndex reads all objects of the pack at stem.pack, which has no index, and writes the
// one that git index-pack would write to stem.idx. It is an error if any object cannot be
// put together, and if there is more or less in the pack than it says; then there is no
// index.
//
// got is the outcome of Receive, or nil if the pack came otherwise. Without it, WriteIndex
// inflates each entry once more, and the caller has to check the checksum of the pack.
func WriteIndex(stem string, hash int, got *Received) error {
	p, err := openReceived(stem+".pack", hash, got)
	if err != nil {
		return err
	}
	defer func() { _ = p.Close() }() // was only read
	file, err := os.OpenFile(stem+".idx", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(p.writeIndex(file, got), file.Close()); err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// openReceived opens a pack and makes its index.
func openReceived(file string, hash int, got *Received) (_ *Pack, err error) {
	if got == nil {
		p, note, err := OpenAlone(file, hash)
		if err == nil && note != nil {
			return nil, errors.Join(note, p.Close())
		}
		return p, err
	}
	if got.problem != nil {
		return nil, got.problem
	}
	p := &Pack{hash: hash}
	if p.file, err = openMapping(file); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Close())
		}
	}()
	defer recoverFault(&err)()
	if err := p.checkHeader(); err != nil {
		return nil, err
	}
	left, err := p.identify(got.offsets)
	if err == nil && left > 0 {
		err = unidentified(left, len(got.offsets))
	}
	return p, err
}

// writeIndex writes version 2 (gitformat-pack(5)).
func (p *Pack) writeIndex(to io.Writer, got *Received) (err error) {
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
	for _, crc := range p.crcs(got) {
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

// crcs returns the checksum of each entry as it lies in the pack, in the order of the index.
func (p *Pack) crcs(got *Received) []uint32 {
	f := p.forest
	crcs := make([]uint32, len(f.numbers))
	for entry, number := range f.numbers {
		if got != nil {
			crcs[number] = got.crcs[entry]
		} else {
			crcs[number] = crc32.ChecksumIEEE(p.file.data[f.offsets[entry]:f.offsets[entry+1]])
		}
	}
	return crcs
}

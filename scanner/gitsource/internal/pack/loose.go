package pack

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/zlib"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/inflate"
)

// A Loose reads objects that are stored in files of their own: "<type> SP <size>
// NUL" and the content, deflated as one (gitformat-loose(5)). The zero value
// works. It may be used by one goroutine, for one object at a time.
//
// Most files are small. Such a file is read by one call, and inflated as a whole from memory.
// A large object is inflated as a stream, and so is each object that the fast way cannot
// read: the stream decides what is damaged.
type Loose struct {
	decoder inflate.Decoder
	stored  []byte // the file, or its beginning
	text    []byte // header and content, or the beginning

	inflate io.ReadCloser
	head    *bufio.Reader
}

// looseBuffer is how much of a file, and of an object, a Loose holds.
const looseBuffer = 64 << 10

// A LooseObject is open. It reads the content, of Size bytes.
type LooseObject struct {
	Type Type
	Size int64

	files   *Loose
	file    *os.File
	stored  int64  // bytes of the file
	header  int    // bytes of the header
	content []byte // all of it, if the buffer of files has room for it
	stream  io.Reader
}

// Close closes the file.
func (o *LooseObject) Close() error { return o.file.Close() }

// Open opens the object in file, which must be closed before the next.
func (l *Loose) Open(file string) (_ *LooseObject, err error) {
	// With the flag, a FIFO does not wait for a writer, and so need not be looked for before.
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
		}
	}()
	o := &LooseObject{files: l, file: f}
	if o.stored, err = isRegular(f); err != nil {
		return nil, err
	}
	if err = l.begin(o); err != nil {
		return nil, err
	}
	if o.Size > (o.stored+1)*maxRatio {
		return nil, damaged("loose object of %d bytes claims to hold %d", o.stored, o.Size)
	}
	return o, nil
}

// begin reads the header of o, and all of the content if it has room for it.
func (l *Loose) begin(o *LooseObject) (err error) {
	if l.stored == nil {
		l.stored, l.text = make([]byte, looseBuffer), make([]byte, looseBuffer)
	}
	src := l.stored[:min(o.stored, looseBuffer)]
	if _, err := io.ReadFull(o.file, src); err != nil {
		return o.rewind()
	}
	n, err := l.decoder.Head(l.text, src)
	end := bytes.IndexByte(l.text[:min(n, maxLooseHeader)], 0)
	if end < 0 || err != nil && o.stored <= looseBuffer {
		return o.rewind()
	}
	o.header = end + 1
	if o.Type, o.Size, err = parseLooseHeader(l.text[:o.header]); err != nil {
		return err
	}
	if whole := l.text[o.header:n]; n < len(l.text) && int64(len(whole)) == o.Size {
		o.content = whole
	}
	return nil
}

// maxLooseHeader is more than any header has: "commit ", a number and a NUL.
const maxLooseHeader = 4096

// rewind makes o a stream, from the beginning of the file.
func (o *LooseObject) rewind() (err error) {
	if _, err := o.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	o.content = nil
	if o.Type, o.Size, err = o.files.streamHeader(io.LimitReader(o.file, o.stored)); err != nil {
		return err
	}
	o.stream = io.LimitReader(o.files.head, o.Size)
	return nil
}

// Read implements io.Reader.
func (o *LooseObject) Read(p []byte) (int, error) {
	if o.stream == nil {
		if err := o.rewind(); err != nil {
			return 0, err
		}
	}
	return o.stream.Read(p)
}

// Data reads the content and checks that the object has the id, of hash bytes: unlike in a
// pack, nothing else would show that a file was replaced.
func (o *LooseObject) Data(hash int, id ID) ([]byte, error) {
	if data := o.inflated(); data != nil && Sum(hash, o.Type, data) == id {
		return data, nil
	}
	var out bytes.Buffer
	out.Grow(int(o.Size) + bytes.MinRead)
	n, err := io.Copy(&out, o)
	if err != nil {
		return nil, damaged("%v", err)
	}
	return out.Bytes(), o.check(n, id, Sum(hash, o.Type, out.Bytes()))
}

// inflated returns the content, nil if only a stream can tell what is wrong with it.
func (o *LooseObject) inflated() []byte {
	switch {
	case o.stream != nil:
		return nil
	case o.content != nil:
		return bytes.Clone(o.content)
	}
	m, err := mapFile(o.file, o.stored)
	if err != nil {
		return nil
	}
	defer func() { _ = m.close() }()
	text := make([]byte, int64(o.header)+o.Size)
	err = Guard(func() error {
		_, err := o.files.decoder.Zlib(text, m.data)
		return err
	})
	if err != nil {
		return nil
	}
	return text[o.header:]
}

// Checked returns a reader of the content for callers that do not hold it in memory. At the
// end it returns an error if the object does not have the id, of hash bytes.
func (o *LooseObject) Checked(hash int, id ID) io.Reader {
	h := newHash(hash)
	begin(h, o.Type, o.Size)
	return &checked{o, h, id, 0}
}

type checked struct {
	*LooseObject
	hash hash.Hash
	id   ID
	read int64
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.LooseObject.Read(p)
	c.hash.Write(p[:n])
	if c.read += int64(n); !errors.Is(err, io.EOF) {
		return n, err
	}
	return n, cmp.Or(c.check(c.read, c.id, ID(c.hash.Sum(nil))), err)
}

// check returns an error if an object of so many bytes does not have the id.
func (o *LooseObject) check(size int64, id, is ID) error {
	switch {
	case size != o.Size:
		return damaged("loose object has %d bytes, not %d as it says", size, o.Size)
	case is != id:
		return damaged("content has the id %s", is)
	}
	return nil
}

// streamHeader begins to inflate src, and reads the header.
func (l *Loose) streamHeader(src io.Reader) (typ Type, size int64, err error) {
	if l.inflate == nil {
		l.inflate, err = zlib.NewReader(src)
		if err == nil {
			l.head = bufio.NewReaderSize(l.inflate, maxLooseHeader)
		}
	} else {
		err = l.inflate.(zlib.Resetter).Reset(src, nil)
		l.head.Reset(l.inflate)
	}
	if err != nil {
		return broken, 0, damaged("%v", err)
	}
	head, err := l.head.ReadSlice(0) // of no more than the buffer
	if err != nil {
		return broken, 0, damaged("loose object has no header")
	}
	return parseLooseHeader(head)
}

func parseLooseHeader(head []byte) (typ Type, size int64, err error) {
	name, number, _ := strings.Cut(string(head[:len(head)-1]), " ")
	for t := Commit; t <= Tag; t++ {
		if t.String() == name {
			typ = t
		}
	}
	size, err = strconv.ParseInt(number, 10, 64)
	if typ == broken || err != nil || size < 0 || size > math.MaxInt64/2 {
		return broken, 0, fmt.Errorf("%w: header of a loose object", ErrDamaged)
	}
	return typ, size, nil
}

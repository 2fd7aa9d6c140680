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
)

// A Loose reads objects that are stored in files of their own: "<type> SP <size>
// NUL" and the content, deflated as one (gitformat-loose(5)). The zero value
// works. It may be used by one goroutine, for one object at a time.
type Loose struct {
	inflate io.ReadCloser
	head    *bufio.Reader
}

// A LooseObject is open. It reads the content, of Size bytes.
type LooseObject struct {
	Type Type
	Size int64

	file   *os.File
	stored int64
	io.Reader
}

// Close closes the file.
func (o *LooseObject) Close() error { return o.file.Close() }

// Open opens the object in file, which must be closed before the next.
func (l *Loose) Open(file string) (_ *LooseObject, err error) {
	if info, err := os.Stat(file); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() { // opening a FIFO waits for a writer
		return nil, &os.PathError{Op: "open", Path: file, Err: errNotRegular}
	}
	// The flag spares four system calls, which find out whether the file could block.
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
		}
	}()
	o := &LooseObject{file: f}
	if o.stored, err = isRegular(f); err != nil {
		return nil, err
	}
	if o.Type, o.Size, err = l.header(io.LimitReader(f, o.stored)); err != nil {
		return nil, err
	}
	if o.Size > (o.stored+1)*maxRatio {
		return nil, damaged("loose object of %d bytes claims to hold %d", o.stored, o.Size)
	}
	o.Reader = io.LimitReader(l.head, o.Size)
	return o, nil
}

// Data reads the content and checks that the object has the id, of hash bytes: unlike in a
// pack, nothing else would show that a file was replaced.
func (o *LooseObject) Data(hash int, id ID) ([]byte, error) {
	var out bytes.Buffer
	out.Grow(int(o.Size) + bytes.MinRead)
	n, err := io.Copy(&out, o.Reader)
	if err != nil {
		return nil, damaged("%v", err)
	}
	return out.Bytes(), o.check(n, id, Sum(hash, o.Type, out.Bytes()))
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
	n, err := c.Reader.Read(p)
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

func (l *Loose) header(src io.Reader) (typ Type, size int64, err error) {
	if l.inflate == nil {
		l.inflate, err = zlib.NewReader(src)
		if err == nil {
			l.head = bufio.NewReader(l.inflate)
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

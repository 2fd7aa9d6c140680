package archive

import (
	"bytes"
	"errors"
	"regexp"
	"strconv"
	"sync"
)

// A Pointer is a file that Git LFS commits in place of the content, which it keeps elsewhere
// (git-lfs, docs/spec.md).
type Pointer struct {
	OID  string // SHA-256 of the content, in hexadecimal
	Size int64
}

// ErrPointer says that a text is the pointer to content that is not here.
var ErrPointer = errors.New("its content is in Git LFS and not here: this is only the pointer")

// pointerHead begins each pointer; older ones name another host.
var pointerHead = []byte("version https://git-lfs.github.com/spec/v1\n")

// maxPointer is the length that a pointer does not reach.
const maxPointer = 1024

var pointerText = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\A(?:[a-z0-9.-]+ [^\n]*\n)*?oid sha256:([0-9a-f]{64})\n(?:[a-z0-9.-]+ [^\n]*\n)*?size ([0-9]{1,18})\n?\z`)
})

// ReadPointer reads a pointer. ok is false if data is none.
func ReadPointer(data []byte) (p Pointer, ok bool) {
	if len(data) >= maxPointer || !bytes.HasPrefix(data, pointerHead) {
		return p, false
	}
	m := pointerText().FindSubmatch(data)
	if m == nil {
		return p, false
	}
	size, err := strconv.ParseInt(string(m[2]), 10, 64)
	return Pointer{string(m[1]), size}, err == nil
}

// pointer reports that data is a pointer. An empty file has nothing to be read.
func (w *walk) pointer(name string, data []byte, _ int) error {
	if p, ok := ReadPointer(data); ok && p.Size > 0 {
		return w.yield(name, nil, ErrPointer)
	}
	return nil
}

// Package archive unpacks files: zip and its kin (jar, docx, whl), tar, gzip, bzip2, xz and
// zstd, nested (an image of Docker is tars in a tar); the cells of an SQLite database; the
// text of a PDF, and of office documents whose formats split a word. It knows them by
// content, not by name. A Walker reads git bundles too. Pointers of Git LFS are reported, as
// archives that are elsewhere.
//
// Strangers make archives to break programs that unpack them. A walk has limits: how much it
// unpacks, how much it holds at once, how deep it goes. It reports files beyond a limit.
package archive

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"strings"
)

// Limits of one Walk.
const (
	maxDepth  = 8         // a compressed image in a bundle: gzip, tar, tar, gzip, tar, jar, jar …
	maxMember = 64 << 20  // searched of one file
	maxHeld   = 128 << 20 // of all that are open at once
	// A walk unpacks minTotal, and up to ratio times the size of the archive, but never
	// more than maxTotal: a file that compresses better was made to.
	minTotal = 128 << 20
	maxTotal = 4 << 30
	ratio    = 100
)

var (
	errTooLarge = errors.New("larger unpacked than is read")
	errTooDeep  = fmt.Errorf("nested deeper than %d archives", maxDepth)
	errFull     = errors.New("limit of a walk reached") // ends it, and is not returned
)

// Walk calls yield for each file packed in data, with its name within data ("dir/file",
// "inner.tar!file" if nested, "" for data itself) and its content, which is valid until
// yield returns. If a file cannot be unpacked, yield gets an error. Walk stops at the first
// error of yield, or when ctx is done, and returns that error. For data that is no archive
// it only looks at the first bytes.
//
// It reads compressed files and tars as streams, and does not yield them themselves. It
// does yield other archives within data, since their gaps may hold text.
func Walk(ctx context.Context, data []byte, yield func(name string, data []byte, err error) error) error {
	return Walker{}.Walk(ctx, data, yield)
}

// A Walker has the readers of formats that this package leaves to others.
type Walker struct {
	// Bundle calls yield for each object in a git bundle, one call at a time, as Walk does.
	// It holds no object of more than limit bytes, and unpacks no more than total bytes. It
	// is nil if no bundle is read.
	Bundle func(ctx context.Context, data []byte, limit, total int64, yield func(name string, data []byte, err error) error) error
}

// Walk is the function Walk, with the readers of u.
func (u Walker) Walk(ctx context.Context, data []byte, yield func(name string, data []byte, err error) error) error {
	w := &walk{Walker: u, ctx: ctx, yield: yield, left: min(max(minTotal, ratio*int64(len(data))), maxTotal), seed: maphash.MakeSeed(), read: map[uint64]bool{}}
	head := data[:min(len(data), HeadSize)]
	err := error(nil)
	if read := w.streamed(head); read != nil {
		err = read("", bufio.NewReader(bytes.NewReader(data)), 1)
	} else if read := w.held(head); read != nil {
		err = read("", data, 1)
	}
	if err != nil && !errors.Is(err, errFull) {
		return err
	}
	return w.yieldTooDeep()
}

// HeadSize is the number of bytes at the beginning of a text that tell whether it is an
// archive.
const HeadSize = 263

// Is reports whether a text that begins with head is an archive.
func Is(head []byte) bool {
	var w *walk // it is asked, not used: one for each blob of a history would be garbage
	return w.streamed(head) != nil || w.held(head) != nil
}

type walk struct {
	Walker
	ctx   context.Context
	left  int64 // bytes that may still be unpacked
	open  int64 // bytes that are held
	yield func(name string, data []byte, err error) error
	// space is for files that are held, by depth.
	space [maxDepth + 1][]byte

	// An archive that is nested too deep may stand higher up as well, as releases do that
	// were packed with all releases before. So it is reported only if its content was read
	// nowhere, and once. Contents are known by their hashes.
	seed    maphash.Seed
	read    map[uint64]bool
	tooDeep []deepArchive
}

// A deepArchive is one that is nested too deep to be read.
type deepArchive struct {
	name    string
	content uint64
}

// maxHashes bounds the archives that are remembered. If there are more, one that is too deep
// may be reported although it was read.
const maxHashes = 100_000

// yieldTooDeep reports archives that are nested too deep.
func (w *walk) yieldTooDeep() error {
	for _, a := range w.tooDeep {
		if !w.read[a.content] {
			w.read[a.content] = true // once
			if err := w.yield(a.name, nil, errTooDeep); err != nil {
				return err
			}
		}
	}
	return nil
}

// held returns the reader of an archive that has to be in memory as a whole, or nil.
func (w *walk) held(head []byte) func(name string, data []byte, depth int) error {
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return w.zip
	case bytes.HasPrefix(head, []byte("SQLite format 3\x00")):
		return w.sqlite
	case bytes.HasPrefix(head, []byte("%PDF-")):
		return w.pdf
	case bytes.HasPrefix(head, []byte("7z\xbc\xaf\x27\x1c")):
		return w.refuse("7z")
	case bytes.HasPrefix(head, []byte("Rar!\x1a\x07")):
		return w.refuse("rar")
	case bytes.HasPrefix(head, []byte("# v2 git bundle\n")), bytes.HasPrefix(head, []byte("# v3 git bundle\n")):
		return w.bundle
	case bytes.HasPrefix(head, pointerHead):
		return w.pointer
	}
	return nil
}

// refuse returns a reader whose error says that archives of this format are not unpacked.
func (w *walk) refuse(format string) func(string, []byte, int) error {
	return func(name string, _ []byte, _ int) error {
		return w.yield(name, nil, errors.New(format+" is not unpacked"))
	}
}

// bundle reads a git bundle.
func (w *walk) bundle(name string, data []byte, depth int) error {
	if w.Bundle == nil {
		return w.yield(name, nil, errors.New("a git bundle is not unpacked"))
	}
	return w.Bundle(w.ctx, data, maxMember, w.left, func(member string, data []byte, err error) error {
		member = join(name, member)
		if err != nil {
			return w.yield(strings.TrimSuffix(member, "!"), nil, err)
		}
		return w.member(member, member, bytes.NewReader(data), depth)
	})
}

// streamed returns the reader of an archive that is read from one end to the other, or nil.
func (w *walk) streamed(head []byte) func(name string, r *bufio.Reader, depth int) error {
	if len(head) > 262 && bytes.Equal(head[257:262], []byte("ustar")) {
		return w.tar
	}
	if c := compressionOf(head); c != nil {
		return func(name string, r *bufio.Reader, depth int) error { return w.compressed(c, name, r, depth) }
	}
	return nil
}

// member reads one packed file. If it is an archive, its files are named after base;
// if not, it is itself called name.
func (w *walk) member(base, name string, from io.Reader, depth int) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	m := &meter{w: w, r: from}
	m.hash.SetSeed(w.seed)
	r := bufio.NewReader(m)
	head, _ := r.Peek(HeadSize) // an error comes again
	read, hold := w.streamed(head), w.held(head)
	switch {
	case (read != nil || hold != nil) && depth == maxDepth:
		if _, err := io.Copy(io.Discard, r); err != nil || len(w.tooDeep) == maxHashes {
			return w.yield(base, nil, errTooDeep)
		}
		w.tooDeep = append(w.tooDeep, deepArchive{base, m.hash.Sum64()})
		return nil
	case read != nil:
		if err := read(base, r, depth+1); err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, r) // to its end, for the hash; the next file reports an error
		w.remember(m)
		return nil
	}
	data, err := w.readAll(r, depth)
	w.open += int64(len(data))
	defer func() { w.open -= int64(len(data)) }()
	if len(data) > 0 { // the unpacked part is scanned, whole or not
		if err := w.yield(name, data, nil); err != nil {
			return err
		}
	}
	if text := officeText(data); text != nil {
		if err := w.yield(join(name, "text"), text, nil); err != nil {
			return err
		}
	}
	if err != nil { // files before the damage are scanned
		return w.failed(name, err)
	}
	if hold != nil {
		w.remember(m)
		return hold(base, data, depth+1)
	}
	return nil
}

// remember notes that the archive that m has read to its end was read.
func (w *walk) remember(m *meter) {
	if len(w.read) < maxHashes {
		w.read[m.hash.Sum64()] = true
	}
}

// readAll reads r, up to the limit. It uses the space for depth.
func (w *walk) readAll(r io.Reader, depth int) ([]byte, error) {
	limit := int(max(0, min(maxMember, maxHeld-w.open)))
	data := w.space[depth][:0]
	for {
		if len(data) > limit {
			return data[:limit], errTooLarge
		}
		if len(data) == cap(data) { // no more than the limit: append may take twice as much
			size := min(max(2*cap(data), 4<<10), limit+1)
			data = append(make([]byte, 0, size), data...)
			w.space[depth] = data
		}
		n, err := r.Read(data[len(data):min(cap(data), limit+1)])
		data = data[:len(data)+n]
		if errors.Is(err, io.EOF) {
			return data, nil
		}
		if err != nil {
			return data, err
		}
	}
}

// failed reports why name could not be read to its end. The walk goes on, unless
// its limit is reached.
func (w *walk) failed(name string, err error) error {
	switch {
	case w.ctx.Err() != nil:
		return w.ctx.Err()
	case w.left < 0:
		if err := w.yield(name, nil, errTooLarge); err != nil {
			return err
		}
		return errFull
	case !errors.Is(err, errTooLarge):
		err = fmt.Errorf("damaged archive: %w", err)
	}
	return w.yield(name, nil, err)
}

// A meter counts the bytes that are unpacked, skipped ones too, and ends the walk at
// its limit. It hashes them.
type meter struct {
	w    *walk
	r    io.Reader
	hash maphash.Hash
}

func (m *meter) Read(p []byte) (int, error) {
	if err := m.w.ctx.Err(); err != nil {
		return 0, err
	}
	if m.w.left < 0 {
		return 0, errTooLarge
	}
	n, err := m.r.Read(p)
	m.w.left -= int64(n)
	_, _ = m.hash.Write(p[:n]) // never fails
	return n, err
}

// join names a member; "!" separates the archives, as in Java's jar URLs.
func join(name, member string) string {
	if name == "" {
		return member
	}
	return name + "!" + member
}

package pack

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/inflate"
)

// Received says what Receive has seen of a pack.
type Received struct {
	Sum     []byte // the checksum at the end of the pack, which is right
	Objects int    // as the header of the pack says
	Stem    string // of the file, with its folder and without ".pack"; for the caller to fill in

	offsets []int64 // of the entries
	// problem is why Receive could not tell the entries apart, nil if it could.
	problem error
	// odd says that there is a delta by id, or one of or for a large object.
	odd bool
}

// ErrChecksum is the error of Receive for a pack that did not come whole.
var ErrChecksum = errors.New("the pack is cut off or damaged: its checksum is wrong")

// A NotPackError says that something begins otherwise than a pack.
type NotPackError struct{ Start []byte }

func (e *NotPackError) Error() string { return fmt.Sprintf("not a pack: it begins with %q", e.Start) }

// Receive copies a pack of ids of hash bytes from a stream to a file, up to its end. It finds
// the entries meanwhile, so that WriteIndex need not look for them: while a server sends, the
// processor is idle. step, unless it is nil, is told how many objects have come, and of how
// many.
//
// Receive returns a *NotPackError for a stream that is no pack, ErrChecksum for one that is
// cut off or damaged, and else the errors of from and to. If the checksum is right and an
// entry is not, the error comes from WriteIndex.
func Receive(to io.Writer, from io.Reader, hash int, step func(objects, of int)) (*Received, error) {
	r := &receiver{from: from, to: to, sum: newHash(hash), hash: hash}
	start, err := r.peek(headerSize + hash)
	if err != nil {
		return nil, err
	}
	if len(start) < headerSize+hash || !bytes.HasPrefix(start, []byte("PACK")) {
		return nil, &NotPackError{bytes.Clone(start[:min(len(start), headerSize)])}
	}
	got := &Received{Objects: int(binary.BigEndian.Uint32(start[8:]))}
	const most = 4 << 20 // at once: the header may say anything
	got.offsets = make([]int64, 0, min(got.Objects, most)+1)
	r.skip(headerSize)
	for got.problem == nil && len(got.offsets) < got.Objects {
		off := r.at
		err := r.entry()
		if r.failed != nil {
			return nil, r.failed
		}
		got.odd = got.odd || r.odd
		if got.problem = err; err == nil {
			got.offsets = append(got.offsets, off)
		}
		if step != nil {
			step(len(got.offsets), got.Objects)
		}
	}
	if err := r.end(got); err != nil {
		return nil, err
	}
	return got, nil
}

// maxWhole is the size up to which a receiver holds an object in memory.
const maxWhole = 4 << 20

// A receiver reads a pack once: it copies the bytes, and keeps those of the entry at hand.
type receiver struct {
	from   io.Reader
	to     io.Writer
	sum    hash.Hash // of all bytes but tail
	tail   []byte    // the last bytes received, which may be the checksum
	hash   int
	at     int64  // in the pack: where data begins
	data   []byte // received, and not yet parsed
	room   []byte // that data is a part of
	ended  bool   // data is the rest
	failed error  // of from or to
	odd    bool   // the entry at hand is a delta that makes its pack odd

	inflater inflate.Decoder
	object   []byte
}

// peek returns what is at hand, which is n bytes or more, unless the pack ends before.
func (r *receiver) peek(n int) ([]byte, error) {
	for len(r.data) < n && !r.ended && r.failed == nil {
		r.fill(n)
	}
	return r.data, r.failed
}

// fill reads once, so that data may become n bytes.
func (r *receiver) fill(n int) {
	const once = 256 << 10
	if cap(r.data) < max(n, len(r.data)+once) {
		if size := max(n, len(r.data)) + 2*once; len(r.room) < size {
			r.room = make([]byte, size)
		}
		r.data = r.room[:copy(r.room, r.data)]
	}
	k, err := r.from.Read(r.data[len(r.data):cap(r.data)])
	fresh := r.data[len(r.data):][:k]
	r.data = r.data[:len(r.data)+k]
	r.addToSum(fresh)
	if _, writeErr := r.to.Write(fresh); writeErr != nil {
		r.failed = writeErr
	} else if errors.Is(err, io.EOF) {
		r.ended = true
	} else if err != nil {
		r.failed = err
	}
}

// addToSum hashes all that was received but for as many bytes as a checksum has.
func (r *receiver) addToSum(fresh []byte) {
	if old := min(len(r.tail), max(len(r.tail)+len(fresh)-r.hash, 0)); old > 0 {
		r.sum.Write(r.tail[:old])
		r.tail = append(r.tail[:0], r.tail[old:]...)
	}
	inner := max(len(fresh)-r.hash, 0)
	r.sum.Write(fresh[:inner])
	r.tail = append(r.tail, fresh[inner:]...)
}

// skip goes on behind the first n bytes of data.
func (r *receiver) skip(n int) {
	r.data = r.data[n:]
	r.at += int64(n)
}

// entry reads an entry. The error is one of the entry.
func (r *receiver) entry() error {
	data, err := r.peek(64) // more than a header has
	if err != nil {
		return err
	}
	e, err := readEntry(data, r.at, r.hash)
	if err != nil {
		return err
	}
	r.skip(int(e.stream - r.at))
	isDelta := e.typ == ofsDelta || e.typ == refDelta
	r.odd = e.typ == refDelta
	if e.size <= maxWhole && r.whole(e) {
		r.odd = r.odd || isDelta && hasLarge(r.object[:e.size])
		return nil
	}
	r.odd = r.odd || isDelta
	return r.stream(e)
}

// hasLarge reports whether the base of a delta, or the object that it makes, is larger than is
// held in memory.
func hasLarge(delta []byte) bool {
	base, rest, _ := varint(delta)
	made, _, _ := varint(rest)
	return max(base, made) > held
}

// whole inflates the stream of e at once. It reports whether it could: a stream that takes more
// bytes than zlib needs for it has to be read byte by byte.
func (r *receiver) whole(e entry) bool {
	if int64(len(r.object)) < e.size {
		r.object = make([]byte, e.size*2)
	}
	data, err := r.peek(int(e.size + e.size/256 + 64)) // compressBound of zlib, and a bit
	if err != nil {
		return false
	}
	n, err := r.inflater.Zlib(r.object[:e.size], data)
	if err != nil {
		return false
	}
	r.skip(n)
	return true
}

// stream inflates the stream of e piece by piece.
func (r *receiver) stream(e entry) error {
	stream, err := zlib.NewReader((*byteReader)(r))
	if err == nil {
		var n int64
		if n, err = io.Copy(io.Discard, io.LimitReader(stream, e.size+1)); err == nil && n != e.size {
			err = errors.New("not of its size")
		}
	}
	if err != nil {
		return damaged("stream at offset %d: %v", e.stream, err)
	}
	return nil
}

// A byteReader reads the bytes of a receiver, none of them ahead.
type byteReader receiver

// ReadByte implements io.ByteReader, which keeps zlib from reading ahead.
func (b *byteReader) ReadByte() (byte, error) {
	var p [1]byte
	_, err := io.ReadFull(b, p[:])
	return p[0], err
}

// Read implements io.Reader.
func (b *byteReader) Read(p []byte) (int, error) {
	r := (*receiver)(b)
	data, err := r.peek(1)
	if err != nil {
		return 0, err
	}
	n := copy(p, data)
	r.skip(n)
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// end reads the rest of the pack, and checks its checksum.
func (r *receiver) end(got *Received) error {
	if data, _ := r.peek(r.hash + 1); len(data) != r.hash && got.problem == nil {
		got.problem = damaged("there are %d bytes or more after the last of %d objects", len(data), got.Objects)
	}
	for !r.ended && r.failed == nil {
		r.skip(len(r.data))
		r.fill(1)
	}
	switch {
	case r.failed != nil:
		return r.failed
	case !bytes.Equal(r.tail, r.sum.Sum(nil)):
		return ErrChecksum
	}
	got.Sum = bytes.Clone(r.tail)
	return nil
}

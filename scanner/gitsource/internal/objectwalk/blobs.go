package objectwalk

import (
	"fmt"
	"io"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// holds reports whether text may hold a match. Without a prefilter all may.
func (v *visitor) holds(text []byte) bool { return v.judge(text) == holds }

// hints reports whether a piece of text may be part of a match.
func (v *visitor) hints(text []byte) bool {
	return !v.noBlobs && (v.pre.Hints == nil || v.pre.Hints(text))
}

// judge is what the prefilter says of a whole text.
func (v *visitor) judge(text []byte) verdict {
	switch {
	case v.noBlobs:
		return empty
	case v.pre.Holds == nil:
		return holds
	case !v.pre.Hints(text):
		return empty
	case !v.pre.Holds(text):
		return hints
	}
	return holds
}

// A verdict is what is known of a text: that it holds no match and hints at none,
// that it holds none, or that it may hold one.
type verdict uint8

const (
	empty verdict = iota
	hints
	holds
)

// A blobVisitor reads blobs. The note of a blob is the verdict: what it holds or
// hints at, those made from it may hold too.
type blobVisitor struct{ *visitor }

// Visit implements pack.Visitor.
func (v *blobVisitor) Visit(n *pack.Node) error {
	node := v.number(n.Number())
	base := n.Base()
	if base == nil || v.pre.Holds == nil {
		return v.full(n, node)
	}
	// What is new must make the difference, together with what it stands beside.
	known, _ := base.Note.(verdict)
	more := false
	switch known {
	case empty:
		v.fresh = n.AppendFresh(v.fresh[:0], v.pre.HintSpan)
		more = v.pre.Hints(v.fresh)
	case hints:
		v.fresh = n.AppendFresh(v.fresh[:0], v.pre.HoldSpan)
		more = v.pre.Holds(v.fresh)
	case holds:
		more = true
	}
	if more {
		return v.full(n, node)
	}
	v.head = n.AppendHead(v.head[:0], v.pre.HeadSize)
	if v.pre.Whole(v.head) {
		return v.full(n, node)
	}
	n.Note = known
	if v.canonical(node) {
		v.pass(n.Size)
	}
	return nil
}

// full looks at all of a blob.
func (v *blobVisitor) full(n *pack.Node, node int32) error {
	data, err := n.Data()
	if err != nil {
		r, openErr := n.Open()
		if openErr != nil {
			return v.Bad(n.Number(), err)
		}
		v.head = n.AppendHead(v.head[:0], v.pre.HeadSize)
		if n.Size > v.limit || !v.pre.Whole(v.head) {
			return v.windows(n, node, r)
		}
		if data, err = io.ReadAll(io.LimitReader(r, n.Size)); err != nil {
			return v.Bad(n.Number(), err)
		}
	}
	known := v.judge(data)
	n.Note = known
	if !v.canonical(node) {
		return nil
	}
	return v.take(node, data, known)
}

// take yields a blob that may hold a match or must be seen whole.
func (v *blobVisitor) take(node int32, data []byte, known verdict) error {
	if known == holds || v.pre.Whole(data[:min(len(data), v.pre.HeadSize)]) {
		v.Graph.Mark(node)
		return v.text(node, scanner.KindBlob, data)
	}
	v.pass(int64(len(data)))
	return nil
}

// windows yields a blob that is too large to be held.
func (v *blobVisitor) windows(n *pack.Node, node int32, r io.Reader) error {
	if !v.canonical(node) {
		return nil
	}
	return v.stream(node, io.LimitReader(r, n.Size), n.Size)
}

// stream yields in windows what r reads, which should be size bytes.
func (v *visitor) stream(node int32, r io.Reader, size int64) error {
	v.Graph.Mark(node)
	v.mu.Lock()
	v.held.Set(node)
	v.mu.Unlock()
	id := v.Store.Id(node).String()
	b := scanner.Blob{ID: scanner.BlobID(id), Kind: scanner.KindBlob, Name: id}
	var stop error
	var end int64
	err := scanner.Windows(r, b, func(b scanner.Blob) error {
		end = b.Window.Offset + int64(len(b.Data))
		stop = v.Yield(b)
		return stop
	})
	if err == nil && end != size {
		err = fmt.Errorf("%w: it has %d bytes, not %d as it says", pack.ErrDamaged, end, size)
	}
	if err != nil && stop == nil {
		return v.unread(node, err)
	}
	return err
}

package objectwalk

import (
	"fmt"
	"io"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// textMayMatch reports whether text may hold a match. Without a prefilter every text may.
func (v *visitor) textMayMatch(text []byte) bool { return v.judge(text) == mayMatch }

// pieceMayMatch reports whether a piece of text may be part of a match.
func (v *visitor) pieceMayMatch(text []byte) bool {
	return !v.linksOnly && (v.prefilter.MayMatch == nil || v.prefilter.MayMatch(text))
}

// judge asks the prefilter about a whole text.
func (v *visitor) judge(text []byte) verdict {
	switch {
	case v.linksOnly:
		return cannotMatch
	case v.prefilter.MayMatchNear == nil:
		return mayMatch
	case !v.prefilter.MayMatch(text):
		return cannotMatch
	case !v.prefilter.MayMatchNear(text):
		return mayMatchNear
	}
	return mayMatch
}

// A verdict is the prefilter's answer for a text: it cannot match; it cannot, but a piece of
// it may be part of a match; or it may match.
type verdict uint8

const (
	cannotMatch verdict = iota
	mayMatchNear
	mayMatch
)

// A blobVisitor reads blobs. The note of a blob is its verdict: a blob that is made from it
// may hold the same bytes.
type blobVisitor struct{ *visitor }

// Visit implements pack.Visitor.
func (v *blobVisitor) Visit(n *pack.Node) error {
	node := v.number(n.Number())
	base := n.Base()
	if base == nil || v.prefilter.MayMatchNear == nil {
		return v.readWhole(n, node)
	}
	// The new bytes must make the difference, together with those beside them.
	known, _ := base.Note.(verdict)
	more := false
	switch known {
	case cannotMatch:
		v.newBytes = n.AppendFresh(v.newBytes[:0], v.prefilter.Window)
		more = v.prefilter.MayMatch(v.newBytes)
	case mayMatchNear:
		v.newBytes = n.AppendFresh(v.newBytes[:0], v.prefilter.Window)
		if more = v.prefilter.MayMatchNear(v.newBytes); !more {
			v.newBytes = n.AppendFresh(v.newBytes[:0], v.prefilter.NearWindow)
			more = v.prefilter.MayMatchNearPlain(v.newBytes)
		}
	case mayMatch:
		more = true
	}
	if more {
		return v.readWhole(n, node)
	}
	v.head = n.AppendHead(v.head[:0], v.prefilter.HeadSize)
	if v.prefilter.Whole(v.head) {
		return v.readWhole(n, node)
	}
	n.Note = known
	if v.isFirstCopy(node) {
		v.countPassed(n.Size)
	}
	return nil
}

// readWhole looks at all of a blob.
func (v *blobVisitor) readWhole(n *pack.Node, node int32) error {
	data, err := n.Data()
	if err != nil {
		r, openErr := n.Open()
		if openErr != nil {
			return v.Bad(n.Number(), err)
		}
		v.head = n.AppendHead(v.head[:0], v.prefilter.HeadSize)
		if n.Size > v.limit || !v.prefilter.Whole(v.head) {
			return v.yieldWindows(n, node, r)
		}
		if data, err = io.ReadAll(io.LimitReader(r, n.Size)); err != nil {
			return v.Bad(n.Number(), err)
		}
	}
	known := v.judge(data)
	n.Note = known
	if !v.isFirstCopy(node) {
		return nil
	}
	return v.yieldIfMayMatch(node, data, known)
}

// yieldIfMayMatch yields a blob that may hold a match or must be seen whole.
func (v *blobVisitor) yieldIfMayMatch(node int32, data []byte, known verdict) error {
	if known == mayMatch || v.prefilter.Whole(data[:min(len(data), v.prefilter.HeadSize)]) {
		v.Graph.Mark(node)
		return v.yieldText(node, finding.KindBlob, data)
	}
	v.countPassed(int64(len(data)))
	return nil
}

// yieldWindows yields a blob that is too large to be held in memory.
func (v *blobVisitor) yieldWindows(n *pack.Node, node int32, r io.Reader) error {
	if !v.isFirstCopy(node) {
		return nil
	}
	return v.yieldStream(node, io.LimitReader(r, n.Size), n.Size)
}

// yieldStream yields in windows the text that r reads, which should be size bytes.
func (v *visitor) yieldStream(node int32, r io.Reader, size int64) error {
	v.Graph.Mark(node)
	v.mu.Lock()
	v.yielded.Set(node)
	v.mu.Unlock()
	id := v.Store.ID(node).String()
	b := scanner.Blob{ID: finding.BlobID(id), Kind: finding.KindBlob, Name: id}
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
		return v.addFailure(node, err)
	}
	return err
}

package objectwalk

import (
	"fmt"
	"io"

	"github.com/stanch-dev/stanch/detectors"
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

// A blobVisitor reads blobs. The note of a blob is its verdict, or its matches if it was
// yielded: a blob that is made from it may hold the same bytes.
type blobVisitor struct{ *visitor }

// Visit implements pack.Visitor.
func (v *blobVisitor) Visit(n *pack.Node) error {
	node := v.number(n.Number())
	base := n.Base()
	if base == nil || v.prefilter.MayMatchNear == nil {
		return v.readWhole(n, node, nil)
	}
	// The new bytes must make the difference, together with those beside them.
	known, searched := noteOf(base)
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
		return v.readWhole(n, node, searched)
	}
	v.head = n.AppendHead(v.head[:0], v.prefilter.HeadSize)
	if v.prefilter.Whole(v.head) {
		return v.readWhole(n, node, nil)
	}
	n.Note = known
	if v.isFirstCopy(node) {
		v.countPassed(n.Size)
	}
	return nil
}

// noteOf returns the verdict of n, and what was found in it if it was yielded.
func noteOf(n *pack.Node) (verdict, *detectors.Version) {
	if searched, ok := n.Note.(*detectors.Version); ok {
		return mayMatch, searched
	}
	known, _ := n.Note.(verdict)
	return known, nil
}

// readWhole looks at all of a blob. base is what was found in the one that it is made from,
// if that is known.
func (v *blobVisitor) readWhole(n *pack.Node, node int32, base *detectors.Version) error {
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
	known := mayMatch
	if base == nil || !v.prefilter.MayMatchNear(data) { // if the base may match, this one nearly always does
		known = v.judge(data)
	}
	n.Note = known
	if !v.isFirstCopy(node) {
		return nil
	}
	if known != mayMatch || v.prefilter.MayMatchNear == nil {
		return v.yieldIfMayMatch(node, data, known)
	}
	version := &detectors.Version{}
	if base != nil {
		if base.Text, err = n.Base().Data(); err == nil {
			version.Base, version.Copies = base, copiesOf(n.Parts())
		}
	}
	v.Graph.Mark(node)
	err = v.yieldBlob(node, scanner.Blob{Kind: finding.KindBlob, Data: data, Version: version})
	version.Text, version.Base, version.Copies = nil, nil, nil // the text is that of n, and valid as long
	n.Note = version
	return err
}

// copiesOf returns the parts of a blob that its base has too.
func copiesOf(parts []pack.Part) []detectors.Copy {
	copies := make([]detectors.Copy, 0, len(parts))
	for _, p := range parts {
		if p.From >= 0 {
			copies = append(copies, detectors.Copy{At: int(p.At), From: int(p.From), Len: int(p.Len)})
		}
	}
	return copies
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

package objectwalk

import (
	"fmt"
	"io"
	"slices"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// textMayMatch reports whether text may hold a match. Without a filter every text may.
func (v *visitor) textMayMatch(text []byte) bool { return v.judge(text).highest() == mayMatch }

// pieceMayMatch reports whether a piece of text may be part of a match.
func (v *visitor) pieceMayMatch(text []byte) bool {
	mayMatch := func(f detectors.Filter) bool { return f.MayMatch(text) }
	return !v.linksOnly && (len(v.prefilter.Filters) == 0 || slices.ContainsFunc(v.prefilter.Filters, mayMatch))
}

// judge asks the filters about a whole text.
func (v *visitor) judge(text []byte) (all verdicts) {
	switch {
	case v.linksOnly:
		return all
	case len(v.prefilter.Filters) == 0:
		return all.with(0, mayMatch)
	}
	for i := range v.prefilter.Filters {
		all = all.with(i, judgeBy(&v.prefilter.Filters[i], text))
	}
	return all
}

func judgeBy(f *detectors.Filter, text []byte) verdict {
	switch {
	case !f.MayMatch(text):
		return cannotMatch
	case !f.MayMatchNear(text):
		return mayMatchNear
	}
	return mayMatch
}

// A verdict is the answer of a filter for a text: it cannot match; it cannot, but a piece of
// it may be part of a match; or it may match.
type verdict uint8

const (
	cannotMatch verdict = iota
	mayMatchNear
	mayMatch
)

// verdicts are those of all filters. They fit in a byte, which a note holds without memory of
// its own.
type verdicts uint8

const verdictBits = 8 / detectors.MaxFilters

func (v verdicts) of(filter int) verdict {
	return verdict(v >> (verdictBits * filter) & (1<<verdictBits - 1))
}

func (v verdicts) with(filter int, known verdict) verdicts {
	return v&^((1<<verdictBits-1)<<(verdictBits*filter)) | verdicts(known)<<(verdictBits*filter)
}

func (v verdicts) highest() (high verdict) {
	for i := range detectors.MaxFilters {
		high = max(high, v.of(i))
	}
	return high
}

// ruledOut returns the filters that rule a text out.
func (v verdicts) ruledOut() (list [detectors.MaxFilters]bool) {
	for i := range list {
		list[i] = v.of(i) != mayMatch
	}
	return list
}

// A blobVisitor reads blobs. The note of a blob is its verdicts, or a searchedBlob if it was
// yielded: a blob that is made from it may hold the same bytes.
type blobVisitor struct{ *visitor }

// A searchedBlob is what is known of a blob that was yielded.
type searchedBlob struct {
	verdicts
	*detectors.Version
}

// noteOf returns the verdicts on n, and what was found in it if it was yielded.
func noteOf(n *pack.Node) (verdicts, *detectors.Version) {
	if searched, ok := n.Note.(*searchedBlob); ok {
		return searched.verdicts, searched.Version
	}
	known, _ := n.Note.(verdicts)
	return known, nil
}

// Visit implements pack.Visitor.
func (v *blobVisitor) Visit(n *pack.Node) error {
	node := v.number(n.Number())
	if n.Base() == nil || len(v.prefilter.Filters) == 0 {
		return v.readWhole(n, node, [detectors.MaxFilters]bool{true, true})
	}
	known, _ := noteOf(n.Base())
	var ask [detectors.MaxFilters]bool // the filters that have to be asked about the whole
	for i := range v.prefilter.Filters {
		ask[i] = v.mayDiffer(n, &v.prefilter.Filters[i], known.of(i))
	}
	if ask != [detectors.MaxFilters]bool{} {
		return v.readWhole(n, node, ask)
	}
	v.head = n.AppendHead(v.head[:0], v.prefilter.HeadSize)
	if v.prefilter.Whole(v.head) {
		return v.readWhole(n, node, ask)
	}
	n.Note = known
	if v.isFirstCopy(node) {
		v.countPassed(n.Size)
	}
	return nil
}

// mayDiffer reports whether the verdict of f on n may differ from known, that on its base, or
// whether it has to be searched. New bytes must make the difference, together with those beside
// them.
func (v *blobVisitor) mayDiffer(n *pack.Node, f *detectors.Filter, known verdict) bool {
	switch known {
	case cannotMatch:
		v.newBytes = n.AppendFresh(v.newBytes[:0], f.Window)
		return f.MayMatch(v.newBytes)
	case mayMatchNear:
		mayMatchNear := f.MayMatchNear
		if f.MayMatchNearPlain != nil {
			v.newBytes = n.AppendFresh(v.newBytes[:0], f.Window)
			if f.MayMatchNear(v.newBytes) {
				return true
			}
			mayMatchNear = f.MayMatchNearPlain
		}
		v.newBytes = n.AppendFresh(v.newBytes[:0], f.NearWindow)
		return mayMatchNear(v.newBytes)
	}
	return true
}

// readWhole looks at all of a blob. The verdict of a filter that is not asked is that on the
// base.
func (v *blobVisitor) readWhole(n *pack.Node, node int32, ask [detectors.MaxFilters]bool) error {
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
	if len(v.prefilter.Filters) == 0 {
		if !v.isFirstCopy(node) {
			return nil
		}
		return v.yieldIfMayMatch(node, data, mayMatch)
	}
	var known verdicts
	var base *detectors.Version
	if n.Base() != nil {
		known, base = noteOf(n.Base())
	}
	known = v.askAgain(known, base, data, ask)
	n.Note = known
	if !v.isFirstCopy(node) {
		return nil
	}
	if known.highest() != mayMatch {
		return v.yieldIfMayMatch(node, data, known.highest())
	}
	version := &detectors.Version{RuledOut: known.ruledOut()}
	if base != nil {
		if base.Text, err = n.Base().Data(); err == nil {
			version.Base, version.Copies = base, copiesOf(n.Parts())
		}
	}
	v.Graph.Mark(node)
	err = v.yieldBlob(node, scanner.Blob{Kind: finding.KindBlob, Data: data, Version: version})
	for i, f := range v.prefilter.Filters {
		if base != nil && base.Found[i] && !version.Found[i] {
			known = known.with(i, judgeBy(&f, data))
		}
	}
	version.Text, version.Base, version.Copies = nil, nil, nil // the text is that of n, and valid as long
	n.Note = &searchedBlob{known, version}
	return err
}

// askAgain asks filters about a whole blob, and returns the verdicts. known and base are the
// verdicts on its base and what was found in it.
func (v *blobVisitor) askAgain(known verdicts, base *detectors.Version, data []byte, ask [detectors.MaxFilters]bool) verdicts {
	for i := range v.prefilter.Filters {
		if !ask[i] || base != nil && base.Found[i] { // nearly always this one matches too: the search will tell
			continue
		}
		f := &v.prefilter.Filters[i]
		if known.of(i) != mayMatch || !f.MayMatchNear(data) { // if the base may match, this one nearly always does
			known = known.with(i, judgeBy(f, data))
		}
	}
	return known
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

// Package views shows text as it reads after decoding.
//
// A View is the whole text with each encoded run replaced by its decoded form, and knows
// where each part comes from:
//
//	text  id: QUtJ…  secret: wJal…      (the id is in base64)
//	view  id: AKIA…  secret: wJal…      (now both stand beside each other)
//
// Each Decoder undoes one encoding. The search of package detectors applies them one to
// the result of the other, in rounds, and maps the matches back.
package views

import "sort"

// A View is a whole text after decoding, so that an id and its secret meet in it even if
// only one of them was encoded.
type View struct {
	Text     []byte
	segments []segment
	// JoinsPieces is true if the view puts pieces of the text together that may have
	// nothing to do with each other, such as two arguments. Then a match counts only if
	// it spans several of them.
	JoinsPieces bool
}

// A segment says where a part of the text of a view comes from.
type segment struct {
	at       int // offset in the view
	from, to int // range of the original
	verbatim bool
}

// A Span is a half-open range of bytes, [Start, End).
type Span struct{ Start, End int }

// appendVerbatim appends src[from:to] unchanged.
func (v *View) appendVerbatim(src []byte, from, to int) {
	if from < to {
		if v.Text == nil {
			v.Text = make([]byte, 0, len(src))
		}
		v.segments = append(v.segments, segment{len(v.Text), from, to, true})
		v.Text = append(v.Text, src[from:to]...)
	}
}

// appendDecoded appends decoded, which replaces bytes from to to of the original.
func (v *View) appendDecoded(decoded []byte, from, to int) {
	if !v.extendLast(len(decoded), from, to) {
		v.segments = append(v.segments, segment{len(v.Text), from, to, false})
	}
	v.Text = append(v.Text, decoded...)
}

// appendPart appends part, the view of a part of the original that begins at from.
func (v *View) appendPart(part *View, from int) {
	for _, s := range part.segments {
		v.segments = append(v.segments, segment{s.at + len(v.Text), s.from + from, s.to + from, s.verbatim})
	}
	v.Text = append(v.Text, part.Text...)
	v.JoinsPieces = part.JoinsPieces
}

// extendLast makes the last segment longer by n bytes, decoded from the range from to to,
// if its ratio of decoded to encoded bytes stays the same. So a text of which every byte
// is escaped is one segment, not millions. It reports whether it did.
func (v *View) extendLast(n, from, to int) bool {
	if len(v.segments) == 0 {
		return false
	}
	s := &v.segments[len(v.segments)-1]
	if s.verbatim || s.to != from || (s.to-s.from)*n != (to-from)*(len(v.Text)-s.at) {
		return false
	}
	s.to = to
	return true
}

// OriginOf returns the range of the original from which s was made.
func (v *View) OriginOf(s Span) Span {
	if s.Start >= s.End {
		return Span{}
	}
	return Span{v.originOffset(s.Start), v.originOffset(s.End-1) + 1}
}

// segmentAt returns the index of the segment with offset at of the view.
func (v *View) segmentAt(at int) int {
	return sort.Search(len(v.segments), func(i int) bool { return v.segments[i].at > at }) - 1
}

// originOffset maps an offset of the view to the original. In a decoded segment the result
// is proportional: hardly ever exact, but always within the encoded run.
func (v *View) originOffset(at int) int {
	i := v.segmentAt(at)
	s := v.segments[i]
	end := len(v.Text)
	if i+1 < len(v.segments) {
		end = v.segments[i+1].at
	}
	if s.verbatim || end <= s.at {
		return s.from + at - s.at
	}
	return s.from + (at-s.at)*(s.to-s.from)/(end-s.at)
}

// ImageOf returns the range of the view that was made from s, a range of the original.
func (v *View) ImageOf(s Span) Span {
	i, j := v.segmentsFrom(s)
	out := Span{v.segments[i].at, len(v.Text)}
	if v.segments[i].verbatim {
		out.Start += max(0, s.Start-v.segments[i].from)
	}
	switch last := v.segments[j]; {
	case last.verbatim:
		out.End = last.at + min(s.End, last.to) - last.from
	case j+1 < len(v.segments):
		out.End = v.segments[j+1].at
	}
	return out
}

// IsDecodedIn reports whether the view differs from the original in s, a range of the view.
func (v *View) IsDecodedIn(s Span) bool {
	i := max(0, v.segmentAt(s.Start))
	return !v.segments[i].verbatim || i+1 < len(v.segments) && v.segments[i+1].at < s.End || s.Start < 0 && v.segments[0].from > 0
}

// segmentsFrom returns the first and the last segment made from s, a range of the original.
// If the view leaves s out, it returns the segments beside it.
func (v *View) segmentsFrom(s Span) (first, last int) {
	first = sort.Search(len(v.segments)-1, func(i int) bool { return v.segments[i].to > s.Start })
	last = sort.Search(len(v.segments), func(i int) bool { return v.segments[i].from >= s.End }) - 1
	return first, max(first, last)
}

// AppendAddedBytes appends the bytes that decoding added, with span bytes of the view to
// either side. So any run of at most span bytes of the view lies in the original, or in
// one piece of the result. Pieces are set apart by a newline.
func (v *View) AppendAddedBytes(dst []byte, span int) []byte {
	done := 0 // of the view
	for i := range v.segments {
		seg, from, to := &v.segments[i], v.segments[i].at, v.segments[i].at
		switch {
		case !seg.verbatim && i+1 < len(v.segments):
			to = v.segments[i+1].at
		case !seg.verbatim:
			to = len(v.Text)
		case i == 0 && seg.from == 0:
			continue
		}
		if from-span > done {
			dst = append(dst, '\n')
			done = from - span
		}
		if end := min(to+span, len(v.Text)); end > done {
			dst = append(dst, v.Text[done:end]...)
			done = end
		}
	}
	return dst
}

// SpansPieces reports whether s, a range of the view, was made from several pieces of the
// original.
func (v *View) SpansPieces(s Span) bool {
	return s.Start < s.End && v.segmentAt(s.Start) != v.segmentAt(s.End-1)
}

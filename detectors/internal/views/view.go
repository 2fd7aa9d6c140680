// Package views shows texts as they read after decoding.
package views

import "sort"

// A View is a text as it reads after decoding, whole, so that an id and its
// secret meet in it even if only one of them was encoded.
type View struct {
	Text     []byte
	segments []segment
	// JoinsPieces is true if parts of the text were put together that may be strangers:
	// then only a match that is of several parts counts.
	JoinsPieces bool
}

// A segment says where a part of a view's text comes from.
type segment struct {
	at       int // offset in the view
	from, to int // range of the original
	verbatim bool
}

// A Span is a half-open range of bytes, [Start, End).
type Span struct{ Start, End int }

// appendVerbatim appends src[from:to] as it is.
func (v *View) appendVerbatim(src []byte, from, to int) {
	if from < to {
		if v.Text == nil {
			v.Text = make([]byte, 0, len(src))
		}
		v.segments = append(v.segments, segment{len(v.Text), from, to, true})
		v.Text = append(v.Text, src[from:to]...)
	}
}

// appendDecoded appends decoded, which stands for the original's bytes from to to.
func (v *View) appendDecoded(decoded []byte, from, to int) {
	if !v.extendLast(len(decoded), from, to) {
		v.segments = append(v.segments, segment{len(v.Text), from, to, false})
	}
	v.Text = append(v.Text, decoded...)
}

// extendLast makes the last segment longer if n bytes for from to to are in its
// proportion: text in which every byte is escaped is one segment, not millions.
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

// OriginOf returns the range of the original that s was made from.
func (v *View) OriginOf(s Span) Span {
	if s.Start >= s.End {
		return Span{}
	}
	return Span{v.originOffset(s.Start), v.originOffset(s.End-1) + 1}
}

// segmentAt returns the index of the segment that offset at is in.
func (v *View) segmentAt(at int) int {
	return sort.Search(len(v.segments), func(i int) bool { return v.segments[i].at > at }) - 1
}

// originOffset maps one offset. Inside a decoded segment it is proportional: exact
// for nothing, but never outside of the encoded text.
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

// ImageOf returns the range of the view that holds what was made from s, a range of
// the original.
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

// DiffersIn reports whether the view differs from the original in s, a range of it.
func (v *View) DiffersIn(s Span) bool {
	i, j := v.segmentsFrom(s)
	return i < j || !v.segments[i].verbatim
}

// segmentsFrom returns the first and the last segment that s, a range of the original, went
// into: those beside it, if it was left out.
func (v *View) segmentsFrom(s Span) (first, last int) {
	first = sort.Search(len(v.segments)-1, func(i int) bool { return v.segments[i].to > s.Start })
	last = sort.Search(len(v.segments), func(i int) bool { return v.segments[i].from >= s.End }) - 1
	return first, max(first, last)
}

// AppendAddedBytes appends what of the view may hold what the original does not: any run
// of span bytes of it lies in one piece of the result, or in the original. Pieces
// are set apart by a newline.
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

// SpansPieces reports whether s is of several parts of the original.
func (v *View) SpansPieces(s Span) bool {
	return s.Start < s.End && v.segmentAt(s.Start) != v.segmentAt(s.End-1)
}

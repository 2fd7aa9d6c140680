package detectors

import "sort"

// A view is a text as it reads after decoding, whole, so that an id and its
// secret meet in it even if only one of them was encoded.
type view struct {
	text     []byte
	segments []segment
	// joinsPieces is true if parts of the text were put together that may be strangers:
	// then only a match that is of several parts counts.
	joinsPieces bool
}

// A segment says where a part of a view's text comes from.
type segment struct {
	at       int // offset in the view
	from, to int // range of the original
	verbatim bool
}

// appendVerbatim appends src[from:to] as it is.
func (v *view) appendVerbatim(src []byte, from, to int) {
	if from < to {
		if v.text == nil {
			v.text = make([]byte, 0, len(src))
		}
		v.segments = append(v.segments, segment{len(v.text), from, to, true})
		v.text = append(v.text, src[from:to]...)
	}
}

// appendDecoded appends decoded, which stands for the original's bytes from to to.
func (v *view) appendDecoded(decoded []byte, from, to int) {
	if !v.extendLast(len(decoded), from, to) {
		v.segments = append(v.segments, segment{len(v.text), from, to, false})
	}
	v.text = append(v.text, decoded...)
}

// extendLast makes the last segment longer if n bytes for from to to are in its
// proportion: text in which every byte is escaped is one segment, not millions.
func (v *view) extendLast(n, from, to int) bool {
	if len(v.segments) == 0 {
		return false
	}
	s := &v.segments[len(v.segments)-1]
	if s.verbatim || s.to != from || (s.to-s.from)*n != (to-from)*(len(v.text)-s.at) {
		return false
	}
	s.to = to
	return true
}

// originOf returns the range of the original that s was made from.
func (v *view) originOf(s Span) Span {
	if s.Empty() {
		return Span{}
	}
	return Span{v.originOffset(s.Start), v.originOffset(s.End-1) + 1}
}

// segmentAt returns the index of the segment that offset at is in.
func (v *view) segmentAt(at int) int {
	return sort.Search(len(v.segments), func(i int) bool { return v.segments[i].at > at }) - 1
}

// originOffset maps one offset. Inside a decoded segment it is proportional: exact
// for nothing, but never outside of the encoded text.
func (v *view) originOffset(at int) int {
	i := v.segmentAt(at)
	s := v.segments[i]
	end := len(v.text)
	if i+1 < len(v.segments) {
		end = v.segments[i+1].at
	}
	if s.verbatim || end <= s.at {
		return s.from + at - s.at
	}
	return s.from + (at-s.at)*(s.to-s.from)/(end-s.at)
}

// imageOf returns the range of the view that holds what was made from s, a range of
// the original.
func (v *view) imageOf(s Span) Span {
	i, j := v.segmentsFrom(s)
	out := Span{v.segments[i].at, len(v.text)}
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

// differsIn reports whether the view differs from the original in s, a range of it.
func (v *view) differsIn(s Span) bool {
	i, j := v.segmentsFrom(s)
	return i < j || !v.segments[i].verbatim
}

// segmentsFrom returns the first and the last segment that s, a range of the original, went
// into: those beside it, if it was left out.
func (v *view) segmentsFrom(s Span) (first, last int) {
	first = sort.Search(len(v.segments)-1, func(i int) bool { return v.segments[i].to > s.Start })
	last = sort.Search(len(v.segments), func(i int) bool { return v.segments[i].from >= s.End }) - 1
	return first, max(first, last)
}

// appendAddedBytes appends what of the view may hold what the original does not: any run
// of span bytes of it lies in one piece of the result, or in the original. Pieces
// are set apart by a newline.
func (v *view) appendAddedBytes(dst []byte, span int) []byte {
	done := 0 // of the view
	for i := range v.segments {
		seg, from, to := &v.segments[i], v.segments[i].at, v.segments[i].at
		switch {
		case !seg.verbatim && i+1 < len(v.segments):
			to = v.segments[i+1].at
		case !seg.verbatim:
			to = len(v.text)
		case i == 0 && seg.from == 0:
			continue
		}
		if from-span > done {
			dst = append(dst, '\n')
			done = from - span
		}
		if end := min(to+span, len(v.text)); end > done {
			dst = append(dst, v.text[done:end]...)
			done = end
		}
	}
	return dst
}

// spansPieces reports whether s is of several parts of the original.
func (v *view) spansPieces(s Span) bool {
	return !s.Empty() && v.segmentAt(s.Start) != v.segmentAt(s.End-1)
}

// A decoder makes a view of a text, and nil if there is nothing to decode that
// could hold more than a word. room is how much may be unpacked.
type decoder struct {
	name   string // in benchmarks
	decode func(text []byte, room int) *view
}

// decoders returns what is tried, in order, each on what those before it made: a
// URL within JSON in UTF-16 within base64 takes two rounds.
func decoders() []decoder {
	return []decoder{
		{"utf16", decodeWide},
		{"hex", decodeHex}, // before the escapes, of which \x may be one
		{"escapes", unescape},
		{"base64", decodeBase64},
	}
}

// joiner is tried on what each round begins with.
var joiner = decoder{"joins", decodeJoins}

package detectors

import "sort"

// A view is a text as it reads after decoding, whole, so that an id and its
// secret meet in it even if only one of them was encoded.
type view struct {
	text []byte
	segs []segment
	// joins is true if parts of the text were put together that may be strangers:
	// then only a match that is of several parts counts.
	joins bool
}

// A segment says where a part of a view's text comes from.
type segment struct {
	at       int // offset in the view
	from, to int // range of the original
	verbatim bool
}

// copy appends src[from:to] as it is.
func (v *view) copy(src []byte, from, to int) {
	if from < to {
		if v.text == nil {
			v.text = make([]byte, 0, len(src))
		}
		v.segs = append(v.segs, segment{len(v.text), from, to, true})
		v.text = append(v.text, src[from:to]...)
	}
}

// emit appends decoded, which stands for the original's bytes from to to.
func (v *view) emit(decoded []byte, from, to int) {
	if !v.extend(len(decoded), from, to) {
		v.segs = append(v.segs, segment{len(v.text), from, to, false})
	}
	v.text = append(v.text, decoded...)
}

// extend makes the last segment longer if n bytes for from to to are in its
// proportion: text in which every byte is escaped is one segment, not millions.
func (v *view) extend(n, from, to int) bool {
	if len(v.segs) == 0 {
		return false
	}
	s := &v.segs[len(v.segs)-1]
	if s.verbatim || s.to != from || (s.to-s.from)*n != (to-from)*(len(v.text)-s.at) {
		return false
	}
	s.to = to
	return true
}

// origin returns the range of the original that s was made from.
func (v *view) origin(s Span) Span {
	if s.Empty() {
		return Span{}
	}
	return Span{v.offset(s.Start), v.offset(s.End-1) + 1}
}

// segment returns the index of the segment that offset at is in.
func (v *view) segment(at int) int {
	return sort.Search(len(v.segs), func(i int) bool { return v.segs[i].at > at }) - 1
}

// offset maps one offset. Inside a decoded segment it is proportional: exact
// for nothing, but never outside of the encoded text.
func (v *view) offset(at int) int {
	i := v.segment(at)
	s := v.segs[i]
	end := len(v.text)
	if i+1 < len(v.segs) {
		end = v.segs[i+1].at
	}
	if s.verbatim || end <= s.at {
		return s.from + at - s.at
	}
	return s.from + (at-s.at)*(s.to-s.from)/(end-s.at)
}

// image returns the range of the view that holds what was made from s, a range of
// the original.
func (v *view) image(s Span) Span {
	i, j := v.made(s)
	out := Span{v.segs[i].at, len(v.text)}
	if v.segs[i].verbatim {
		out.Start += max(0, s.Start-v.segs[i].from)
	}
	switch last := v.segs[j]; {
	case last.verbatim:
		out.End = last.at + min(s.End, last.to) - last.from
	case j+1 < len(v.segs):
		out.End = v.segs[j+1].at
	}
	return out
}

// changes reports whether the view differs from the original in s, a range of it.
func (v *view) changes(s Span) bool {
	i, j := v.made(s)
	return i < j || !v.segs[i].verbatim
}

// made returns the first and the last segment that s, a range of the original, went
// into: those beside it, if it was left out.
func (v *view) made(s Span) (first, last int) {
	first = sort.Search(len(v.segs)-1, func(i int) bool { return v.segs[i].to > s.Start })
	last = sort.Search(len(v.segs), func(i int) bool { return v.segs[i].from >= s.End }) - 1
	return first, max(first, last)
}

// appendNews appends what of the view may hold what the original does not: any run
// of span bytes of it lies in one piece of the result, or in the original. Pieces
// are set apart by a newline.
func (v *view) appendNews(dst []byte, span int) []byte {
	done := 0 // of the view
	for i := range v.segs {
		seg, from, to := &v.segs[i], v.segs[i].at, v.segs[i].at
		switch {
		case !seg.verbatim && i+1 < len(v.segs):
			to = v.segs[i+1].at
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

// joined reports whether s is of several parts of the original.
func (v *view) joined(s Span) bool {
	return !s.Empty() && v.segment(s.Start) != v.segment(s.End-1)
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

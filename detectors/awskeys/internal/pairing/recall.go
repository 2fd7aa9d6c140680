package pairing

import (
	"bytes"
	"unicode/utf8"

	"github.com/stanch-dev/stanch/detectors"
)

// A recall knows the names of values of texts that were like this one around them. A name
// takes 20 µs to find, and a version of a list of keys has thousands that its base had.
//
// The name of a value depends on these bytes alone:
//
//	the first line of the text         the head of a table
//	its line before it                 its name
//	reach before its line              its record, or its column in a table
//	maxBelow behind it                 the rest of its record
//
// It also depends on a zero byte in a text, as a sign that it is binary: such a text is not
// remembered.
type recall struct {
	memo *detectors.Memo
	text []byte
	head []byte
}

func newRecall(memo *detectors.Memo, text []byte) recall {
	const signs = 8000 // as far as a zero byte is looked for
	if bytes.IndexByte(text[:min(len(text), signs)], 0) >= 0 {
		memo = nil
	}
	head := text[:min(len(text), maxRow)]
	if end := bytes.IndexByte(head, '\n'); end >= 0 {
		head = head[:max(end, min(len(head), utf8.UTFMax))]
	}
	return recall{memo, text, head}
}

// value returns the value that read returns for s, without its place.
func (r *recall) value(kind string, s detectors.Span, reach int, read func(detectors.Span) Value) Value {
	if _, _, ok := placeOf(r.text, outsideCDATA(r.text, s.Start)); ok {
		reach = maxRow + maxAbove // an INSERT is above its rows
	}
	v := *recalled(r, kind, s, reach, func() *Value {
		v := read(s)
		v.Text = "" // it may be a secret
		return &v
	})
	v.Span, v.Text = s, string(r.text[s.Start:s.End])
	return v
}

// recalled returns the answer of workOut about s.
func recalled[T any](r *recall, kind string, s detectors.Span, reach int, workOut func() T) T {
	if r.memo == nil {
		return workOut()
	}
	const more = 64 // bytes around these that nameOf looks at
	line := s.Start - len(lastLine(r.text[max(0, s.Start-maxRow):s.Start]))
	from, to := max(0, line-reach-more), min(len(r.text), s.End+maxBelow+more)
	// A table looks for its head as far as reach above its row, and in the first line above that.
	head := r.head[:min(len(r.head), max(utf8.UTFMax, line-reach))]
	place := detectors.Place{Kind: kind, Head: head, Around: r.text[from:to], At: s.Start - from, Len: s.End - s.Start}
	return detectors.Recall(r.memo, place, workOut)
}

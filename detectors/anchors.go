package detectors

import (
	"bytes"
	"fmt"
)

// An encoding is a set of ways in which text may hold a keyword.
type encoding uint8

const (
	plain   encoding = 1 << iota
	escaped          // percent, \u, \x, \ and octal digits, quoted-printable, numeric references of HTML
	base64d
	utf16d
)

const all = plain | escaped | base64d | utf16d

// anchors finds out in one pass whether a text can hold a keyword, and in
// which encoding. Nearly every text holds none, and then this is all that the
// scan costs.
//
// The search is that of Wu and Manber (A fast algorithm for multi-pattern
// searching, 1994) with blocks of two bytes: it looks at every third byte or so.
// Refused: one bytes.Index per anchor, which reads the text forty times.
type anchors struct {
	window  int // length of the shortest pattern
	longest int // length of the longest
	shift   []uint8
	buckets map[uint16][]anchor
}

type anchor struct {
	pattern  []byte
	encoding encoding
}

// newAnchors compiles keywords, each of four bytes or more.
func newAnchors(keywords []string) *anchors {
	list := []anchor{}
	for _, k := range keywords {
		if len(k) < 4 {
			panic(fmt.Sprintf("keyword %q is shorter than 4 bytes", k))
		}
		list = append(list, encodings(k)...)
	}
	a := &anchors{window: 4, shift: make([]uint8, 1<<16), buckets: map[uint16][]anchor{}}
	for i := range a.shift {
		a.shift[i] = uint8(a.window - 1)
	}
	for _, p := range list {
		a.longest = max(a.longest, len(p.pattern))
		for i := 1; i < a.window; i++ {
			b := block(p.pattern, i)
			a.shift[b] = min(a.shift[b], uint8(a.window-1-i))
		}
		last := block(p.pattern, a.window-1)
		a.buckets[last] = append(a.buckets[last], p)
	}
	return a
}

// block is the two bytes of text that end at i.
func block(text []byte, i int) uint16 { return uint16(text[i-1])<<8 | uint16(text[i]) }

// find returns the encodings in which text holds an anchor.
func (a *anchors) find(text []byte) (found encoding) {
	for i := a.window - 1; i < len(text); {
		b := block(text, i)
		if s := a.shift[b]; s > 0 {
			i += int(s)
			continue
		}
		for _, p := range a.buckets[b] {
			if bytes.HasPrefix(text[i-a.window+1:], p.pattern) {
				found |= p.encoding
			}
		}
		if found == all {
			break
		}
		i++
	}
	return found
}

// encodings returns what to look for if k may be encoded.
func encodings(k string) []anchor {
	list := []anchor{{[]byte(k), plain}, {[]byte(utf16Form(k)), utf16d}}
	for _, s := range escapedForms(k) {
		list = append(list, anchor{[]byte(s), escaped})
	}
	for _, s := range base64Forms(k) {
		list = append(list, anchor{[]byte(s), base64d})
	}
	return list
}

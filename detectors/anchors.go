package detectors

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
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

// utf16Form returns what k in UTF-16 of either byte order has in common.
func utf16Form(k string) string { return strings.Join(strings.Split(k, ""), "\x00") }

// escapedForms returns the ways to escape k, the usual spelling of each.
func escapedForms(k string) []string {
	const hexUpper, hexLower = "0123456789ABCDEF", "0123456789abcdef"
	forms := make([]string, 0, 14)
	escape := func(before, after string, code func(c byte) string) {
		var s strings.Builder
		s.Grow(len(k) * 6)
		for _, c := range []byte(k) {
			s.WriteString(before)
			s.WriteString(code(c))
			s.WriteString(after)
		}
		forms = append(forms, s.String())
	}
	for _, digits := range []string{hexUpper, hexLower} {
		hex := func(c byte) string { return string([]byte{digits[c>>4], digits[c&15]}) }
		escape("%", "", hex)
		escape(`\u00`, "", hex)
		escape(`\x`, "", hex)
		escape("=", "", hex)
		escape("%u00", "", hex)
		escape("&#x", ";", hex)
	}
	escape("&#", ";", func(c byte) string { return strconv.Itoa(int(c)) })
	escape(`\`, "", func(c byte) string { return fmt.Sprintf("%03o", c) })
	return forms
}

// base64Forms returns what k may read like in base64, by what is before it.
func base64Forms(k string) []string {
	return []string{base64Core(k, 0), base64Core(k, 1), base64Core(k, 2)}
}

// base64Core returns the characters that the base64 form of every text with k
// at an offset of shift modulo 3 has in common.
func base64Core(k string, shift int) string {
	s := base64.StdEncoding.EncodeToString(append(make([]byte, shift, shift+len(k)), k...))
	first := (shift*8 + 5) / 6       // the first character that holds bits of k only
	last := (shift + len(k)) * 8 / 6 // the first that does not
	return s[first:last]
}

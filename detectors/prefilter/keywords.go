package prefilter

import (
	"bytes"
	"fmt"
)

// A spelling is a set of ways to write a keyword.
type spelling uint8

const (
	plainSpelling   spelling = 1 << iota
	escapedSpelling          // percent, \u, \x, \ and octal digits, quoted-printable, numeric references of HTML
	base64Spelling
	utf16Spelling
)

const allSpellings = plainSpelling | escapedSpelling | base64Spelling | utf16Spelling

// A keywordSearch finds out in one pass whether a text holds a keyword, and how it is
// spelled. It is the algorithm of Wu and Manber (A fast algorithm for multi-pattern
// searching, 1994) with blocks of two bytes, which looks at every third byte or so. One
// bytes.Index for each form of a keyword would read the text forty times.
type keywordSearch struct {
	window  int // length of the shortest pattern
	longest int // length of the longest
	shift   []uint8
	buckets map[uint16][]keywordForm
}

type keywordForm struct {
	pattern  []byte
	spelling spelling
}

// newKeywordSearch compiles keywords, each of four bytes or more.
func newKeywordSearch(keywords []string) *keywordSearch {
	list := []keywordForm{}
	for _, k := range keywords {
		if len(k) < 4 {
			panic(fmt.Sprintf("keyword %q is shorter than 4 bytes", k))
		}
		list = append(list, formsOf(k)...)
	}
	a := &keywordSearch{window: 4, shift: make([]uint8, 1<<16), buckets: map[uint16][]keywordForm{}}
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

// block returns the two bytes of text that end at i, as a number.
func block(text []byte, i int) uint16 { return uint16(text[i-1])<<8 | uint16(text[i]) }

// find returns the spellings of the keywords in text.
func (a *keywordSearch) find(text []byte) (found spelling) {
	for i := a.window - 1; i < len(text); {
		b := block(text, i)
		if s := a.shift[b]; s > 0 {
			i += int(s)
			continue
		}
		for _, p := range a.buckets[b] {
			if bytes.HasPrefix(text[i-a.window+1:], p.pattern) {
				found |= p.spelling
			}
		}
		if found == allSpellings {
			break
		}
		i++
	}
	return found
}

// formsOf returns k and its encoded forms.
func formsOf(k string) []keywordForm {
	list := []keywordForm{{[]byte(k), plainSpelling}, {[]byte(utf16Form(k)), utf16Spelling}}
	for _, s := range escapedForms(k) {
		list = append(list, keywordForm{[]byte(s), escapedSpelling})
	}
	for _, s := range base64Forms(k) {
		list = append(list, keywordForm{[]byte(s), base64Spelling})
	}
	return list
}

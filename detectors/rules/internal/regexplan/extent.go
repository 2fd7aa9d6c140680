package regexplan

import (
	"regexp/syntax"
	"unicode"
	"unicode/utf8"
)

// An extent bounds the length of a match. All bytes of the match are in the set bytes. Any
// number of them may be in loopBytes, at most maxLen are not. For `a{2}[0-9]*` maxLen is 2,
// and loopBytes are the digits.
type extent struct {
	maxLen           int
	bytes, loopBytes byteSet
	unbounded        bool // the match may go on to the end of the text
}

// maxReach bounds the walk through loopBytes. A longer match is taken to go on to the end
// of the text, or each word of a long line would cost a walk through the line.
const maxReach = 16 << 10

// add extends e by a match of re.
func (e *extent) add(re *syntax.Regexp) { e.repeat(re, 1) }

// repeat extends e by n matches of re.
func (e *extent) repeat(re *syntax.Regexp, n int) {
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			e.maxLen += n * width(r)
		}
		runesOf(re, e.bytes.add)
	case syntax.OpCharClass:
		widest := 1
		for _, r := range re.Rune {
			widest = max(widest, width(r))
		}
		e.maxLen += n * widest
		runesOf(re, e.bytes.add)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		e.maxLen += n * utf8.UTFMax
		runesOf(re, e.bytes.add)
	case syntax.OpStar, syntax.OpPlus:
		e.addRepeated(re.Sub[0])
	case syntax.OpRepeat:
		if re.Max < 0 {
			e.addRepeated(re.Sub[0])
			return
		}
		e.repeat(re.Sub[0], n*re.Max)
	case syntax.OpAlternate:
		longest := e.maxLen
		for _, sub := range re.Sub {
			branch := extent{}
			branch.repeat(sub, n)
			longest = max(longest, e.maxLen+branch.maxLen)
			e.unbounded = e.unbounded || branch.unbounded
			e.bytes.merge(&branch.bytes)
			e.loopBytes.merge(&branch.loopBytes)
		}
		e.maxLen = longest
	default:
		for _, sub := range re.Sub {
			e.repeat(sub, n)
		}
	}
}

// addRepeated extends e by any number of matches of re.
func (e *extent) addRepeated(re *syntax.Regexp) {
	e.unbounded = e.unbounded || re.Op == syntax.OpAnyChar
	for _, sub := range re.Sub {
		e.addRepeated(sub)
	}
	runesOf(re, e.bytes.add)
	runesOf(re, e.loopBytes.add)
}

// runesOf calls yield for the ranges of characters of re, which matches one character.
func runesOf(re *syntax.Regexp, yield func(lo, hi rune)) {
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			yield(r, r)
			if re.Flags&syntax.FoldCase != 0 {
				for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
					yield(f, f)
				}
			}
		}
	case syntax.OpCharClass:
		for i := 0; i+1 < len(re.Rune); i += 2 {
			yield(re.Rune[i], re.Rune[i+1])
		}
	case syntax.OpAnyCharNotNL:
		yield(0, '\n'-1)
		yield('\n'+1, unicode.MaxRune)
	case syntax.OpAnyChar:
		yield(0, unicode.MaxRune)
	}
}

// Characters that equal s and k if case is ignored. The windows of a plan ignore them, as
// package wordsearch does: no secret has them.
const (
	longS  = 0x17f
	kelvin = 0x212a
)

// width returns the most bytes that r takes, in either case.
func width(r rune) int {
	if r == longS || r == kelvin || r < utf8.RuneSelf {
		return 1
	}
	return utf8.UTFMax
}

// endAfter returns the last possible end of a match that begins at from, plus one character.
func (e *extent) endAfter(text []byte, from int) int {
	if e.unbounded {
		return len(text)
	}
	left := e.maxLen
	for i := from; i < len(text); i++ {
		if i-from > e.maxLen+maxReach {
			return len(text)
		}
		if !e.bytes.has(text[i]) {
			return min(i+utf8.UTFMax, len(text))
		}
		if !e.loopBytes.has(text[i]) {
			if left--; left < 0 {
				return min(i+utf8.UTFMax, len(text))
			}
		}
	}
	return len(text)
}

// startBefore returns the first possible start of a match that ends at end, minus one
// character.
func (e *extent) startBefore(text []byte, end int) int {
	if e.unbounded {
		return 0
	}
	left := e.maxLen
	for i := end - 1; i >= 0; i-- {
		if end-i > e.maxLen+maxReach {
			return 0
		}
		if !e.bytes.has(text[i]) {
			return max(i+1-utf8.UTFMax, 0)
		}
		if !e.loopBytes.has(text[i]) {
			if left--; left < 0 {
				return max(i+1-utf8.UTFMax, 0)
			}
		}
	}
	return 0
}

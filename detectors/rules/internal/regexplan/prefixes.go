package regexplan

import (
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stanch-dev/stanch/detectors/rules/internal/wordsearch"
)

// scoreOf prefers few and long words. 0 means that set is useless.
func scoreOf(set []string) int {
	if len(set) == 0 || shortest(set) < minStart {
		return 0
	}
	return min(shortest(set), 6)*1000 - len(set)
}

func shortest(set []string) int {
	n := maxStart
	for _, s := range set {
		n = min(n, len(s))
	}
	return n
}

// An enumerator lists words, up to so many.
type enumerator int

// prefixes returns words in lower case. Every match of re begins with one of them and, if
// exact is true, is one of them. One of the words may be empty.
func (most enumerator) prefixes(re *syntax.Regexp) (set []string, exact bool) {
	set, exact = most.prefixesOf(re)
	slices.Sort(set)
	if set = slices.Compact(set); len(set) > int(most) {
		return []string{""}, false
	}
	return set, exact
}

func (most enumerator) prefixesOf(re *syntax.Regexp) (set []string, exact bool) {
	switch re.Op {
	case syntax.OpLiteral:
		return literal(re.Rune, re.Flags&syntax.FoldCase != 0)
	case syntax.OpCharClass:
		return charClass(re.Rune)
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return []string{""}, true
	case syntax.OpCapture:
		return most.prefixes(re.Sub[0])
	case syntax.OpQuest:
		set, exact = most.prefixes(re.Sub[0])
		return append(set, ""), exact
	case syntax.OpPlus:
		set, _ = most.prefixes(re.Sub[0])
		return set, false
	case syntax.OpRepeat:
		if re.Min == 0 {
			return []string{""}, false
		}
		items := slices.Repeat(re.Sub[:1], min(re.Min, maxStart))
		set, exact = most.prefixes(concat(items))
		return set, exact && re.Min == re.Max && re.Min == len(items)
	case syntax.OpAlternate:
		exact = true
		for _, sub := range re.Sub {
			words, same := most.prefixes(sub)
			set, exact = append(set, words...), exact && same
		}
		return set, exact
	case syntax.OpConcat:
		return most.sequence(re.Sub)
	}
	return []string{""}, false
}

// sequence is prefixes for expressions that follow each other.
func (most enumerator) sequence(items []*syntax.Regexp) (set []string, exact bool) {
	set = []string{""}
	for _, sub := range items {
		words, same := most.prefixes(sub)
		if len(set)*len(words) > int(most) || len(words) > 3 && (shortest(set) >= longStart || shortest(set) >= 3 && most == maxStarts) {
			return set, false
		}
		var longer []string
		for _, a := range set {
			for _, b := range words {
				longer = append(longer, a+b)
			}
		}
		set = longer
		if !same || slices.ContainsFunc(set, func(s string) bool { return len(s) >= maxStart }) {
			return set, false
		}
	}
	return set, true
}

// literal returns the longest prefix of runes that can be found by comparing in lower case.
// It ends before a character with a spelling outside of ASCII.
func literal(runes []rune, fold bool) (set []string, exact bool) {
	var b strings.Builder
	for _, r := range runes {
		if r >= utf8.RuneSelf || fold && foldsFar(r) || b.Len() >= maxStart {
			return []string{b.String()}, false
		}
		b.WriteByte(wordsearch.Lower(byte(r)))
	}
	return []string{b.String()}, true
}

// foldsFar reports whether r equals a character other than ASCII if case is ignored.
func foldsFar(r rune) bool {
	if r = unicode.ToLower(r); r == 'k' || r == 's' {
		return false
	}
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		if f >= utf8.RuneSelf {
			return true
		}
	}
	return false
}

// charClass returns the characters of a small class of ASCII.
func charClass(ranges []rune) (set []string, exact bool) {
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			switch {
			case r == longS || r == kelvin:
				continue
			case r >= utf8.RuneSelf || len(set) > 2*36:
				return []string{""}, false
			}
			set = append(set, string(rune(wordsearch.Lower(byte(r)))))
		}
	}
	slices.Sort(set)
	return slices.Compact(set), true
}

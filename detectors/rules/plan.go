package rules

import (
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A plan says where in a text a regular expression can match, so that it need not
// be run on all of it. It is the expression cut in two: rest begins with one of
// starts, and before is what stands before that.
//
// Each match is found by the plan, at the same place as in the whole text: a match
// holds a start, at which rest (as a machine, see there) goes on; it begins no
// farther before the start than before reaches, and ends no farther behind it than
// rest reaches. Nothing of a match is outside of these bounds, nor is what it looks
// at: one character to either side.
type plan struct {
	starts       []string // lower case
	rest         *syntax.Regexp
	before, tail extent
}

// Bounds of what is worked out of an expression.
const (
	maxStarts = 128 // words
	maxStart  = 12  // bytes of a word
	minStart  = 2   // bytes: shorter ones stand everywhere
)

// newPlans returns plans for all matches of an expression, one for each alternative
// if one for all has no words to look for; or none.
func newPlans(re *syntax.Regexp) []*plan {
	if p := newPlan(re); p != nil {
		return []*plan{p}
	}
	items := flatten(nil, re)
	if len(items) != 1 || items[0].Op != syntax.OpAlternate {
		return nil
	}
	var all []*plan
	for _, sub := range items[0].Sub {
		p := newPlan(sub)
		if p == nil {
			return nil
		}
		all = append(all, p)
	}
	return all
}

// newPlan returns the plan of an expression, or nil if it has no words to look for.
func newPlan(re *syntax.Regexp) *plan {
	items := flatten(nil, re)
	best, bestScore := -1, 0
	var starts []string
	for i := range items {
		set, _ := prefixes(concat(items[i:]))
		if score := scoreOf(set); score > bestScore {
			best, bestScore, starts = i, score, set
		}
	}
	if best < 0 {
		return nil
	}
	p := &plan{starts: starts, rest: concat(items[best:])}
	p.before.add(concat(items[:best]))
	p.tail.add(p.rest)
	return p
}

// flatten appends to list the parts of re that follow each other.
func flatten(list []*syntax.Regexp, re *syntax.Regexp) []*syntax.Regexp {
	switch re.Op {
	case syntax.OpConcat, syntax.OpCapture:
		for _, sub := range re.Sub {
			list = flatten(list, sub)
		}
		return list
	case syntax.OpEmptyMatch:
		return list
	}
	return append(list, re)
}

func concat(items []*syntax.Regexp) *syntax.Regexp {
	return &syntax.Regexp{Op: syntax.OpConcat, Flags: syntax.Perl, Sub: items}
}

// scoreOf prefers long words, and few. 0 is no choice.
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

// prefixes returns words, in lower case, with one of which every match of re begins.
// If exact, the matches are no longer than them. It may return the empty word.
func prefixes(re *syntax.Regexp) (set []string, exact bool) {
	set, exact = prefixesOf(re)
	slices.Sort(set)
	if set = slices.Compact(set); len(set) > maxStarts {
		return []string{""}, false
	}
	return set, exact
}

func prefixesOf(re *syntax.Regexp) (set []string, exact bool) {
	switch re.Op {
	case syntax.OpLiteral:
		return literal(re.Rune, re.Flags&syntax.FoldCase != 0)
	case syntax.OpCharClass:
		return charClass(re.Rune)
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return []string{""}, true
	case syntax.OpCapture:
		return prefixes(re.Sub[0])
	case syntax.OpQuest:
		set, exact = prefixes(re.Sub[0])
		return append(set, ""), exact
	case syntax.OpPlus:
		set, _ = prefixes(re.Sub[0])
		return set, false
	case syntax.OpRepeat:
		if re.Min == 0 {
			return []string{""}, false
		}
		items := slices.Repeat(re.Sub[:1], min(re.Min, maxStart))
		set, exact = prefixes(concat(items))
		return set, exact && re.Min == re.Max && re.Min == len(items)
	case syntax.OpAlternate:
		exact = true
		for _, sub := range re.Sub {
			words, same := prefixes(sub)
			set, exact = append(set, words...), exact && same
		}
		return set, exact
	case syntax.OpConcat:
		return sequence(re.Sub)
	}
	return []string{""}, false
}

// sequence is prefixes of what follows each other.
func sequence(items []*syntax.Regexp) (set []string, exact bool) {
	set = []string{""}
	for _, sub := range items {
		words, same := prefixes(sub)
		if len(set)*len(words) > maxStarts || len(words) > 3 && shortest(set) >= 3 {
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

// literal returns runes up to what lower case alone does not make equal.
func literal(runes []rune, fold bool) (set []string, exact bool) {
	var b strings.Builder
	for _, r := range runes {
		if r >= utf8.RuneSelf || fold && foldsFar(r) || b.Len() >= maxStart {
			return []string{b.String()}, false
		}
		b.WriteByte(lower(byte(r)))
	}
	return []string{b.String()}, true
}

// foldsFar reports whether r is equal, in an expression that ignores case, to
// anything but ASCII.
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

// charClass returns the characters of a small class.
func charClass(ranges []rune) (set []string, exact bool) {
	for i := 0; i+1 < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			switch {
			case r == longS || r == kelvin:
				continue
			case r >= utf8.RuneSelf || len(set) > 2*36:
				return []string{""}, false
			}
			set = append(set, string(rune(lower(byte(r)))))
		}
	}
	slices.Sort(set)
	return slices.Compact(set), true
}

// An extent bounds how many bytes a match takes: all are of holds, those of loop do
// not count, and of the others there are most at most.
type extent struct {
	most        int
	holds, loop byteSet
	all         bool // no bound: it may go on to the end of the text
}

// maxReach is how far an extent goes through bytes of its loop; beyond, the bound
// is the end of the text, so that not every word of a long line is a walk through it.
const maxReach = 16 << 10

// add extends e by what re matches.
func (e *extent) add(re *syntax.Regexp) { e.repeat(re, 1) }

// repeat extends e by n times what re matches.
func (e *extent) repeat(re *syntax.Regexp, n int) {
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			e.most += n * width(r)
		}
		runesOf(re, e.holds.add)
	case syntax.OpCharClass:
		widest := 1
		for _, r := range re.Rune {
			widest = max(widest, width(r))
		}
		e.most += n * widest
		runesOf(re, e.holds.add)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		e.most += n * utf8.UTFMax
		runesOf(re, e.holds.add)
	case syntax.OpStar, syntax.OpPlus:
		e.endless(re.Sub[0])
	case syntax.OpRepeat:
		if re.Max < 0 {
			e.endless(re.Sub[0])
			return
		}
		e.repeat(re.Sub[0], n*re.Max)
	case syntax.OpAlternate:
		longest := e.most
		for _, sub := range re.Sub {
			branch := extent{}
			branch.repeat(sub, n)
			longest = max(longest, e.most+branch.most)
			e.all = e.all || branch.all
			e.holds.merge(&branch.holds)
			e.loop.merge(&branch.loop)
		}
		e.most = longest
	default:
		for _, sub := range re.Sub {
			e.repeat(sub, n)
		}
	}
}

// endless extends e by any number of what re matches.
func (e *extent) endless(re *syntax.Regexp) {
	e.all = e.all || re.Op == syntax.OpAnyChar
	for _, sub := range re.Sub {
		e.endless(sub)
	}
	runesOf(re, e.holds.add)
	runesOf(re, e.loop.add)
}

// runesOf calls yield for the ranges of characters that re matches one of.
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

// Equal to s and k where case is ignored. They are left out of account, here as in
// words: no secret is written with them.
const (
	longS  = 0x17f
	kelvin = 0x212a
)

// width is how many bytes r takes at most, in either case.
func width(r rune) int {
	if r == longS || r == kelvin || r < utf8.RuneSelf {
		return 1
	}
	return utf8.UTFMax
}

// after returns where what begins at from ends at the latest, and one character
// more.
func (e *extent) after(text []byte, from int) int {
	if e.all {
		return len(text)
	}
	left := e.most
	for i := from; i < len(text); i++ {
		if i-from > e.most+maxReach {
			return len(text)
		}
		if !e.holds.has(text[i]) {
			return min(i+utf8.UTFMax, len(text))
		}
		if !e.loop.has(text[i]) {
			if left--; left < 0 {
				return min(i+utf8.UTFMax, len(text))
			}
		}
	}
	return len(text)
}

// ahead returns where what ends at end begins at the earliest, and one character
// more.
func (e *extent) ahead(text []byte, end int) int {
	if e.all {
		return 0
	}
	left := e.most
	for i := end - 1; i >= 0; i-- {
		if end-i > e.most+maxReach {
			return 0
		}
		if !e.holds.has(text[i]) {
			return max(i+1-utf8.UTFMax, 0)
		}
		if !e.loop.has(text[i]) {
			if left--; left < 0 {
				return max(i+1-utf8.UTFMax, 0)
			}
		}
	}
	return 0
}

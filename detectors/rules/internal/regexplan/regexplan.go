package regexplan

import (
	"regexp/syntax"
	"sync"
)

// A Plan says where in a text a regular expression can match, so that it need not
// be run on all of it. It is the expression cut in two: rest begins with one of
// starts, and before is what stands before that.
//
// Each match is found by the plan, at the same place as in the whole text: a match
// holds a start, at which rest (as a machine, see there) goes on; it begins no
// farther before the start than before reaches, and ends no farther behind it than
// rest reaches. Nothing of a match is outside of these bounds, nor is what it looks
// at: one character to either side.
type Plan struct {
	Starts       []string // lower case
	rest         *syntax.Regexp
	before, tail extent
	machine      func() *machine // of rest; made when a text has one of starts
}

// Bounds of what is worked out of an expression.
const (
	maxStarts = 128 // words
	maxStart  = 12  // bytes of a word
	minStart  = 2   // bytes: shorter ones stand everywhere
)

// New returns plans for all matches of an expression, one for each alternative
// if one for all has no words to look for; or none.
func New(re *syntax.Regexp) []*Plan {
	if p := newPlan(re); p != nil {
		return []*Plan{p}
	}
	items := flatten(nil, re)
	if len(items) != 1 || items[0].Op != syntax.OpAlternate {
		return nil
	}
	var all []*Plan
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
func newPlan(re *syntax.Regexp) *Plan {
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
	p := &Plan{Starts: starts, rest: concat(items[best:])}
	p.before.add(concat(items[:best]))
	p.tail.add(p.rest)
	p.machine = sync.OnceValue(func() *machine { return newMachine(p.rest) })
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

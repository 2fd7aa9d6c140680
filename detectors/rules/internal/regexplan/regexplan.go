// Package regexplan says where in a text a regular expression can match, so that it need
// not be run on all of the text. It works on the syntax tree of package regexp/syntax, and
// knows nothing of rules.
//
// For `(?i)[\w-]{0,9}(?:key|token)\s*=\s*[a-z0-9]{8}` the words to look for are "key" and
// "token". Behind such a word, an automaton tells fast whether the rest can match there. If
// so, the expression has to be run on a window around the word. Half of `token_\w{40}|[0-9a-f]{40}`
// has no word: there, a run of 40 digits takes its place.
//
// Plans are worth their 760 lines: with the 222 rules of gitleaks 8.30.1, the 453 files of
// gitleaks take 0.14 s of CPU with plans, 0.9 s with the next best engine, go-re2, and
// 3.2 s with package regexp alone (bench/2026-11-30-speed/rules.md).
package regexplan

import (
	"regexp/syntax"
	"slices"
	"sync"
)

// A Plan is an expression cut in two. rest is its end, and before bounds the part before that.
// rest begins with one of Starts or, if there are none, with run.
//
// The windows of a plan hold each match of the expression, with one character to either
// side for \b and its like. A match holds one of Starts, at which the machine of rest goes
// on. It begins no farther before that start than before allows, and ends no farther behind
// it than tail allows.
type Plan struct {
	Starts       []string // lower case
	run          run
	rest         *syntax.Regexp
	before, tail extent
	machine      func() *machine // of rest; made when a text has one of starts
}

// Bounds of the words of an expression.
const (
	maxStarts     = 128  // words
	maxLongStarts = 1500 // words, if all have longStart bytes
	maxStart      = 12   // bytes of a word
	minStart      = 2    // bytes; shorter words are in every text
	longStart     = 4
	manyShort     = 8
)

// New returns plans that together find all matches of an expression: one, or one for each
// branch of an alternative if the whole has neither words nor a run. It returns none if there
// is nothing to look for.
func New(re *syntax.Regexp) []*Plan {
	items := flatten(nil, re)
	if p := newPlan(items); p != nil {
		return []*Plan{p}
	}
	for i, item := range items {
		if item.Op != syntax.OpAlternate {
			continue
		}
		if all := branchPlans(items[:i], item.Sub, items[i+1:]); all != nil {
			return all
		}
	}
	return nil
}

// branchPlans returns a plan for each of branches, which stand between before and after, or
// nil if one of them has nothing to look for.
func branchPlans(before, branches, after []*syntax.Regexp) (all []*Plan) {
	for _, branch := range branches {
		p := newPlan(slices.Concat(before, flatten(nil, branch), after))
		if p == nil {
			return nil
		}
		all = append(all, p)
	}
	return all
}

// newPlan returns the plan of parts that follow each other, or nil if there is nothing to look
// for.
func newPlan(items []*syntax.Regexp) *Plan {
	best, bestScore := -1, 0
	var starts []string
	for i := range items {
		set, _ := enumerator(maxStarts).prefixes(concat(items[i:]))
		if score := scoreOf(set); score > bestScore {
			best, bestScore, starts = i, score, set
		}
	}
	p := &Plan{Starts: starts}
	if best < 0 || shortest(starts) <= minStart {
		if i, r := firstRun(items); i >= 0 {
			best, p.Starts, p.run = i, nil, r
		}
	}
	if best < 0 {
		return nil
	}
	if len(p.Starts) > manyShort && shortest(p.Starts) < longStart { // many short words make the search slow
		if set, _ := enumerator(maxLongStarts).prefixes(concat(items[best:])); shortest(set) >= longStart {
			p.Starts = set
		}
	}
	p.rest = concat(items[best:])
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

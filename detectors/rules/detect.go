package rules

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/stanch-dev/stanch/detectors"
)

// A ruleMatch is a match of a rule before Required and rule 6 are applied.
type ruleMatch struct {
	start, end  int // range of the match
	secretStart int
	match       string
	secret      string
	countsAt    func(path, commit string) bool
}

// Detect implements detectors.Detector.
func (d *Detector) Detect(dst []detectors.Match, text []byte) []detectors.Match {
	s := d.takeScratch()
	defer d.putScratch(s)
	return s.detect(d, dst, text, s.places(d, nil, text, 0, len(text)))
}

// detect appends to dst the matches of text, of which all places are known.
func (s *scratch) detect(d *Detector, dst []detectors.Match, text []byte, places []place) []detectors.Match {
	anyRule := len(d.alwaysRun) > 0
	for _, p := range places {
		if p.plan < 0 {
			for _, n := range d.rulesByWord[p.word] {
				s.hasKeyword[n], anyRule = true, true
			}
			continue
		}
		if !p.window.Empty() {
			r := d.plans[p.plan].rule
			s.windows[r], anyRule = append(s.windows[r], p.window.Span), true
		}
	}
	if !anyRule {
		return dst
	}
	var all []detectors.Match
	generic := false
	for n, c := range d.rules {
		if c.SkipReport || c.needsKeyword && !s.hasKeyword[n] {
			continue
		}
		for _, f := range d.withRequired(s, n, text, s.find(d, n, text)) {
			all = append(all, c.match(f))
			generic = generic || c.generic
		}
	}
	if generic {
		all = d.dropGeneric(all, text)
	}
	return append(dst, all...)
}

// find returns the matches of rule n in text.
func (s *scratch) find(d *Detector, n int, text []byte) []ruleMatch {
	c := d.rules[n]
	switch {
	case s.searched[n]:
		return s.matches[n]
	case c.Regex == "":
		return nil
	}
	s.searched[n] = true
	if len(c.plans) == 0 {
		s.matches[n] = c.matches(nil, text, 0, s.memo.matches(n, c, text))
		return s.matches[n]
	}
	for _, p := range c.plans {
		if len(p.Starts) == 0 {
			s.windows[n] = p.RunWindows(s.windows[n], text)
		}
	}
	for _, w := range merged(s.windows[n]) {
		s.matches[n] = c.matches(s.matches[n], text, w.Start, s.memo.matches(n, c, text[w.Start:w.End]))
	}
	return s.matches[n]
}

// merged sorts windows and joins those that overlap, so that matches in them are found one
// after the other as in the whole text.
func merged(windows []detectors.Span) []detectors.Span {
	slices.SortFunc(windows, func(a, b detectors.Span) int { return cmp.Compare(a.Start, b.Start) })
	list := windows[:0]
	for _, w := range windows {
		if last := len(list) - 1; last >= 0 && w.Start <= list[last].End {
			list[last].End = max(list[last].End, w.End)
			continue
		}
		list = append(list, w)
	}
	return list
}

// matches appends to list the matches of a window, which begins at from, except for matches
// that a condition on their line allows.
func (c *compiled) matches(list []ruleMatch, text []byte, from int, window []ruleMatch) []ruleMatch {
	for _, f := range window {
		f.start, f.end, f.secretStart = f.start+from, f.end+from, f.secretStart+from
		if c.checkLine(&f, text) {
			list = append(list, f)
		}
	}
	return list
}

// findSecret sets the secret of f and reports whether it counts by its entropy and by the
// allowlists that need no line.
func (c *compiled) findSecret(f *ruleMatch, text []byte) bool {
	f.match = string(text[f.start:f.end])
	f.secret, f.secretStart = f.match, f.start
	groups := c.regex().FindStringSubmatchIndex(f.match)
	if len(groups) > 2 {
		for g := 1; 2*g < len(groups); g++ {
			from, to := groups[2*g], groups[2*g+1]
			if c.SecretGroup == g || c.SecretGroup == 0 && to > from {
				f.secret = f.match[max(from, 0):max(to, 0)]
				f.secretStart = f.start + max(from, 0)
				break
			}
		}
	}
	if f.secret == "" || c.Entropy != 0 && entropy(f.secret) <= c.Entropy {
		return false
	}
	return !slices.ContainsFunc(c.byText, func(a *Allowlist) bool {
		return a.Target != TargetLine && a.Allows(f.secret, f.match, "")
	})
}

// checkLine reports whether f counts by the allowlists that need its line, and sets
// f.countsAt.
func (c *compiled) checkLine(f *ruleMatch, text []byte) bool {
	line := ""
	lists := slices.Concat(c.byText, c.byBoth)
	if slices.ContainsFunc(lists, func(a *Allowlist) bool { return a.Target == TargetLine }) {
		line = lineOf(text, f.start, f.end)
	}
	for _, a := range c.byText {
		if a.Target == TargetLine && a.Allows(f.secret, f.match, line) {
			return false
		}
	}
	var both []*Allowlist
	for _, a := range c.byBoth {
		if a.Allows(f.secret, f.match, line) {
			both = append(both, a)
		}
	}
	f.countsAt = c.countsAt(both)
	return true
}

// maxLine bounds the part of a line to either side of a match: a file may be a single line.
const maxLine = 16 << 10

// lineOf returns the lines of text[start:end], with the newline before them, as gitleaks
// does.
func lineOf(text []byte, start, end int) string {
	from := max(0, start-maxLine)
	if i := bytes.LastIndexByte(text[from:start], '\n'); i >= 0 {
		from += i
	}
	to := min(len(text), end+maxLine)
	if i := bytes.IndexByte(text[end:to], '\n'); i >= 0 {
		to = end + i
	}
	return string(text[from:to])
}

// withRequired returns the matches in list, of rule n, that have the matches of
// Rule.Required near them.
func (d *Detector) withRequired(s *scratch, n int, text []byte, list []ruleMatch) []ruleMatch {
	c := d.rules[n]
	if len(c.Required) == 0 || len(list) == 0 {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(f ruleMatch) bool {
		return slices.ContainsFunc(c.Required, func(r Required) bool {
			k, ok := d.byID[r.ID]
			return !ok || !slices.ContainsFunc(s.find(d, k, text), func(g ruleMatch) bool { return r.within(text, f.start, g.start) })
		})
	})
}

// within reports whether matches that begin at a and b are near enough.
func (r Required) within(text []byte, a, b int) bool {
	if r.Lines != nil && bytes.Count(text[min(a, b):max(a, b)], []byte{'\n'}) > *r.Lines {
		return false
	}
	column := func(at int) int { return at - bytes.LastIndexByte(text[:at], '\n') }
	distance := 0
	if r.Columns != nil {
		distance = max(column(a)-column(b), column(b)-column(a))
	}
	return r.Columns == nil || distance <= *r.Columns
}

func (c *compiled) match(f ruleMatch) detectors.Match {
	return detectors.Match{
		Rule: c.doc, Span: detectors.Span{Start: f.start, End: f.end},
		Secret:     detectors.Span{Start: f.secretStart, End: f.secretStart + len(f.secret)},
		Credential: detectors.Credential{Secret: detectors.NewSecret(f.secret)},
		Confidence: detectors.Medium, CountsAt: f.countsAt,
		Unverifiable: "a rule of yours found it: there is nobody to ask whether it works",
	}
}

// dropGeneric is rule 6. list is in the order of the rules.
func (d *Detector) dropGeneric(list []detectors.Match, text []byte) []detectors.Match {
	isGeneric := func(m *detectors.Match) bool { return d.rules[d.byID[m.Rule.ID]].generic }
	var better []detectors.Match
	for _, m := range list {
		if !isGeneric(&m) {
			better = append(better, m)
		}
	}
	slices.SortFunc(better, func(a, b detectors.Match) int { return cmp.Compare(a.Start, b.Start) })
	worse := func(g *detectors.Match) bool {
		if !isGeneric(g) {
			return false
		}
		from := sort.Search(len(better), func(k int) bool { return better[k].Start >= g.Start-maxApart })
		for _, m := range better[from:] {
			if m.Start > g.Start+maxApart {
				break
			}
			if sameLine(text, g.Start, m.Start) && strings.Contains(m.Credential.Secret.Reveal(), g.Credential.Secret.Reveal()) {
				if m.CountsAt == nil {
					return true
				}
				g.CountsAt = countsExcept(g.CountsAt, m.CountsAt)
			}
		}
		return false
	}
	kept := list[:0]
	for _, m := range list {
		if !worse(&m) {
			kept = append(kept, m)
		}
	}
	return kept
}

// countsExcept returns a CountsAt that is true where at is true, or nil, and other is false.
func countsExcept(at, other func(path, commit string) bool) func(path, commit string) bool {
	return func(path, commit string) bool { return (at == nil || at(path, commit)) && !other(path, commit) }
}

// maxApart bounds the distance of the beginnings of two matches on one line. Without it, all
// matches of a file with a single line would be compared with each other.
const maxApart = 1 << 10

// sameLine reports whether no line ends between a and b.
func sameLine(text []byte, a, b int) bool {
	return bytes.IndexByte(text[min(a, b):max(a, b)], '\n') < 0
}

// entropy returns the Shannon entropy of s as gitleaks computes it: of characters, but
// divided by the number of bytes.
func entropy(s string) (bits float64) {
	counts := map[rune]int{}
	for _, r := range s {
		counts[r]++
	}
	// In a fixed order: a sum in the order of a map differs in its last bit.
	list := make([]int, 0, len(counts))
	for _, n := range counts {
		list = append(list, n)
	}
	slices.Sort(list)
	for _, n := range list {
		p := float64(n) / float64(len(s))
		bits -= p * math.Log2(p)
	}
	return bits
}

package suppress

import (
	"slices"
	"strings"
	"sync"

	"github.com/stanch-dev/stanch/scanner/finding"
)

// The comments of secretlint, as its rule-filter-comments reads them: one for its line, one
// for the next line, and two that switch it off and on for all that follows. Each may name
// rules; behind "--" is a remark. secretlint takes the end of a comment, as in
// /* secretlint-disable */, for the name of a rule; its documentation does not, nor do we.
var secretlintComment = lazy(`secretlint-(disable-next-line|disable-line|disable|enable)([^\n]*)`)

// A lintComment is a comment of secretlint.
type lintComment struct {
	kind  string
	rules []string // none stands for all
}

func lintComments(text string) (list []lintComment) {
	for _, m := range secretlintComment().FindAllStringSubmatch(text, -1) {
		names, _, _ := strings.Cut(m[2], "--")
		names = strings.TrimSuffix(strings.TrimSpace(names), "*/")
		c := lintComment{kind: m[1]}
		for name := range strings.SplitSeq(names, ",") {
			if name = strings.TrimSpace(name); name != "" {
				c.rules = append(c.rules, name)
			}
		}
		list = append(list, c)
	}
	return list
}

// lintAll stands for all rules of secretlint.
const lintAll = "*"

// cachedSwitches returns isSwitchedOff with a memory: a text may have thousands of findings.
// It may be used concurrently.
func cachedSwitches() func(switches string, f *finding.Finding) bool {
	type key struct {
		switches string
		own      bool // a rule of the user, which no rule of secretlint is about
	}
	var mu sync.Mutex
	known := map[key]bool{}
	return func(switches string, f *finding.Finding) bool {
		if switches == "" {
			return false
		}
		k := key{switches, f.Match.Rule.Value}
		mu.Lock()
		defer mu.Unlock()
		off, ok := known[k]
		if !ok {
			off = isSwitchedOff(switches, f)
			known[k] = off
		}
		return off
	}
}

// isLintRuleFor reports whether a rule of secretlint is about f.
func isLintRuleFor(rule string, f *finding.Finding) bool {
	return rule == lintAll || rule == "@secretlint/secretlint-rule-aws" && !f.Match.Rule.Value
}

// isFor reports whether c names no rules, or one that is about f.
func (c lintComment) isFor(f *finding.Finding) bool {
	return len(c.rules) == 0 || slices.ContainsFunc(c.rules, func(rule string) bool { return isLintRuleFor(rule, f) })
}

// secretlint reads the comments of secretlint for single lines.
func (c lineContext) secretlint(f *finding.Finding) string {
	for _, l := range []struct{ where, kind, text string }{{"its line", "disable-line", c.line}, {"the line before", "disable-next-line", c.before}} {
		for _, comment := range lintComments(l.text) {
			if comment.kind == l.kind && comment.isFor(f) {
				return l.where + " says secretlint-" + l.kind
			}
		}
	}
	return ""
}

// isSwitchedOff reports whether switches, the comments up to f, leave secretlint switched
// off for f. A comment that switches it on for all rules ends the last comment that switched
// it off, and no earlier one.
func isSwitchedOff(switches string, f *finding.Finding) bool {
	var off [][]string // rules, by comment
	for _, c := range lintComments(switches) {
		rules := c.rules
		if len(rules) == 0 {
			rules = []string{lintAll}
		}
		switch {
		case c.kind == "disable":
			off = append(off, rules)
		case c.kind == "enable" && len(c.rules) == 0 && len(off) > 0:
			off = off[:len(off)-1]
		case c.kind == "enable":
			for _, rule := range c.rules {
				off = withoutLast(off, rule)
			}
		}
	}
	return slices.ContainsFunc(off, func(rules []string) bool {
		return slices.ContainsFunc(rules, func(rule string) bool { return isLintRuleFor(rule, f) })
	})
}

// withoutLast removes rule from the last of off that has it.
func withoutLast(off [][]string, rule string) [][]string {
	for i := len(off) - 1; i >= 0; i-- {
		if at := slices.Index(off[i], rule); at >= 0 {
			if off[i] = slices.Delete(off[i], at, at+1); len(off[i]) == 0 {
				off = slices.Delete(off, i, i+1)
			}
			break
		}
	}
	return off
}

package suppress

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// Comments that count on the line of the id or of the secret, as their tools read them:
// gitleaks and betterleaks (detect/detect.go, allowSignatures), trufflehog, ggshield.
var lineComments = []string{"betterleaks:allow", "gitleaks:allow", "trufflehog:ignore", "ggignore"}

// Compiled when something is found.
var (
	pragma     = lazy(`(?i)pragma: ?(?:allow|white)list[ -]secret`)
	nextPragma = lazy(`(?i)^[^\w]*pragma: ?(?:allow|white)list[ -]nextline[ -]secret`)
	ownComment = lazy(`\bstanch:allow\b[ \t]*(.*)`)
	until      = lazy(`(?:^|\s)until=(\S+)`)
)

func lazy(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// Comments returns the filter for comments on the line of the id or of the secret, or beside
// it: "stanch:allow REASON [until=2027-01-31]" and those of other tools. stanch's own comment
// needs a reason. Without one, or after its last day, it hides nothing, and a note says so.
func Comments(now time.Time, notes *Notes) scanner.LocationFilter {
	switchedOff, mayHoldComment := cachedSwitches(), cachedLooks()
	return func(f *finding.Finding, l *finding.Location) string {
		for _, c := range linesOf(l) {
			if !mayHoldComment(c) {
				continue
			}
			if why := c.ownReason(now, func(format string, args ...any) {
				notes.Add("%s:%d: stanch:allow "+format, append([]any{l.Path, l.Line}, args...)...)
			}); why != "" {
				return why
			}
			if why := c.foreignReason(f); why != "" {
				return why
			}
		}
		if l.Around != nil && switchedOff(l.Around.Switches.Reveal(), f) {
			return "a line before says secretlint-disable"
		}
		return ""
	}
}

// A lineContext is the line of an id or of a secret, with the lines beside it.
type lineContext struct{ before, line, after string }

// linesOf returns the context of the id at l, then that of the secret if it has another.
func linesOf(l *finding.Location) []lineContext {
	if l.Around == nil {
		return nil
	}
	a := l.Around
	all := []lineContext{{a.Before.Reveal(), a.Line.Reveal(), a.After.Reveal()}}
	if s := a.SecretLine.Reveal(); s != "" {
		all = append(all, lineContext{a.SecretBefore.Reveal(), s, a.SecretAfter.Reveal()})
	}
	return all
}

// commentWords are in all comments that count, in small letters or not.
var commentWords = []string{"allow", "ignore", "whitelist", "nosem", "secretlint-"}

// mayHoldComment is a cheap first look: the patterns are slow, and a list of keys has thousands
// of lines in each of its versions.
func (c lineContext) mayHoldComment() bool {
	return slices.ContainsFunc([]string{c.before, c.line, c.after}, func(line string) bool {
		line = strings.ToLower(line)
		return slices.ContainsFunc(commentWords, func(word string) bool { return strings.Contains(line, word) })
	})
}

// maxLooks bounds the lines that are remembered. If there are more, they are forgotten.
const maxLooks = 1 << 14

// cachedLooks returns mayHoldComment with a memory: the versions of a file have the same lines.
// It may be used concurrently.
func cachedLooks() func(lineContext) bool {
	var mu sync.Mutex
	known := map[lineContext]bool{}
	return func(c lineContext) bool {
		mu.Lock()
		defer mu.Unlock()
		may, ok := known[c]
		if !ok {
			if len(known) == maxLooks {
				clear(known)
			}
			may = c.mayHoldComment()
			known[c] = may
		}
		return may
	}
}

// foreignReason returns the reason to ignore f that a comment of another tool is, or "".
func (c lineContext) foreignReason(f *finding.Finding) string {
	for _, s := range lineComments {
		if strings.Contains(c.line, s) {
			return "its line says " + s
		}
	}
	switch {
	case pragma().MatchString(c.line):
		return "its line says pragma: allowlist secret"
	case nextPragma().MatchString(c.before):
		return "the line before says: pragma: allowlist nextline secret"
	}
	if why := c.kingfisher(); why != "" {
		return why
	}
	if why := c.secretlint(f); why != "" {
		return why
	}
	return c.semgrep(f)
}

// kingfisher reads the comments of kingfisher (kingfisher-scanner/src/context/inline_ignore.rs):
// in capitals or not, on the line or on one beside it. Old versions read kingfisher:allow.
// kingfisher looks past lines of base64 and of quotes; that is left out.
func (c lineContext) kingfisher() string {
	for _, line := range []struct{ where, text string }{{"its line", c.line}, {"the line before", c.before}, {"the line after", c.after}} {
		text := strings.ToLower(line.text)
		for _, s := range []string{"kingfisher:ignore", "kingfisher:allow"} {
			if strings.Contains(text, s) {
				return line.where + " says " + s
			}
		}
	}
	return ""
}

// semgrepHere and semgrepNext are Semgrep's (src/reporting/Nosemgrep.ml): a comment for its
// line, and one alone on the line before.
var (
	semgrepHere = lazy(`(?i) nosem(?:grep)?(?:[:=]\s?((?:[^,\s][,\s]*)+))?`)
	semgrepNext = lazy(`(?i)^[^a-zA-Z0-9]* nosem(?:grep)?(?:[:=]\s?((?:[^,\s][,\s]*)+))?`)
)

// semgrep reads the comments of Semgrep. One that names rules counts only if one of them is
// about f; words behind the name of a rule are a remark.
func (c lineContext) semgrep(f *finding.Finding) string {
	found := slices.Concat(semgrepHere().FindAllStringSubmatch(c.line, -1), semgrepNext().FindAllStringSubmatch(c.before, -1))
	var ids []string
	for _, m := range found {
		if m[1] != "" {
			ids = append(ids, strings.Split(m[1], ",")...)
		}
	}
	named := func(id string) bool {
		id, _, _ = strings.Cut(strings.TrimSpace(id), " ")
		return isSemgrepRuleFor(strings.Trim(id, `"`), f)
	}
	if len(found) > 0 && (len(ids) == 0 || slices.ContainsFunc(ids, named)) {
		return "its line, or the line before, says nosemgrep"
	}
	return ""
}

// isSemgrepRuleFor reports whether a rule of Semgrep is about f: one for secrets of AWS, such
// as generic.secrets.security.detected-aws-access-key-id-value. A comment may give the end
// of its name alone.
func isSemgrepRuleFor(rule string, f *finding.Finding) bool {
	name := strings.ToLower(rule[strings.LastIndexByte(rule, '.')+1:])
	if f.Match.Rule.Value {
		return name == f.Match.Rule.ID
	}
	return strings.Contains(name, "aws") && slices.ContainsFunc([]string{"key", "secret", "token", "credential"}, func(s string) bool { return strings.Contains(name, s) })
}

// ownReason returns the reason in a "stanch:allow" comment on the line, if the comment
// counts.
func (c lineContext) ownReason(now time.Time, note func(format string, args ...any)) string {
	m := ownComment().FindStringSubmatch(c.line)
	if m == nil {
		return ""
	}
	date := until().FindStringSubmatch(m[1])
	reason := strings.TrimSpace(strings.TrimRight(until().ReplaceAllString(m[1], ""), "*/->#\"'`,; \t\r"))
	if reason == "" {
		note("gives no reason: it hides nothing")
		return ""
	}
	if date != nil {
		day, err := time.ParseInLocation(time.DateOnly, strings.TrimRight(date[1], "*/->#\"'`,;"), now.Location())
		switch {
		case err != nil:
			note("until is not a date such as 2027-01-31: it hides nothing")
			return ""
		case !now.Before(day.AddDate(0, 0, 1)):
			note("ended on %s: it hides nothing any more", day.Format(time.DateOnly))
			return ""
		}
	}
	return "stanch:allow: " + reason
}

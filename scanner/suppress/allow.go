package suppress

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/detectors/rules"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// Allow returns the filter of the allowlists of a configuration. An allowlist that has
// expired by now hides nothing, and a note says so.
func Allow(own *rules.Own, name Namer, now time.Time, notes *Notes) scanner.LocationFilter {
	list := slices.DeleteFunc(slices.Clone(own.Allow), func(a *rules.Allow) bool {
		return isExpired(own.Name, "[[allow]]", &a.Note, now, notes)
	})
	return func(f *finding.Finding, l *finding.Location) string {
		path := NameOnce(name, l)
		for _, a := range list {
			if Allows(a, f, l, path) {
				return reason(own.Name, &a.Note)
			}
		}
		return ""
	}
}

// NameOnce returns a Namer for l alone, which asks name at most once: to find where a file is in
// the project takes system calls, and each entry of a list asks.
func NameOnce(name Namer, l *finding.Location) Namer {
	path := sync.OnceValue(func() string { return name(l) })
	return func(*finding.Location) string { return path() }
}

// Allows reports whether f, at l, meets all conditions of a.
func Allows(a *rules.Allow, f *finding.Finding, l *finding.Location, name Namer) bool {
	if len(a.Rules) > 0 && !slices.Contains(a.Rules, f.Match.Rule.ID) ||
		len(a.Fingerprints) > 0 && !slices.Contains(a.Fingerprints, f.Fingerprint()) ||
		len(a.Commits) > 0 && !slices.ContainsFunc(a.Commits, func(c string) bool { return strings.HasPrefix(l.Commit, c) }) ||
		len(a.Paths) > 0 && !anyOf(a.Paths, name(l)) ||
		len(a.Lines) > 0 && !onLine(a.Lines, l, name(l)) ||
		len(a.Regexes) > 0 && !slices.ContainsFunc(texts(f), func(s string) bool { return anyOf(a.Regexes, s) }) {
		return false
	}
	return len(a.StopWords) == 0 || slices.ContainsFunc(texts(f), func(s string) bool {
		s = strings.ToLower(s)
		return slices.ContainsFunc(a.StopWords, func(w string) bool { return strings.Contains(s, w) })
	})
}

// onLine reports whether one of list matches a line of l, alone or as PATH:LINE:TEXT, the
// output of git grep that git-secrets matches.
func onLine(list []*regexp.Regexp, l *finding.Location, path string) bool {
	numbers := []int{l.Line, l.SecretLine}
	for i, line := range lines(l) {
		if anyOf(list, line) || anyOf(list, fmt.Sprintf("%s:%d:%s", path, numbers[i], line)) {
			return true
		}
	}
	return false
}

// anyOf reports whether one of list matches s, which is not "".
func anyOf(list []*regexp.Regexp, s string) bool {
	return s != "" && slices.ContainsFunc(list, func(re *regexp.Regexp) bool { return re.MatchString(s) })
}

// Unread returns a function for scanner.Scanner.AllowUnread: it says why a part that could
// not be read is accepted. Paths are tried on the name of the part in the report.
func Unread(own *rules.Own, now time.Time, notes *Notes) func(finding.Unread) string {
	list := slices.DeleteFunc(slices.Clone(own.Unread), func(u *rules.Unread) bool {
		return isExpired(own.Name, "[[unread]]", &u.Note, now, notes)
	})
	return func(part finding.Unread) string {
		for _, u := range list {
			if Accepts(u, part) {
				return reason(own.Name, &u.Note)
			}
		}
		return ""
	}
}

// Accepts reports whether u names part.
func Accepts(u *rules.Unread, part finding.Unread) bool {
	return slices.Contains(u.Blobs, string(part.Blob)) || anyOf(u.Paths, part.What)
}

func isExpired(file, table string, n *rules.Note, now time.Time, notes *Notes) bool {
	if n.Expired(now) {
		notes.Add("%s: line %d: %s ended on %s: it hides nothing any more", file, n.Line, table, n.Expires.Format(time.DateOnly))
		return true
	}
	return false
}

func reason(file string, n *rules.Note) string {
	s := fmt.Sprintf("%s:%d: %s", file, n.Line, n.Reason)
	if n.Author != "" {
		s += " (" + n.Author + ")"
	}
	return s
}

// Gitleaks returns the filter that applies the allowlists of a configuration of gitleaks to
// findings of stanch itself: allowlists for all rules, and allowlists of rules about AWS.
// The rules of the configuration have judged their own findings already.
func Gitleaks(c *rules.Config, name Namer) scanner.LocationFilter {
	list := slices.Clone(c.Own)
	for _, r := range c.Rules {
		if strings.Contains(strings.ToLower(r.ID), "aws") {
			list = append(list, r.Allowlists...)
		}
	}
	return func(f *finding.Finding, l *finding.Location) string {
		if f.Match.Rule.Value {
			return ""
		}
		for _, a := range list {
			if matches(a, f, l, name(l)) {
				return strings.TrimSuffix("allowlist of "+c.Name+": "+a.Description, ": ")
			}
		}
		return ""
	}
}

// matches tries an allowlist on the id and on the secret. No regex has matched here, so the
// line stands in for the match.
func matches(a *rules.Allowlist, f *finding.Finding, l *finding.Location, path string) bool {
	all := lines(l)
	if len(all) == 0 {
		all = []string{""}
	}
	for i, text := range texts(f) {
		line := all[min(i, len(all)-1)]
		if a.AllowsSecretAt(text, line, line, path, l.Commit) {
			return true
		}
	}
	return false
}

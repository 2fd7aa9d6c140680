package rules

import (
	"crypto/sha256"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/stanch-dev/stanch/detectors/rules/internal/wordsearch"
)

// An Allowlist says which matches are no secrets. One of its conditions must hold or, with
// And, one of each kind that it has.
type Allowlist struct {
	Description string
	And         bool
	Commits     []string // lower case
	Paths       []*regexp.Regexp
	Regexes     []*regexp.Regexp
	// Target is the text for Regexes: TargetMatch, TargetLine, or "" for the secret.
	Target    string
	StopWords []string // anywhere in the secret, in either case

	stopIndex    *wordsearch.Finder
	paths, texts answers
}

// answers remember which paths or texts an allowlist has: a finding with a thousand places asks
// about the same few again and again. They may be used concurrently.
type answers struct {
	mu    sync.Mutex
	known map[string]bool
}

// maxAnswers bounds the remembered answers. If there are more, they are forgotten.
const maxAnswers = 1 << 14

// recall returns the answer about key, which workOut tells if it is not known.
func (a *answers) recall(key string, workOut func() bool) bool {
	a.mu.Lock()
	answer, ok := a.known[key]
	a.mu.Unlock()
	if ok {
		return answer
	}
	answer = workOut() // without the lock: regexps take long
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known == nil || len(a.known) >= maxAnswers {
		a.known = map[string]bool{}
	}
	a.known[key] = answer
	return answer
}

// Targets of Allowlist.Regexes.
const (
	TargetMatch = "match"
	TargetLine  = "line"
)

// isAboutText reports whether a has conditions on the match, isAboutLocation whether it has
// conditions on its path or commit.
func (a *Allowlist) isAboutText() bool     { return len(a.Regexes)+len(a.StopWords) > 0 }
func (a *Allowlist) isAboutLocation() bool { return len(a.Paths)+len(a.Commits) > 0 }

// Allows reports whether the conditions of a on the secret, the match and the line hold. If
// there are none, the result is a.And.
func (a *Allowlist) Allows(secret, match, line string) bool {
	target := secret
	switch a.Target {
	case TargetMatch:
		target = match
	case TargetLine:
		target = line
	}
	byRegex := target != "" && matchesAny(a.Regexes, target)
	if a.And {
		return (len(a.Regexes) == 0 || byRegex) && (len(a.StopWords) == 0 || a.hasStopWord(secret))
	}
	return byRegex || a.hasStopWord(secret)
}

// AllowsAt reports whether the conditions of a on the location hold. If there are none, the
// result is a.And. path and commit may be "".
func (a *Allowlist) AllowsAt(path, commit string) bool {
	byCommit := commit != "" && slices.Contains(a.Commits, strings.ToLower(commit))
	byPath := path != "" && len(a.Paths) > 0 && a.paths.recall(path, func() bool { return matchesAny(a.Paths, path) })
	if a.And {
		return (len(a.Commits) == 0 || byCommit) && (len(a.Paths) == 0 || byPath)
	}
	return byCommit || byPath
}

// AllowsSecretAt reports whether a allows the secret at the location.
func (a *Allowlist) AllowsSecretAt(secret, match, line, path, commit string) bool {
	key := sha256.Sum256([]byte(strings.Join([]string{secret, match, line}, "\x00"))) // no secret is kept
	byText := a.texts.recall(string(key[:]), func() bool { return a.Allows(secret, match, line) })
	if a.And {
		return byText && a.AllowsAt(path, commit)
	}
	return byText || a.AllowsAt(path, commit)
}

func (a *Allowlist) hasStopWord(secret string) bool {
	return a.stopIndex != nil && secret != "" && a.stopIndex.Any([]byte(secret))
}

// prepare makes a ready for use.
func (a *Allowlist) prepare() {
	for i, c := range a.Commits {
		a.Commits[i] = strings.ToLower(strings.TrimSpace(c))
	}
	for _, s := range a.StopWords {
		if a.stopIndex == nil {
			a.stopIndex = &wordsearch.Finder{}
		}
		if s != "" {
			a.stopIndex.Add(strings.ToLower(s))
		}
	}
}

func matchesAny(list []*regexp.Regexp, s string) bool {
	return slices.ContainsFunc(list, func(re *regexp.Regexp) bool { return re.MatchString(s) })
}

// addAllowlists sorts allowlists by their conditions: on the match, on its location or both.
func (c *compiled) addAllowlists(list []*Allowlist) {
	for _, a := range list {
		switch {
		case a.And && a.isAboutText() && a.isAboutLocation():
			c.byBoth = append(c.byBoth, a)
			continue
		case a.isAboutText():
			c.byText = append(c.byText, a)
		}
		if a.isAboutLocation() {
			c.byLocation = append(c.byLocation, a)
		}
	}
}

// countsAt returns the function detectors.Match.CountsAt of a match; nil if the match counts
// everywhere. both are the allowlists whose conditions on the match hold already.
func (c *compiled) countsAt(both []*Allowlist) func(path, commit string) bool {
	if c.Path == nil && len(c.byLocation) == 0 && len(both) == 0 {
		return nil
	}
	return func(path, commit string) bool {
		if c.Path != nil && !c.Path.MatchString(path) {
			return false
		}
		allowed := func(a *Allowlist) bool { return a.AllowsAt(path, commit) }
		return !slices.ContainsFunc(c.byLocation, allowed) && !slices.ContainsFunc(both, allowed)
	}
}

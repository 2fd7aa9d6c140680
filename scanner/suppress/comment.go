package suppress

import (
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// The comments of other tools, as those read them. Compiled when something is found.
var (
	foreignComments = []string{"gitleaks:allow", "trufflehog:ignore"}
	pragma          = lazy(`(?i)pragma: ?(?:allow|white)list[ -]secret`)
	nextPragma      = lazy(`(?i)^[^\w]*pragma: ?(?:allow|white)list[ -]nextline[ -]secret`)
	ownComment      = lazy(`\bstanch:allow\b[ \t]*(.*)`)
	until           = lazy(`(?:^|\s)until=(\S+)`)
)

func lazy(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// Comments returns the filter for comments on the line of the id or of the secret:
// "stanch:allow REASON [until=2027-01-31]", "gitleaks:allow", "trufflehog:ignore" and the
// pragmas of detect-secrets, one of which stands on the line before. stanch's own comment
// needs a reason. Without one, or after its last day, it hides nothing, and a note says so.
func Comments(now time.Time, notes *Notes) scanner.LocationFilter {
	return func(_ *finding.Finding, l *finding.Location) string {
		for _, line := range lines(l) {
			if why := comment(line, now, func(format string, args ...any) {
				notes.Add("%s:%d: stanch:allow "+format, append([]any{l.Path, l.Line}, args...)...)
			}); why != "" {
				return why
			}
		}
		if l.Around != nil && nextPragma().MatchString(l.Around.Before.Reveal()) {
			return "the line before says: pragma: allowlist nextline secret"
		}
		return ""
	}
}

func comment(line string, now time.Time, note func(format string, args ...any)) string {
	for _, s := range foreignComments {
		if strings.Contains(line, s) {
			return "its line says " + s
		}
	}
	if m := ownComment().FindStringSubmatch(line); m != nil {
		return ownReason(m[1], now, note)
	}
	if pragma().MatchString(line) {
		return "its line says pragma: allowlist secret"
	}
	return ""
}

// ownReason returns the reason in a "stanch:allow" comment, if the comment counts.
func ownReason(text string, now time.Time, note func(format string, args ...any)) string {
	date := until().FindStringSubmatch(text)
	reason := strings.TrimSpace(strings.TrimRight(until().ReplaceAllString(text, ""), "*/->#\"'`,; \t\r"))
	if reason == "" {
		note("gives no reason: it hides nothing")
		return ""
	}
	if date != nil {
		day, err := time.ParseInLocation(time.DateOnly, strings.TrimRight(date[1], "*/->#\"'`,;"), now.Location())
		switch {
		case err != nil:
			note("until is no date such as 2027-01-31: it hides nothing")
			return ""
		case !now.Before(day.AddDate(0, 0, 1)):
			note("ended on %s: it hides nothing any more", day.Format(time.DateOnly))
			return ""
		}
	}
	return "stanch:allow: " + reason
}

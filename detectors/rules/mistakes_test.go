package rules_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors/rules"
)

// TestMistakes: what people write by mistake is named with its line, and with what to write.
func TestMistakes(t *testing.T) {
	const re2 = "RE2, which has no lookahead"
	for _, tt := range []struct{ file, want string }{
		{"[[allow]]\nreason = 'x'\npath = 'x'\n", `x.toml: line 3: allow.path: unknown key: did you mean "paths"?`},
		{"[[allow]]\nexpiry = 2027-01-01\n", `did you mean "expires"?`},
		{"[[allow]]\nwhy = 'x'\n", "unknown key: the keys here are author, commits, expires, fingerprints,"},
		{"[[allows]]\n", `x.toml: line 1: allows: unknown key: did you mean "allow"?`},
		{"[[rules]]\nregex = '(?=x)'\n", re2},
		{"[[rules]]\nregex = '(?<!x)y'\n", re2},
		{"[[rules]]\nregex = '(?<=x)y'\n", re2},
		{"[[rules]]\nregex = '(?>x)y'\n", re2},
		{"[[rules]]\nregex = '(x)\\1'\n", re2},
		{"[[allow]]\npaths = ['*.env']\n", "not a glob"},
	} {
		_, err := rules.ReadOwn("x.toml", []byte(tt.file), time.UTC)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.file, err, tt.want)
		}
	}
	for _, tt := range []struct{ file, want string }{
		{"[allowlist]\npaths = [\n  'a',\n  '*.env',\n]\n", "g.toml: [allowlist]: line 4: error parsing regexp: missing argument to repetition operator: `*`: it is a regular expression, not a glob"},
		{"[[allowlists]]\nregexes = ['(?!x)']\nstopwords = ['a']\n", "g.toml: [[allowlists]]: line 2: error parsing regexp: invalid or unsupported Perl syntax: `(?!`: expressions are those of RE2"},
		{"[[rules]]\nid = 'r'\nregex = '(?=x)'\n", "g.toml: rule r: regex: line 3: "},
		{"[[rules]]\nid = 'r'\nregex = 'x'\npath = '*.env'\n", "g.toml: rule r: path: line 4: "},
	} {
		c, err := rules.Gitleaks{}.Read("g.toml", []byte(tt.file))
		if err != nil || !strings.Contains(strings.Join(c.Notes, "\n"), tt.want) {
			t.Errorf("%s: %v %q, want %s", tt.file, err, c.Notes, tt.want)
		}
	}
}

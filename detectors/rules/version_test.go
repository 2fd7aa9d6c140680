package rules_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/rules"
)

// versionRules are rules whose matches depend on near and on far bytes: short and long
// matches, matches without end, keywords anywhere in the text, other rules, lines.
func versionRules() []*rules.Rule {
	var list []*rules.Rule
	for i, expr := range append(slices.Clone(regexes), `key[a-z0-9]{100,200}z`, `key[\w ]{300,600}z`, `[\w ]{200}keyb`, `key=[a-z0-9]+`, `api(?s:.)*?123`) {
		list = append(list, &rules.Rule{ID: fmt.Sprint("r", i), Regex: expr})
	}
	few := 1
	return append(list,
		&rules.Rule{ID: "with-keyword", Regex: `[0-9a-f]{16}x`, Keywords: []string{"api"}},
		&rules.Rule{ID: "with-other", Regex: `ab=([a-z]+)`, Required: []rules.Required{{ID: "r0", Lines: &few}}},
		&rules.Rule{ID: "generic", Regex: `(?:key|api)\w*`},
		&rules.Rule{ID: "of-line", Regex: `key[a-z]`, Allowlists: []*rules.Allowlist{{Regexes: mustCompile(`abc`), Target: rules.TargetLine}}},
	)
}

// versionPiece returns a piece of a text of which some rule takes notice, or a long one.
func versionPiece(r *rand.Rand) string {
	pieces := []string{"ab", "key", "KEY", "api", "API", "_", "-", "=", ": ", " ", "\n", "y", "yz", "123", "abc", "x", "é", "\xff", "'", ";", "keyb", "-ab-", "-yz-", "AA", "0123456789abcdef"}
	if r.IntN(12) == 0 {
		return strings.Repeat([]string{"a", "ab ", "x1"}[r.IntN(3)], 1+r.IntN(200))
	}
	return pieces[r.IntN(len(pieces))]
}

// TestDetectVersion changes texts at random, again and again, and holds that what is found in
// a version with the help of the one before is what is found in it alone.
func TestDetectVersion(t *testing.T) {
	d := detector(t, &rules.Config{Rules: versionRules()})
	r := rand.New(rand.NewPCG(1, 5))
	matches := 0
	for range 20 {
		var text string
		for range r.IntN(400) {
			text += versionPiece(r)
		}
		_, trace := d.DetectVersion(nil, []byte(text), nil, nil)
		for range 8 {
			next, copies := change(r, text)
			got, nextTrace := d.DetectVersion(nil, []byte(next), trace, copies)
			want := d.Detect(nil, []byte(next))
			if got, want := described(got), described(want); !slices.Equal(got, want) {
				t.Fatalf("%q from %q by %v: found %q, want %q", next, text, copies, got, want)
			}
			matches += len(want)
			text, trace = next, nextTrace
		}
	}
	if matches < 1_000 {
		t.Errorf("only %d matches", matches)
	}
}

func described(matches []detectors.Match) (list []string) {
	for _, m := range matches {
		list = append(list, fmt.Sprintf("%s %v %v %s", m.Rule.ID, m.Span, m.Secret, m.Credential.Secret.Reveal()))
	}
	return list
}

// change returns text with a few changes, and what of it is copied from text.
func change(r *rand.Rand, text string) (next string, copies []detectors.Copy) {
	keep := func(from, to int) {
		if to > from {
			copies = append(copies, detectors.Copy{At: len(next), From: from, Len: to - from})
			next += text[from:to]
		}
	}
	done := 0
	for range r.IntN(4) {
		at := done + min(1, r.IntN(8))*r.IntN(len(text)-done+1)
		keep(done, at)
		switch r.IntN(4) {
		case 0: // a piece from elsewhere
			from := r.IntN(2) * r.IntN(len(text)+1)
			keep(from, min(len(text), from+r.IntN(300)))
		case 1, 2:
			for range 1 + r.IntN(3) {
				next += versionPiece(r)
			}
		}
		done = min(len(text), at+r.IntN(2)*r.IntN(30))
	}
	keep(done, len(text))
	return next, copies
}

// TestMayMatchIsLocal: where a text may match, one of its parts may, if every window is in one
// of them.
func TestMayMatchIsLocal(t *testing.T) {
	for _, rule := range versionRules() {
		d := detector(t, &rules.Config{Rules: []*rules.Rule{rule}})
		r := rand.New(rand.NewPCG(1, 6))
		for range 40 {
			var b strings.Builder
			for range r.IntN(300) {
				b.WriteString(versionPiece(r))
			}
			text := []byte(b.String())
			for name, look := range map[string]struct {
				in   func([]byte) bool
				span int
			}{"may_match": {d.MayMatch, d.Window()}, "may_match_near": {d.MayMatchNear, d.NearWindow()}} {
				found, step := false, 1+r.IntN(look.span)
				for at := -r.IntN(step); at < len(text) && !found; at += step {
					found = look.in(text[max(0, at):min(len(text), at+step+look.span)])
				}
				if may := look.in(text); may && !found {
					t.Fatalf("%s, %s: true of no part of %q", rule.Regex, name, text)
				} else if !may && len(d.Detect(nil, text)) > 0 {
					t.Fatalf("%s, %s: rules out %q", rule.Regex, name, text)
				}
				if d.MayMatchNear(text) && !d.MayMatch(text) {
					t.Fatalf("%s: the first look rules out more of %q than the second", rule.Regex, text)
				}
			}
		}
	}
}

func mustCompile(expr string) []*regexp.Regexp { return []*regexp.Regexp{regexp.MustCompile(expr)} }

// Package rules finds what users' own rules describe, in the format of stanch or in
// that of gitleaks (https://github.com/gitleaks/gitleaks, v8.30.1).
//
// A Config is read from a file (ReadGitleaks, ReadOwn); a Detector runs the rules
// of several. A rule means what it means to gitleaks:
//
//  1. It is tried on a text that holds one of its keywords, in either case, or if
//     it has none.
//  2. A match is what its regex matches, without newlines at the ends. The secret
//     is the group SecretGroup of the regex, matched on the match alone; by default
//     the first group that is not empty, or the match.
//  3. The entropy of the secret is more than Entropy, if that is set.
//  4. No allowlist of the rule or of its Config holds. What an allowlist says of
//     paths and commits, and Rule.Path, is judged where a match is located:
//     detectors.Match.At.
//  5. A rule with Required is a match only near matches of those; a rule with
//     SkipReport is only for that.
//  6. A match of a rule with "generic" in its id gives way to that of another on
//     the same line whose secret holds its own.
//
// What is other than in gitleaks: it looks at pieces of a diff, stanch at whole
// texts. So a keyword may stand farther from the match, and a regex may match
// across lines of which one is older.
package rules

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/rules/internal/regexplan"
	"github.com/stanch-dev/stanch/detectors/rules/internal/wordsearch"
)

// A Rule is one rule of a user.
type Rule struct {
	ID, Title, Help string
	// Regex is RE2; "" for a rule that is about the path alone.
	Regex    string
	Keywords []string
	// SecretGroup is the group of Regex that is the secret; 0 is the first.
	SecretGroup int
	// Entropy in bits a character that a secret must exceed, if it is not 0.
	Entropy float64
	// Path is what the path of a text must match; nil for any.
	Path       *regexp.Regexp
	Allowlists []*Allowlist
	Required   []Required
	SkipReport bool
	Tags       []string
}

// Required is a rule that must match close to another.
type Required struct {
	ID string
	// Lines and Columns bound how far from each other the matches begin; nil is
	// anywhere in the text.
	Lines, Columns *int
}

// A Config is what one file says.
type Config struct {
	Name  string // of the file
	Rules []*Rule
	// Allowlists are those of all of Rules.
	Allowlists []*Allowlist
	// Own are allowlists that are meant for what stanch finds by itself too: those of
	// the file itself, not of one that it extends.
	Own []*Allowlist
	// Notes say what was left out and why, one a line.
	Notes []string
	// Extends is what the file extends that was not read: "default", or a path.
	Extends string
}

// A Detector runs the rules of users. It implements detectors.Prober.
type Detector struct {
	rules       []*compiled
	byID        map[string]int
	docs        []*detectors.Rule
	words       wordsearch.Finder
	plans       []rulePlan
	plansByWord [][]int // by word: parts that may begin with it
	rulesByWord [][]int // by word: rules that have it as a keyword
	alwaysRun   []int   // rules that no word tells of
	longest     int     // word

	mu   sync.Mutex
	idle []*scratch
}

// A compiled rule is one that can be run.
type compiled struct {
	*Rule
	doc   *detectors.Rule
	plans []*regexplan.Plan // none: run on the whole text
	regex func() *regexp.Regexp
	// Allowlists by what decides them: the match, its place, or both.
	byText, byLocation, byBoth []*Allowlist
	generic                    bool
}

// A rulePlan is a plan of a rule that is being looked for.
type rulePlan struct {
	*regexplan.Plan
	rule int
}

// NewDetector returns the Detector of configs. Rules with the same id count each.
// The error names the rule that cannot be run: readers check what they read.
func NewDetector(configs ...*Config) (*Detector, error) {
	d := &Detector{byID: map[string]int{}}
	for _, c := range configs {
		for _, r := range c.Rules {
			if err := d.add(r, c.Allowlists); err != nil {
				return nil, fmt.Errorf("%s: rule %s: %w", c.Name, r.ID, err)
			}
		}
	}
	return d, nil
}

func (d *Detector) add(r *Rule, global []*Allowlist) error {
	n := len(d.rules)
	c := &compiled{Rule: r, generic: strings.Contains(strings.ToLower(r.ID), "generic")}
	c.doc = &detectors.Rule{ID: r.ID, Title: r.Title, Help: r.Help, Value: true}
	c.addAllowlists(r.Allowlists)
	c.addAllowlists(global)
	d.rules = append(d.rules, c)
	d.byID[r.ID] = n
	if !r.SkipReport {
		d.docs = append(d.docs, c.doc)
	}
	if r.Regex == "" {
		return nil
	}
	re, err := syntax.Parse(r.Regex, syntax.Perl)
	if err != nil {
		return err
	}
	// Most rules never see a word of theirs: they are compiled when one does.
	c.regex = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(r.Regex) })
	c.plans = regexplan.New(re)
	return d.addWords(n, c)
}

// addWords makes rule n hear of its words.
func (d *Detector) addWords(n int, c *compiled) error {
	words := []string{}
	for _, k := range c.Keywords {
		words = append(words, strings.ToLower(k))
	}
	for _, k := range words {
		if err := d.addWord(&d.rulesByWord, k, n); err != nil {
			return err
		}
	}
	for _, p := range c.plans {
		for _, s := range p.Starts {
			if err := d.addWord(&d.plansByWord, s, len(d.plans)); err != nil {
				return err
			}
		}
		d.plans = append(d.plans, rulePlan{p, n})
	}
	if len(c.plans) == 0 && len(words) == 0 {
		d.alwaysRun = append(d.alwaysRun, n)
	}
	return nil
}

// addWord notes that number n, of a part or of a rule, is to hear of a word.
func (d *Detector) addWord(lists *[][]int, word string, n int) error {
	if word == "" {
		return fmt.Errorf("empty keyword")
	}
	id := d.words.Add(word)
	if id < 0 {
		return fmt.Errorf("too many keywords in all rules together")
	}
	d.longest = max(d.longest, len(word))
	for len(d.plansByWord) <= id {
		d.plansByWord, d.rulesByWord = append(d.plansByWord, nil), append(d.rulesByWord, nil)
	}
	(*lists)[id] = append((*lists)[id], n)
	return nil
}

// Rules implements detectors.Detector.
func (d *Detector) Rules() []*detectors.Rule { return d.docs }

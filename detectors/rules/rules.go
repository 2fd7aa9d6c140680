// Package rules runs the rules of users, in the format of stanch or in that of gitleaks
// (https://github.com/gitleaks/gitleaks, v8.30.1).
//
// A Config is read from a file by Gitleaks.Read or ReadOwn; a Detector runs the rules of
// several. A rule means the same as in gitleaks:
//
//  1. It is tried on a text with one of its keywords, in either case, or on every text if
//     it has no keywords.
//  2. Its regex matches, and newlines at the ends of the match are cut off. The secret is
//     the group SecretGroup of the regex, applied to the match alone. By default it is the
//     first group that is not empty, or else the match.
//  3. If Entropy is set, the entropy of the secret must exceed it.
//  4. No allowlist of the rule or of its Config may hold. Conditions on paths and commits,
//     Rule.Path among them, are judged when a match is located (Match.CountsAt).
//  5. If the rule has Required, a match of each of those rules must be near. A rule with
//     SkipReport serves only for that.
//  6. A match of a rule with "generic" in its id is dropped if another rule matches on the
//     same line, with a secret that holds its secret.
//
// There is one difference: gitleaks looks at pieces of a diff, stanch at whole texts. So a
// keyword may stand farther from the match, and a regex may match across lines of which
// only one is new.
package rules

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/rules/internal/regexplan"
	"github.com/stanch-dev/stanch/detectors/rules/internal/wordsearch"
)

// A Rule is one rule of a user.
type Rule struct {
	ID, Title, Help string
	// Regex is RE2; "" for a rule about the path alone.
	Regex    string
	Keywords []string
	// SecretGroup is the number of the group of Regex with the secret. 0 is the first group
	// that is not empty.
	SecretGroup int
	// Entropy, unless it is 0, must be exceeded by the entropy of the secret, in bits a
	// character.
	Entropy float64
	// Path, unless it is nil, must match the path of a text.
	Path       *regexp.Regexp
	Allowlists []*Allowlist
	Required   []Required
	SkipReport bool
	Tags       []string
}

// Required is a rule that must match close to another.
type Required struct {
	ID string
	// Lines and Columns bound the distance of the beginnings of the matches; nil is no
	// bound.
	Lines, Columns *int
}

// A Config is one file of rules.
type Config struct {
	Name  string // of the file
	Rules []*Rule
	// Allowlists apply to all of Rules.
	Allowlists []*Allowlist
	// Own are the Allowlists of the file itself, not of one that it extends. They apply to
	// the findings of the other detectors too.
	Own []*Allowlist
	// Notes say which parts of the file were left out and why, one a line.
	Notes []string
	// Extends names the configuration that the file extends and that was not read:
	// "default", or a path.
	Extends string
}

// A Detector runs the rules of users. It implements detectors.PrefilteringDetector. Make it
// with NewDetector.
type Detector struct {
	rules       []*compiled
	byID        map[string]int
	docs        []*detectors.Rule
	words       wordsearch.Finder
	plans       []rulePlan
	plansByWord [][]int // by number of a word: the plans with it as a start
	rulesByWord [][]int // by number of a word: the rules with it as a keyword
	alwaysRun   []int   // rules without words
	longest     int     // length of the longest word

	mu   sync.Mutex
	idle []*scratch
}

// A compiled rule is one that can be run.
type compiled struct {
	*Rule
	doc   *detectors.Rule
	plans []*regexplan.Plan // if there are none, the rule is run on the whole text
	// hasNoStarts is true if a match need not hold one of Plan.Starts. Then the prefilter has
	// the keywords alone to go by.
	hasNoStarts bool
	// needsKeyword is true if a keyword has to be looked for. Most often each of Plan.Starts
	// holds one.
	needsKeyword bool
	regex        func() *regexp.Regexp
	// Allowlists with conditions on the match, on its location, or on both together.
	byText, byLocation, byBoth []*Allowlist
	generic                    bool
}

// A rulePlan is a plan of the rule with number rule.
type rulePlan struct {
	*regexplan.Plan
	rule int
}

// NewDetector returns a Detector of the rules of configs. Rules with equal ids all count.
// An error names the rule that cannot be run; rules from readers can be.
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
	// Compiled on first use: most rules never see one of their words in a text.
	c.regex = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(r.Regex) })
	c.plans = regexplan.New(re)
	c.hasNoStarts = len(c.plans) == 0 || slices.ContainsFunc(c.plans, func(p *regexplan.Plan) bool { return len(p.Starts) == 0 })
	return d.addWords(n, c)
}

// addWords adds the keywords of rule n and the starts of its plans to the words that are
// searched for.
func (d *Detector) addWords(n int, c *compiled) error {
	words := []string{}
	for _, k := range c.Keywords {
		words = append(words, strings.ToLower(k))
	}
	c.needsKeyword = len(words) > 0 && (c.hasNoStarts || !startsHold(c.plans, words))
	if !c.needsKeyword {
		words = nil
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
	if c.hasNoStarts && !c.needsKeyword {
		d.alwaysRun = append(d.alwaysRun, n)
	}
	return nil
}

// startsHold reports whether each start of plans holds one of words.
func startsHold(plans []*regexplan.Plan, words []string) bool {
	for _, p := range plans {
		for _, start := range p.Starts {
			if !slices.ContainsFunc(words, func(word string) bool { return word != "" && strings.Contains(start, word) }) {
				return false
			}
		}
	}
	return true
}

// addWord adds n, the number of a plan or a rule, to the list of a word.
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

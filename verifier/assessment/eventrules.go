package assessment

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// A ruleKind is about events that a rule of EventBridge can pass on at once. A rule is of a
// kind if its pattern has one of the words as a JSON string.
type ruleKind struct {
	fact  string
	words []string
	// global says that the events come to the home region alone, and to that of backup: those
	// of IAM, and those of AWS Health that are about no region, such as a leaked key (AWS
	// Health User Guide, "Creating EventBridge rules for AWS Region coverage").
	global bool
	backup string
}

var ruleKinds = []ruleKind{
	{fact: "rule-sign-in", words: []string{`"aws.signin"`, `"signin.amazonaws.com"`, `"AWS Console Sign In via CloudTrail"`}},
	{fact: "rule-iam", words: []string{`"aws.iam"`, `"iam.amazonaws.com"`}, global: true},
	{fact: "rule-guardduty", words: []string{`"aws.guardduty"`}},
	{fact: "rule-health", words: []string{`"aws.health"`}, global: true, backup: "us-west-2"},
}

// eventRules finds the rules of ruleKinds on the default bus of each region, where AWS
// sends its own events. Where a rule sends them is not asked.
func (c *account) eventRules(ctx context.Context) {
	patterns, errs := make([][]string, len(c.regions)), make([]error, len(c.regions))
	inEach(len(c.regions), func(i int) { patterns[i], errs[i] = c.rulePatterns(ctx, c.regions[i]) })
	rules, failed := map[string][]string{}, map[string]error{} // by region
	for i, region := range c.regions {
		rules[region], failed[region] = patterns[i], errs[i]
	}
	for _, kind := range ruleKinds {
		c.ruleOf(kind, rules, failed)
	}
}

// ruleOf adds where there is a rule of a kind, by the patterns of the rules of each region.
func (c *account) ruleOf(kind ruleKind, rules map[string][]string, failed map[string]error) {
	from := source(operator.Call{Service: "events", Action: "ListRules"})
	elsewhere := func(region string) bool {
		return kind.global && region != c.session.HomeRegion() && region != kind.backup
	}
	regions := slices.DeleteFunc(slices.Clone(c.regions), elsewhere)
	where := slices.DeleteFunc(slices.Clone(regions), func(region string) bool { return !matches(rules[region], kind.words) })
	unread := slices.DeleteFunc(slices.Clone(regions), func(region string) bool { return failed[region] == nil })
	switch {
	case len(where) > 0:
		c.add(kind.fact, "present (in "+regionNames(where, len(c.regions))+")", neutral, from)
	case len(unread) > 0:
		c.add(kind.fact, fmt.Sprintf("%s%s (in %s)", unknownPrefix, Why(failed[unread[0]]), regionNames(unread, len(c.regions))), neutral, from)
	case !c.allRegions && (!kind.global || kind.backup != ""):
		c.add(kind.fact, unknownPrefix+"there is none in "+c.regions[0]+", and which other regions there are is not known", neutral, from)
	case kind.global:
		c.add(kind.fact, "none in "+strings.Join(regions, " and ")+", where such events come", notable, from)
	default:
		c.add(kind.fact, fmt.Sprintf("none in %d regions", len(c.regions)), notable, from)
	}
}

// matches reports whether one of patterns has one of words.
func matches(patterns, words []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(p, w) })
	})
}

// rulePatterns returns the patterns of the rules of a region that are enabled, as far as they
// could be read.
func (c *account) rulePatterns(ctx context.Context, region string) (patterns []string, err error) {
	body := map[string]string{}
	call := operator.Call{Service: "events", Action: "ListRules", Region: region, Body: body}
	err = eachPage(func() (bool, error) {
		var page struct {
			Rules     []struct{ EventPattern, State string }
			NextToken string
		}
		if err := c.session.Do(ctx, call, &page); err != nil {
			return false, err
		}
		for _, rule := range page.Rules {
			if rule.State != "DISABLED" {
				patterns = append(patterns, rule.EventPattern)
			}
		}
		body["NextToken"] = page.NextToken
		return page.NextToken != "", nil
	})
	return patterns, err
}

package assessment

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// ruleKinds are events that a rule of EventBridge can pass on at once. A rule is of a kind
// if its pattern has one of the words as a JSON string.
var ruleKinds = []struct {
	fact  string
	words []string
}{
	{"rule-sign-in", []string{`"aws.signin"`, `"signin.amazonaws.com"`, `"AWS Console Sign In via CloudTrail"`}},
	{"rule-iam", []string{`"aws.iam"`, `"iam.amazonaws.com"`}},
	{"rule-guardduty", []string{`"aws.guardduty"`}},
	{"rule-health", []string{`"aws.health"`}},
}

// eventRules finds the rules of ruleKinds on the default bus of each region, where AWS
// sends its own events. Where a rule sends them is not asked.
func (c *account) eventRules(ctx context.Context) {
	call := operator.Call{Service: "events", Action: "ListRules"}
	patterns, errs := make([][]string, len(c.regions)), make([]error, len(c.regions))
	inEach(len(c.regions), func(i int) { patterns[i], errs[i] = c.rulePatterns(ctx, c.regions[i]) })
	found := map[string][]string{} // regions, by fact
	var unread []string
	var failed error
	for i, region := range c.regions {
		if errs[i] != nil {
			unread, failed = append(unread, region), errs[i]
		}
		for _, kind := range ruleKinds {
			if matches(patterns[i], kind.words) {
				found[kind.fact] = append(found[kind.fact], region)
			}
		}
	}
	for _, kind := range ruleKinds {
		where := found[kind.fact]
		switch {
		case len(where) > 0:
			c.add(kind.fact, "present (in "+regionNames(where, len(c.regions))+")", neutral, source(call))
		case failed != nil:
			c.add(kind.fact, fmt.Sprintf("%s%s (in %s)", unknownPrefix, Why(failed), regionNames(unread, len(c.regions))), neutral, source(call))
		case !c.allRegions:
			c.add(kind.fact, unknownPrefix+"there is none in "+c.regions[0]+", and which other regions there are is not known", neutral, source(call))
		default:
			c.add(kind.fact, fmt.Sprintf("none in %d regions", len(c.regions)), notable, source(call))
		}
	}
}

// matches reports whether one of patterns has one of words.
func matches(patterns, words []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(p, w) })
	})
}

// rulePatterns returns the patterns of the rules of a region that are enabled.
func (c *account) rulePatterns(ctx context.Context, region string) (patterns []string, err error) {
	body := map[string]string{}
	call := operator.Call{Service: "events", Action: "ListRules", Region: region, Body: body}
	for range maxPages {
		var page struct {
			Rules     []struct{ EventPattern, State string }
			NextToken string
		}
		if err := c.session.Do(ctx, call, &page); err != nil {
			return nil, err
		}
		for _, rule := range page.Rules {
			if rule.State != "DISABLED" {
				patterns = append(patterns, rule.EventPattern)
			}
		}
		if page.NextToken == "" {
			break
		}
		body["NextToken"] = page.NextToken
	}
	return patterns, nil
}

package assessment

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
)

const (
	// maxPages bounds the questions for one list.
	maxPages = 200
	// maxGroups bounds the facts.
	maxGroups = 50
)

// addIn adds a fact about a region. mergeRegions makes one fact of those that are alike.
func (r *inquiry) addIn(region, name, value string, risk int, source string) {
	f := verifier.Fact{Name: name, Value: value, Risk: risk, Source: source}
	i := slices.IndexFunc(r.inRegions, func(g regionalFact) bool { return g.Fact == f })
	if i < 0 {
		i, r.inRegions = len(r.inRegions), append(r.inRegions, regionalFact{Fact: f})
	}
	if !slices.Contains(r.inRegions[i].regions, region) { // two findings of a region may be alike
		r.inRegions[i].regions = append(r.inRegions[i].regions, region)
	}
}

type regionalFact struct {
	verifier.Fact
	regions []string
}

func (r *inquiry) mergeRegions(all int) {
	for _, f := range r.inRegions {
		where := strings.Join(f.regions, ", ")
		if len(f.regions) == all && all > 1 {
			where = fmt.Sprintf("all %d regions", all)
		}
		r.add(f.Name, f.Value+" (in "+where+")", f.Risk, f.Source)
	}
}

// An inquiry is the assessment of one key.
type inquiry struct {
	*Assessor
	keyID     string
	identity  verifier.Identity // of its owner, as the finding says
	exposure  Exposure
	used      *operator.LastUsed // before STS was asked about it; nil asks IAM now
	session   *operator.Session
	user      string // the owner, as far as known
	arn       string // of the principal that has the policies
	facts     []verifier.Fact
	inRegions []regionalFact
}

func (r *inquiry) add(name, value string, risk int, source string) {
	r.facts = append(r.facts, verifier.Fact{Name: name, Value: value, Risk: risk, Source: source})
}

// unknown adds the fact that call did not answer.
func (r *inquiry) unknown(name string, c operator.Call, err error) {
	r.add(name, unknownPrefix+Why(err), neutral, source(c))
}

func (r *inquiry) iam(action string, params ...string) operator.Call {
	c := operator.Call{Service: "iam", Action: action, Params: map[string]string{}}
	for i := 0; i < len(params); i += 2 {
		c.Params[params[i]] = params[i+1]
	}
	return c
}

// read makes a call, or adds the fact that its answer is not known.
func (r *inquiry) read(ctx context.Context, name string, c operator.Call, out any) bool {
	do := r.session.Do
	if c.Service == "iam" {
		do = r.session.All
	}
	if err := do(ctx, c, out); err != nil {
		r.unknown(name, c, err)
		return false
	}
	return true
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func (r *inquiry) pace() time.Duration { return cmp.Or(r.Pace, 550*time.Millisecond) }

func (r *inquiry) sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

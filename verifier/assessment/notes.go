package assessment

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
)

// notes are the facts that one session finds out.
type notes struct {
	session   *operator.Session
	facts     []verifier.Fact
	inRegions []regionalFact
}

type regionalFact struct {
	verifier.Fact
	regions []string
}

func (n *notes) add(name, value string, risk int, source string) {
	n.facts = append(n.facts, verifier.Fact{Name: name, Value: value, Risk: risk, Source: source})
}

// unknown adds the fact that call did not answer.
func (n *notes) unknown(name string, c operator.Call, err error) {
	n.add(name, unknownPrefix+Why(err), neutral, source(c))
}

// addIn adds a fact about a region. mergeRegions makes one fact of those that are alike.
func (n *notes) addIn(region, name, value string, risk int, source string) {
	f := verifier.Fact{Name: name, Value: value, Risk: risk, Source: source}
	i := slices.IndexFunc(n.inRegions, func(g regionalFact) bool { return g.Fact == f })
	if i < 0 {
		i, n.inRegions = len(n.inRegions), append(n.inRegions, regionalFact{Fact: f})
	}
	if !slices.Contains(n.inRegions[i].regions, region) { // two findings of a region may be alike
		n.inRegions[i].regions = append(n.inRegions[i].regions, region)
	}
}

// mergeRegions adds the facts about regions, of which there are all.
func (n *notes) mergeRegions(all int) {
	for _, f := range n.inRegions {
		n.add(f.Name, f.Value+" (in "+regionNames(f.regions, all)+")", f.Risk, f.Source)
	}
	n.inRegions = nil
}

// regionNames lists regions, unless they are all regions that there are.
func regionNames(regions []string, all int) string {
	if len(regions) == all && all > 1 {
		return fmt.Sprintf("all %d regions", all)
	}
	return strings.Join(regions, ", ")
}

func (n *notes) iam(action string, params ...string) operator.Call {
	c := operator.Call{Service: "iam", Action: action, Params: map[string]string{}}
	for i := 0; i < len(params); i += 2 {
		c.Params[params[i]] = params[i+1]
	}
	return c
}

// read makes a call, or adds the fact that its answer is not known.
func (n *notes) read(ctx context.Context, name string, c operator.Call, out any) bool {
	do := n.session.Do
	if c.Service == "iam" {
		do = n.session.All
	}
	if err := do(ctx, c, out); err != nil {
		n.unknown(name, c, err)
		return false
	}
	return true
}

// errTooLong says that a list was not read to its end.
var errTooLong = fmt.Errorf("the list has more than %d pages", maxPages)

// eachPage calls ask for each page of a list, until there are no more.
func eachPage(ask func() (more bool, err error)) error {
	for range maxPages {
		if more, err := ask(); err != nil || !more {
			return err
		}
	}
	return errTooLong
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

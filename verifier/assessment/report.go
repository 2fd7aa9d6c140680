package assessment

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
)

// Report calls each with new facts about each key of r that is not ignored, until ctx ends.
func (a *Assessor) Report(ctx context.Context, r *finding.Saved, each func(*finding.Finding, []verifier.Fact)) error {
	var keys []*finding.Finding
	unknown := map[*finding.Finding][]verifier.Fact{}
	for i := range r.Findings {
		f := &r.Findings[i]
		id, account := f.Match.Credential.ID, &f.Verdict.Identity.Account
		if f.Ignored != "" || !operator.IsAccessKeyID(id) {
			continue
		}
		keys = append(keys, f)
		if *account == "" {
			var err error
			if *account, err = a.Operator.Own().AccountOf(ctx, id); err != nil {
				unknown[f] = []verifier.Fact{UnknownAccount(err)}
				continue
			}
		}
		a.expect(*account, id)
	}
	for _, f := range keys {
		facts, ok := unknown[f]
		if !ok {
			facts = a.Assess(ctx, f, Exposure{})
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		f.Verdict.Facts = append(f.Verdict.Facts, facts...)
		each(f, facts)
	}
	return nil
}

// UnknownAccount is the fact that AWS did not tell the account of a key id, because of err.
func UnknownAccount(err error) verifier.Fact {
	return verifier.Fact{Name: "account", Value: unknownPrefix + Why(err), Source: "sts:GetAccessKeyInfo"}
}

// WriteFacts writes facts about the key of f, the worst first, in rows of width columns (0: any).
func WriteFacts(b *strings.Builder, width int, f *finding.Finding, facts []verifier.Fact) {
	risks := [...]string{neutral: "", notable: "note", bad: "BAD", act: "ACT NOW"}
	fmt.Fprintf(b, "%s  account %s\n", printable.Text(f.Match.Credential.ID), cmp.Or(printable.Text(f.Verdict.Identity.Account), "not known"))
	facts = slices.SortedStableFunc(slices.Values(facts), func(a, c verifier.Fact) int { return cmp.Compare(c.Risk, a.Risk) })
	for _, fact := range facts {
		text := fact.Name + ": " + fact.Value
		if fact.Source != "" {
			text += "  (" + fact.Source + ")"
		}
		label := fmt.Sprintf("  %-7s  ", risks[min(max(fact.Risk, neutral), act)])
		for _, row := range printable.Wrap(printable.Text(text), width-len(label)) {
			b.WriteString(label + row + "\n")
			label = strings.Repeat(" ", len(label))
		}
	}
	b.WriteByte('\n')
}

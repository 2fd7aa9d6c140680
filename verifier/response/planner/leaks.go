package planner

import (
	"errors"
	"fmt"
	"slices"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/recheck"
)

// Leaks returns the findings of a saved report to plan for: those that are not ignored, with
// the locations that are not. It removes the report's secrets from their texts and from the
// target of r, so that none gets into plans, journals and notices.
func Leaks(r *finding.Saved) []finding.Finding {
	return leaksOf(r, func(f *finding.Finding) bool {
		loneID := f.SecretSHA256() == "" && f.Verdict.State == verifier.Skipped // opens nothing
		return f.Ignored == "" && !loneID
	})
}

// Named is Leaks for the findings with these key ids alone, whatever their state, and also
// if they are ignored: one finding for each id. An id that is not in the report is an error.
func Named(r *finding.Saved, ids []string) ([]finding.Finding, error) {
	var leaks []finding.Finding
	for _, f := range leaksOf(r, func(f *finding.Finding) bool { return slices.Contains(ids, f.Match.Credential.ID) }) {
		i := slices.IndexFunc(leaks, func(l finding.Finding) bool { return l.Match.Credential.ID == f.Match.Credential.ID })
		switch {
		case i < 0:
			leaks = append(leaks, f)
			continue
		case f.Verdict.State == verifier.Live: // its secret is the right one
			f, leaks[i] = leaks[i], f
		}
		leaks[i].Locations = append(leaks[i].Locations, f.Locations...)
	}
	var missing []error
	for _, id := range ids {
		if !slices.ContainsFunc(leaks, func(l finding.Finding) bool { return l.Match.Credential.ID == id }) {
			missing = append(missing, fmt.Errorf("the report has no finding of key %s", id))
		}
	}
	return leaks, errors.Join(missing...)
}

// leaksOf returns the findings of r that are wanted, without ignored locations and secrets.
func leaksOf(r *finding.Saved, wanted func(*finding.Finding) bool) []finding.Finding {
	var leaks []finding.Finding
	var secrets []detectors.Secret
	for _, f := range r.Findings {
		secrets = append(secrets, f.Secrets()...)
		if !wanted(&f) {
			continue
		}
		f.Match.Credential.Partition = recheck.PartitionOf(&f)
		if f.Ignored == "" { // else all are ignored, and the key is wanted all the same
			f.Locations = slices.DeleteFunc(f.Locations, func(l finding.Location) bool { return l.Ignored != "" })
		}
		leaks = append(leaks, f)
	}
	Scrub(leaks, secrets)
	finding.Scrub(secrets, &r.Header.Target)
	return leaks
}

// Scrub removes secrets from the locations of leaks.
func Scrub(leaks []finding.Finding, secrets []detectors.Secret) {
	var texts []*string
	for _, f := range leaks {
		for i := range f.Locations {
			l := &f.Locations[i]
			texts = append(texts, &l.Repo, &l.Path)
			for n := range l.Refs {
				texts = append(texts, &l.Refs[n])
			}
		}
	}
	finding.Scrub(secrets, texts...)
}

// countKeys counts the keys of each account, as far as the findings tell it.
func countKeys(leaks []finding.Finding) map[string]int {
	n, seen := map[string]int{}, map[string]bool{}
	for i := range leaks {
		if id := leaks[i].Match.Credential.ID; !seen[id] {
			seen[id] = true
			n[leaks[i].Verdict.Identity.Account]++
		}
	}
	return n
}

package planner

import (
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
	var leaks []finding.Finding
	var secrets []detectors.Secret
	for _, f := range r.Findings {
		cred := &f.Match.Credential
		secrets = append(secrets, f.Secrets()...)
		loneID := f.SecretSHA256() == "" && f.Verdict.State == verifier.Skipped // opens nothing
		if f.Ignored != "" || loneID {
			continue
		}
		cred.Partition = recheck.PartitionOf(&f)
		f.Locations = slices.DeleteFunc(f.Locations, func(l finding.Location) bool { return l.Ignored != "" })
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

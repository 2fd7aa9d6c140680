package scanner

import (
	"cmp"
	"slices"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
)

// FoldCandidates makes one finding of all findings of a key id that are not ignored. An id
// has one secret: the secret that is proved or, without a proof, fits best is the finding,
// and the others are its Candidates. So are secrets that were ignored because a better one
// is reported. The id stands at all their places. It changes the findings of list.
//
// Findings that somebody ignores stay as they are: another secret of an ignored id is a new
// finding.
func FoldCandidates(list []*finding.Finding) []*finding.Finding {
	groups := map[string][]*finding.Finding{}
	for _, f := range list {
		if id := f.Match.Credential.ID; id != "" && (f.Ignored == "" || f.Ignored == better) {
			groups[id] = append(groups[id], f)
		}
	}
	first, gone := map[*finding.Finding]*finding.Finding{}, map[*finding.Finding]bool{}
	for _, group := range groups {
		best := slices.MinFunc(group, compareOfOneID)
		switch {
		case best.Ignored != "" || len(group) == 1 && len(best.Candidates) < 2:
			continue
		case best.Verdict.State == verifier.Live:
			refuse(group, best)
			continue
		}
		foldInto(best, group)
		for _, f := range group {
			gone[f] = true
		}
		first[group[0]] = best // list is in the order of first places
	}
	var folded []*finding.Finding
	for _, f := range list {
		switch {
		case first[f] != nil:
			folded = append(folded, first[f])
		case !gone[f]:
			folded = append(folded, f)
		}
	}
	return folded
}

// compareOfOneID orders findings of one id, the one to report first. Whatever --fail-on
// says, it fails if one of them does.
func compareOfOneID(a, b *finding.Finding) int {
	return cmp.Or(compareBool(a.Ignored != "", b.Ignored != ""), cmp.Compare(alarm(a), alarm(b)),
		compareBool(a.Match.Credential.Secret.IsZero(), b.Match.Credential.Secret.IsZero()),
		cmp.Compare(a.Match.Rank, b.Match.Rank), compareConfidence(a.Match.Confidence, b.Match.Confidence))
}

// alarm orders states, the worst first. Those at the end are known to be harmless.
func alarm(f *finding.Finding) int {
	order := []verifier.State{verifier.Live, verifier.IDActive, verifier.Unknown, verifier.Skipped, verifier.NotVerifiable, verifier.CanarySuspected, verifier.Expired, verifier.Invalid}
	return slices.Index(order, cmp.Or(f.Verdict.State, verifier.Skipped))
}

// compareConfidence puts the surer first.
func compareConfidence(a, b detectors.Confidence) int {
	switch {
	case a == b:
		return 0
	case surer(a, b) == a:
		return -1
	}
	return 1
}

// refuse ignores the secrets in group that live, of the same id, proves wrong. Within one
// scan that has been done: only those of another scan are left.
func refuse(group []*finding.Finding, live *finding.Finding) {
	for _, f := range group {
		if f != live && f.Ignored == "" {
			f.Ignored = proved
			live.Locations = append(live.Locations, withoutSecretLines(slices.Clone(f.Locations))...)
			live.Omitted += f.Omitted
		}
	}
}

// maxCandidates bounds the candidates of a finding: a hostile text may put an id beside a
// million secrets.
const maxCandidates = 1000

// foldInto takes all others of group, which have the id of best, into best. Several scans
// may have found one candidate: then it has the places of all of them.
func foldInto(best *finding.Finding, group []*finding.Finding) {
	index := map[string]int{best.Fingerprint(): -1}
	own := best.Candidates
	best.Candidates = nil
	add := func(list ...finding.Candidate) {
		for _, c := range list {
			i, known := index[c.Fingerprint]
			switch {
			case !known && len(best.Candidates) == maxCandidates:
				best.CandidatesOmitted++
				best.Others = append(best.Others, c.Secret)
			case !known:
				index[c.Fingerprint] = len(best.Candidates)
				best.Candidates = append(best.Candidates, c)
			case i >= 0:
				best.Candidates[i].Locations = slices.Concat(best.Candidates[i].Locations, c.Locations)
				best.Candidates[i].Omitted += c.Omitted
			}
		}
	}
	add(own...)
	for _, f := range group {
		if f == best {
			continue
		}
		c := f.Match.Credential
		if !c.Secret.IsZero() {
			add(finding.Candidate{
				Fingerprint: f.Fingerprint(), SecretSHA256: f.SecretSHA256(), Secret: c.Secret, Confidence: f.Match.Confidence,
				State: cmp.Or(f.Verdict.State, verifier.Skipped), Locations: slices.Clone(f.Locations), Omitted: f.Omitted,
			})
		}
		add(f.Candidates...)
		best.CandidatesOmitted += f.CandidatesOmitted
		best.Others = append(append(best.Others, f.Others...), c.Token)
		best.Locations = append(best.Locations, withoutSecretLines(slices.Clone(f.Locations))...)
		best.Omitted += f.Omitted
	}
	best.Locations = sortLocations(best.Locations)
	if more := len(best.Locations) - maxLocations; more > 0 {
		best.Locations = best.Locations[:maxLocations]
		best.Omitted += more
	}
	for i := range best.Candidates {
		best.Candidates[i].Locations = sortLocations(best.Candidates[i].Locations)
	}
}

// noteCandidates adds to f, a finding without a secret, the secrets from other texts that
// may be its own and are not reported with it. A secret that names another key is none.
func (f *draft) noteCandidates(joint []*draft, gone map[*draft]bool) {
	if f.Ignored != "" || f.Match.Lacks()&detectors.SecretPart == 0 || f.Match.InSignedRequest || gone[f] {
		return
	}
	for _, c := range joint {
		j := c.joined
		if j.id != f || j.secret == nil || gone[j.secret] || !j.usable() {
			continue
		}
		if hasName := j.secret.named && !j.secret.Match.OwnText; hasName && isStrange(f, j.secret) {
			continue
		}
		state := cmp.Or(c.Verdict.State, verifier.Skipped)
		if j.tried && state != verifier.Skipped && state != verifier.Unknown {
			continue // the provider has refused it
		}
		f.Candidates = append(f.Candidates, finding.Candidate{
			Fingerprint: c.Fingerprint(), SecretSHA256: c.SecretSHA256(), Secret: c.Match.Credential.Secret, Confidence: detectors.Low,
			State: state, Locations: j.secret.asPart(j.secret.Locations), Omitted: j.secret.Omitted,
		})
	}
}

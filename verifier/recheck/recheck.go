// Package recheck asks AWS again about the keys of a saved report: STS about keys whose
// secret the report has, and IAM about the others.
//
// It is public for the commands of stanch, and no contract.
package recheck

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/assessment"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/owner"
)

// A Rechecker asks about keys of saved reports.
type Rechecker struct {
	STS verifier.Verifier
	// Operator asks IAM about keys without their secret, and for the last use of the others
	// before STS is asked; nil asks only STS.
	Operator *operator.Operator
	// Accounts, if not empty, are the only ones that IAM is asked about.
	Accounts []string
	// Progress, if not nil, is told how many key ids have been asked about, and of how many.
	// One call is made at a time.
	Progress func(done, of int)
}

// atOnce is how many key ids are asked about at once. The pace is that of STS.
const atOnce = 16

// Report asks about each finding of r, and brings its states and counts up to date. It
// removes secrets. It returns an error only if ctx ends.
func (a Rechecker) Report(ctx context.Context, r *finding.Saved) error {
	r.Totals.Live, r.Totals.Unknown, r.Totals.MayBeLive, r.Totals.Again = 0, 0, 0, &finding.Again{}
	var again againCount
	var group errgroup.Group
	group.SetLimit(atOnce)
	if a.Operator != nil {
		group.SetLimit(1) // IAM has a rate of its own, and serves others as well
	}
	questions := a.byID(r)
	for _, ofID := range questions {
		group.Go(func() error {
			for _, x := range ofID {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				again.count(a.ask(ctx, x.f, x.cred))
			}
			again.tell(a.Progress, len(questions))
			return nil
		})
	}
	if err := cmp.Or(group.Wait(), ctx.Err()); err != nil {
		return err
	}
	*r.Totals.Again = again.Again
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.MayBeLive() {
			r.Totals.MayBeLive++
		}
		switch {
		case f.Ignored != "":
		case f.Verdict.State == verifier.Live:
			f.Candidates, f.CandidatesOmitted = nil, 0 // an id has one secret
			r.Totals.Live++
		case f.Verdict.State == verifier.Unknown:
			r.Totals.Unknown++
		}
	}
	return nil
}

// A question is about a finding, whose secrets the report no longer has.
type question struct {
	f    *finding.Finding
	cred detectors.Credential
}

// byID takes the secrets out of r, and returns the questions about it, those about one key id
// together and in order.
func (a Rechecker) byID(r *finding.Saved) [][]question {
	var all [][]question
	index := map[string]int{}
	for i := range r.Findings {
		f := &r.Findings[i]
		cred := f.Match.Credential
		cred.Partition = PartitionOf(f)
		f.Match.Credential = detectors.Credential{ID: cred.ID} // the report is not to hold them again
		f.Candidates = finding.WithoutSecrets(f.Candidates)
		if f.Ignored != "" {
			continue
		}
		at, ok := index[cred.ID]
		if !ok {
			at = len(all)
			index[cred.ID], all = at, append(all, nil)
		}
		all[at] = append(all[at], question{f, cred})
	}
	return all
}

// againCount is a finding.Again that several goroutines add to.
type againCount struct {
	finding.Again
	mu   sync.Mutex
	done int // key ids
}

// tell notes that one more key id is done, of so many.
func (c *againCount) tell(progress func(done, of int), of int) {
	if progress == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done++
	progress(c.done, of)
}

func (c *againCount) count(wanted, answered bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if wanted {
		c.Of++
		if answered {
			c.Asked++
		}
	}
}

const noSecret = "the report holds no secret"

// LacksSecret reports whether AWS was not asked about f because its secret is missing.
func LacksSecret(f finding.Finding) bool { return strings.HasSuffix(f.Stale, noSecret) }

// ask asks about f: STS if cred has a secret, else IAM. wanted is false for findings that
// nobody is asked about: canaries; expired credentials; credentials that cannot be
// verified, such as the key of another store, which must not be sent to AWS; and findings
// without enough parts, such as a lone id, unless IAM is asked.
func (a Rechecker) ask(ctx context.Context, f *finding.Finding, cred detectors.Credential) (wanted, answered bool) {
	incomplete := f.SecretSHA256() == "" || strings.HasPrefix(cred.ID, "ASIA") && !f.HasToken()
	f.Stale = ""
	state := f.Verdict.State
	switch {
	case cred.ID == "", state == verifier.CanarySuspected, state == verifier.Expired, state == verifier.NotVerifiable:
		return false, false
	case !cred.Secret.IsZero() && !incomplete:
		return true, renew(f, a.verify(ctx, f, cred))
	case a.Operator != nil && operator.IsLongTermKeyID(cred.ID):
		return true, a.askOwner(ctx, f)
	case state == verifier.Skipped && incomplete:
		return false, false
	}
	keepVerdict(f, noSecret)
	return true, false
}

// verify asks STS. That is a use of the key, so IAM is asked for its last use before, unless
// the report tells a use from before an earlier question.
func (a Rechecker) verify(ctx context.Context, f *finding.Finding, cred detectors.Credential) verifier.Verdict {
	_, known := operator.FindUsedBefore(f.Verdict.Facts)
	if a.Operator == nil || known || !operator.IsLongTermKeyID(cred.ID) {
		return a.STS.Verify(ctx, cred)
	}
	before := owner.UsedBefore(ctx, a.Operator, cred.ID)
	v := a.STS.Verify(ctx, cred)
	v.Facts = append(v.Facts, before)
	return v
}

// keepVerdict leaves f as it was, and notes why AWS was not asked.
func keepVerdict(f *finding.Finding, why string) {
	f.Stale = "not asked again: " + why
	if f.Verdict.At.IsZero() && !isAnswer(f.Verdict.State) {
		f.Stale = "not asked: " + why
	}
}

// isAnswer reports whether s is an answer of AWS.
func isAnswer(s verifier.State) bool {
	return s == verifier.Live || s == verifier.IDActive || s == verifier.Invalid
}

// PartitionOf returns the partition to ask about a key first: the one in which it was live,
// or the one that the text around it named.
func PartitionOf(f *finding.Finding) string {
	if parts := strings.Split(f.Verdict.Identity.ARN, ":"); len(parts) > 1 {
		return parts[1]
	}
	for _, x := range f.Verdict.Facts {
		if x.Name == awskeys.PartitionHint {
			return x.Value
		}
	}
	return ""
}

// renew replaces the verdict of f by v, and reports whether v is an answer. If it is none,
// the last answer of AWS stays.
func renew(f *finding.Finding, v verifier.Verdict) (answered bool) {
	asked := !v.At.IsZero()
	none := v.State == verifier.Unknown || v.State == verifier.Skipped
	if none && isAnswer(f.Verdict.State) {
		keepVerdict(f, strings.TrimPrefix(v.Reason, "not asked: "))
		if asked {
			f.Stale = "asked again, without an answer: " + strings.TrimPrefix(v.Reason, "no answer: ")
		}
		return false
	}
	who := f.Verdict.Identity
	if v.Identity.ARN != "" {
		who = v.Identity
	}
	who.Account = cmp.Or(v.Identity.Account, f.Verdict.Identity.Account)
	v.Facts, v.At, v.Identity = renewed(f, v.Facts), v.At.UTC(), who
	f.Verdict = v
	return !none
}

// renewed returns the facts of f, with facts in place of the facts from the last answer.
// Call it before the time of the new answer is noted: the fact UsedBefore is about the
// question of the time that f has.
func renewed(f *finding.Finding, facts []verifier.Fact) []verifier.Fact {
	old := slices.DeleteFunc(f.Verdict.Facts, func(x verifier.Fact) bool {
		ofAnswer := slices.Contains([]string{"sts-endpoint", "http-status", "error-code", "aws-request-id", verifier.CachedFact}, x.Name)
		again := slices.ContainsFunc(facts, func(y verifier.Fact) bool { return x.Name == y.Name && x.Source == y.Source })
		return ofAnswer || again || fromIAM(x)
	})
	has := func(name string) bool {
		return slices.ContainsFunc(old, func(x verifier.Fact) bool { return x.Name == name })
	}
	if has(operator.UsedBefore) && !has(operator.UsedBeforeAt) && !f.Verdict.At.IsZero() {
		old = append(old, verifier.Fact{Name: operator.UsedBeforeAt, Value: f.Verdict.At.UTC().Format(time.RFC3339)})
	}
	return append(old, facts...)
}

// fromIAM reports whether x is the status of a key from IAM, not from an inventory.
func fromIAM(x verifier.Fact) bool {
	return x.Name == owner.KeyStatus && strings.HasPrefix(x.Source, "iam:")
}

// askOwner asks IAM of the key's account for its status, which STS does not tell without the
// secret, and reports whether IAM has answered.
func (a Rechecker) askOwner(ctx context.Context, f *finding.Finding) (answered bool) {
	v, id := &f.Verdict, f.Match.Credential.ID
	var err error
	if v.Identity.Account == "" {
		v.Identity.Account, err = owner.AccountOf(ctx, a.Operator, id)
	}
	if v.Identity.Account != "" && len(a.Accounts) > 0 && !slices.Contains(a.Accounts, v.Identity.Account) {
		keepVerdict(f, "account "+v.Identity.Account+" is not among those to ask about")
		return false
	}
	var key owner.Key
	if err == nil {
		key, err = owner.Find(ctx, a.Operator, v.Identity.Account, id)
	}
	if err != nil {
		v.Facts = append(slices.DeleteFunc(v.Facts, fromIAM), key.Fact(err))
		keepVerdict(f, "IAM does not say: "+assessment.Why(err))
		return false
	}
	v.Facts = renewed(f, []verifier.Fact{key.Fact(nil)})
	v.At = time.Now().UTC()
	switch {
	case v.State == verifier.Live && key.Status == owner.Active: // it was, and an id has one secret for good
		v.Reason = ""
	case key.Status == owner.Active && v.State != verifier.IDActive && f.SecretSHA256() != "":
		v.State, v.Reason = verifier.Unknown, "IAM says that the id is Active; nobody was asked whether the secret belongs to it"
	default:
		v.State, v.Reason = key.State()
	}
	a.identify(ctx, f, key.User)
	return true
}

// identify notes the user of the key of f, if the user was not known or has a new name.
func (a Rechecker) identify(ctx context.Context, f *finding.Finding, user string) {
	who := &f.Verdict.Identity
	if who.Kind != "" && who.Kind != "user" || who.Name == user {
		return
	}
	arn := owner.ARN(ctx, a.Operator, f.Verdict.Identity.Account, user)
	if arn == "" && who.Name != "" {
		return // a new name and an old ARN would not agree
	}
	who.Kind, who.Name, who.ARN = "user", user, arn
}

package assessment

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
)

// Assess returns the facts about the key of f, which has to name the account. If there is
// no way into the account, they are the facts that the organization tells. Facts about an
// account or a user are read once, and returned for each of its keys. The exposure is e with
// the locations of f. If it has no time, CloudTrail is asked about all 90 days of its
// history. If a fact of f has the last use before STS was asked about the key, that use
// counts, not IAM's current answer.
func (a *Assessor) Assess(ctx context.Context, f *finding.Finding, e Exposure) []verifier.Fact {
	for i := range f.Locations {
		e.add(&f.Locations[i])
	}
	if e.Since.After(a.now()) { // the date of a commit may be any
		e.Since = time.Time{}
	}
	acct := a.account(ctx, f.Verdict.Identity.Account)
	r := &inquiry{Assessor: a, account: acct, keyID: f.Match.Credential.ID, identity: f.Verdict.Identity, exposure: e, used: usedBefore(f.Verdict.Facts)}
	r.session = acct.session
	r.exposed()
	r.facts = append(r.facts, acct.named...)
	if acct.err != nil {
		r.add("access", unknownPrefix+acct.err.Error(), notable, "sts:AssumeRole")
		return r.facts
	}
	r.kind()
	r.owner(ctx)
	r.principal(ctx)
	r.facts = append(r.facts, acct.facts...)
	r.reported()
	r.bill()
	r.instances(ctx)
	r.facts = append(r.facts, acct.aboutKey(ctx, r.keyID).facts...)
	r.services(ctx)
	r.activity(ctx, acct.regions)
	r.mergeRegions(len(acct.regions))
	return r.facts
}

// account returns the account with the number id.
func (a *Assessor) account(ctx context.Context, id string) *account {
	c := a.expect(id)
	if c.session != nil || c.err != nil {
		return c
	}
	c.organization(ctx)
	c.controlPolicies(ctx)
	c.named, c.facts = c.facts, nil
	if c.session, c.err = a.Operator.In(ctx, id, "assess", ""); c.err != nil {
		return c
	}
	c.authorizationDetails(ctx)
	c.rootUser(ctx)
	c.credentialReport(ctx)
	c.passwordPolicy(ctx)
	c.administrators()
	c.findRegions(ctx)
	c.trails(ctx, c.regions, c.allRegions)
	c.alarms(ctx)
	c.eventRules(ctx)
	c.trustedAdvisor(ctx)
	c.securityContact(ctx)
	c.readCosts(ctx)
	c.findDetectors(ctx)
	return c
}

// kind adds what STS says about the owner.
func (r *inquiry) kind() {
	switch kind := r.identity.Kind; kind {
	case "":
	case "root":
		r.add("principal", "root: no policy limits it, and nobody else can deactivate it", act, "")
	default:
		r.add("principal", kind, neutral, "")
	}
}

// principal adds the facts about the user or the role of the key. Two keys of one user
// share them.
func (r *inquiry) principal(ctx context.Context) {
	var p *principal
	switch {
	case r.user != "":
		p = r.account.principal(ctx, "user", r.user)
		r.accessKey(p)
	case r.identity.Kind == "role" && r.identity.Name != "":
		p = r.account.principal(ctx, "role", r.identity.Name)
	default:
		r.simulate(ctx)
		return
	}
	r.arn = cmp.Or(p.arn, r.arn)
	r.facts = append(r.facts, p.facts...)
	if p.may == nil {
		before := len(r.facts)
		r.simulate(ctx)
		p.may = slices.Clone(r.facts[before:])
		return
	}
	r.facts = append(r.facts, p.may...)
}

// owner finds the user of the key, and its last use; IAM does not say who used it.
func (r *inquiry) owner(ctx context.Context) {
	who := r.identity
	r.arn = who.ARN
	switch who.Kind {
	case "user":
		r.user = who.Name
	case "role":
		_, rest, _ := strings.Cut(who.ARN, ":sts:")
		r.arn = "arn:" + r.session.Partition() + ":iam" + strings.Replace(rest[:max(0, strings.LastIndexByte(rest, '/'))], ":assumed-role/", ":role/", 1)
	}
	if who.Kind == "role" || who.Kind == "root" || strings.HasPrefix(r.keyID, "ASIA") {
		return
	}
	c := r.iam("GetAccessKeyLastUsed")
	used, err := r.session.LastUsed(ctx, r.keyID)
	if err != nil {
		r.unknown("last-used", c, err)
		return
	}
	r.user = used.User
	if r.arn == "" {
		r.arn = "arn:" + r.session.Partition() + ":iam::" + r.session.Account + ":user/" + used.User
	}
	r.add("user", used.User, neutral, source(c))
	text := used.String()
	if before := r.used; before != nil && used.Service == "sts" {
		used, text = *before, before.String()+", before STS was asked about it"
	}
	if !used.At.IsZero() { // else IAM says "N/A"
		r.region = used.Region
	}
	r.last = used
	risk := neutral
	if r.now().Sub(used.At) < 24*time.Hour && used.Service != "sts" {
		risk = notable
	}
	r.add("last-used", text, risk, source(c))
}

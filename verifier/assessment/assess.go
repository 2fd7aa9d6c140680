package assessment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
)

// Assess returns the facts about the key of f, which has to name the account. If there is
// no way into the account, that is the only fact. The exposure is e with the locations of
// f. If it has no time, CloudTrail is asked about all 90 days of its history. If a fact of
// f has the last use before STS was asked about the key, that use counts, not IAM's current
// answer.
func (a *Assessor) Assess(ctx context.Context, f *finding.Finding, e Exposure) []verifier.Fact {
	for i := range f.Locations {
		e.add(&f.Locations[i])
	}
	r := &inquiry{Assessor: a, keyID: f.Match.Credential.ID, identity: f.Verdict.Identity, exposure: e, used: usedBefore(f.Verdict.Facts)}
	r.exposed()
	r.organization(ctx)
	session, err := a.Operator.In(ctx, r.identity.Account, "assess", "")
	if err != nil {
		r.add("access", unknownPrefix+err.Error(), notable, "sts:AssumeRole")
		return r.facts
	}
	r.session = session
	r.principal()
	r.owner(ctx)
	switch {
	case r.user != "":
		r.userFacts(ctx)
	case r.identity.Kind == "role" && r.identity.Name != "":
		r.roleFacts(ctx)
	}
	r.simulate(ctx)
	r.rootUser(ctx)
	r.credentialReport(ctx)
	regions, all := r.regions(ctx)
	r.trails(ctx, regions, all)
	r.alarms(ctx)
	r.trustedAdvisor(ctx)
	r.health(ctx)
	for _, region := range regions {
		r.guardDuty(ctx, region)
	}
	r.services(ctx)
	r.activity(ctx, regions)
	r.mergeRegions(len(regions))
	return r.facts
}

// organization names the account, as the management account or a delegated
// administrator sees it: with the operator's own identity.
func (r *inquiry) organization(ctx context.Context) {
	var out struct {
		Account struct{ Name, Email, Status, State string } // State is to replace Status
	}
	c := operator.Call{Service: "organizations", Action: "DescribeAccount",
		Body: map[string]string{"AccountId": r.identity.Account}}
	if err := r.Operator.Own().Do(ctx, c, &out); err != nil {
		r.unknown("account-name", c, err)
		var e *operator.Error
		if errors.As(err, &e) && e.Denied() { // the tags may be allowed all the same
			r.accountOwner(ctx)
		}
		return
	}
	text := fmt.Sprintf("%s, %s", out.Account.Name, out.Account.Email)
	if state := cmp.Or(out.Account.State, out.Account.Status, "ACTIVE"); state != "ACTIVE" {
		text += ", " + state
	}
	r.add("account-name", text, neutral, source(c))
	r.accountOwner(ctx)
}

func (r *inquiry) principal() {
	switch kind := r.identity.Kind; kind {
	case "":
	case "root":
		r.add("principal", "root: no policy limits it, and nobody else can deactivate it", act, "")
	default:
		r.add("principal", kind, neutral, "")
	}
}

// owner finds the user of the key, and its last use; IAM does not tell who used it.
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
	risk := neutral
	if r.now().Sub(used.At) < 24*time.Hour && used.Service != "sts" {
		risk = notable
	}
	r.add("last-used", text, risk, source(c))
}

// Package assessment says how dangerous a leaked key is: whose it is, what it may
// do, what it did since it leaked, and how well its account would have noticed. It
// asks with the operator's identity, and only reads; the leaked key is not used.
//
// Each answer is a verifier.Fact with the call that it comes from. What cannot be
// asked is a fact as well: "not known: needs iam:ListAccessKeys". One missing
// permission never costs another fact.
package assessment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
)

// A Subject is the key to assess.
type Subject struct {
	KeyID string
	// Identity is what is known of its owner; at least the account.
	Identity verifier.Identity
	// Leak is since when it could be read. Without it CloudTrail is asked for as much as
	// it has, 90 days.
	Leak Leak
	// Used is what IAM said of its last use before STS was asked about it; nil asks
	// IAM now.
	Used *operator.LastUsed
}

// An Assessor assesses keys. It is used by one goroutine.
type Assessor struct {
	Operator *operator.Operator
	Now      func() time.Time // nil means time.Now
	// Pace is the time between two questions to CloudTrail in one region, which
	// allows two a second; 0 means a little more than half a second, less than 0 none.
	Pace time.Duration

	asked map[string]time.Time // by account and region: when CloudTrail was
}

// Risks of facts.
const (
	neutral = iota
	notable
	bad
	act
)

// unknownPrefix begins the value of a fact that could not be found out.
const unknownPrefix = "not known: "

// Assess returns what is known of s. If there is no way into its account, that is
// the only fact.
func (a *Assessor) Assess(ctx context.Context, s Subject) []verifier.Fact {
	r := &inquiry{Assessor: a, subject: s}
	r.exposure()
	r.organization(ctx)
	session, err := a.Operator.In(ctx, s.Identity.Account, "assess", "")
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
	case s.Identity.Kind == "role" && s.Identity.Name != "":
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
		r.lookUpEvents(ctx, region)
	}
	r.mergeRegions(len(regions))
	r.activity()
	return r.facts
}

// addIn adds a fact of a region; regional makes one of those that are alike.
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

// A inquiry is the assessment of one key.
type inquiry struct {
	*Assessor
	subject   Subject
	session   *operator.Session
	user      string // the owner, as far as known
	arn       string // of the principal that has the policies
	facts     []verifier.Fact
	inRegions []regionalFact
	events    map[callGroup]*callTimes
}

func (r *inquiry) add(name, value string, risk int, source string) {
	r.facts = append(r.facts, verifier.Fact{Name: name, Value: value, Risk: risk, Source: source})
}

// unknown adds the fact that name could not be found out by call.
func (r *inquiry) unknown(name string, c operator.Call, err error) {
	r.add(name, unknownPrefix+Why(err), neutral, source(c))
}

func source(c operator.Call) string { return (&operator.Error{Call: c}).Permission() }

// Why says in a few words why AWS gave no answer.
func Why(err error) string {
	var e *operator.Error
	switch {
	case !errors.As(err, &e):
		return err.Error()
	case e.Denied():
		return e.Reason()
	case e.Code == "SubscriptionRequiredException":
		return "the account has no support plan that shows it"
	case e.Code == "AWSOrganizationsNotInUseException":
		return "the account is in no organization"
	case e.Status >= 500:
		return fmt.Sprintf("AWS has trouble (HTTP %d)", e.Status)
	case e.Busy():
		return "AWS was too busy (" + e.Code + ")"
	case e.Skew != 0:
		return e.Error()
	case e.Message != "":
		return e.Code + ": " + e.Message
	}
	return e.Code
}

func (a *Assessor) now() time.Time {
	if a.Now == nil {
		return time.Now()
	}
	return a.Now()
}

func (r *inquiry) iam(action string, params ...string) operator.Call {
	c := operator.Call{Service: "iam", Action: action, Params: map[string]string{}}
	for i := 0; i < len(params); i += 2 {
		c.Params[params[i]] = params[i+1]
	}
	return c
}

// organization names the account, as the management account or a delegated
// administrator sees it: with the operator's own identity.
func (r *inquiry) organization(ctx context.Context) {
	var out struct {
		Account struct{ Name, Email, Status, State string } // State is to replace Status
	}
	c := operator.Call{Service: "organizations", Action: "DescribeAccount",
		Body: map[string]string{"AccountId": r.subject.Identity.Account}}
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
	switch kind := r.subject.Identity.Kind; kind {
	case "":
	case "root":
		r.add("principal", "root: no policy limits it, and nobody else can deactivate it", act, "")
	default:
		r.add("principal", kind, neutral, "")
	}
}

// owner finds the user of the key, and when it was last used: by whom is not said.
func (r *inquiry) owner(ctx context.Context) {
	who := r.subject.Identity
	r.arn = who.ARN
	switch who.Kind {
	case "user":
		r.user = who.Name
	case "role":
		_, rest, _ := strings.Cut(who.ARN, ":sts:")
		r.arn = "arn:" + r.session.Partition() + ":iam" + strings.Replace(rest[:max(0, strings.LastIndexByte(rest, '/'))], ":assumed-role/", ":role/", 1)
	}
	if who.Kind == "role" || who.Kind == "root" || strings.HasPrefix(r.subject.KeyID, "ASIA") {
		return
	}
	c := r.iam("GetAccessKeyLastUsed")
	used, err := r.session.LastUsed(ctx, r.subject.KeyID)
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
	if before := r.subject.Used; before != nil && used.Service == "sts" {
		used, text = *before, before.String()+", before STS was asked about it"
	}
	risk := neutral
	if r.now().Sub(used.At) < 24*time.Hour && used.Service != "sts" {
		risk = notable
	}
	r.add("last-used", text, risk, source(c))
}

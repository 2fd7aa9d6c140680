package apply

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/verifier/activity"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/permissions"
)

// An intruder may work while stanch does: make a user, a second key, assume a role. IAM tells
// of that at once, and CloudTrail up to activity.Delay later. So when the steps are taken,
// and again at each confirm, the account is compared with the plan.

// compares reports whether the plan notes how the account was, as plans of older versions do
// not.
func (j keyRun) compares(plan response.Plan) bool {
	return !j.key.SwitchesItselfOff() && !response.IsServiceCredentialID(j.key.KeyID) && (j.key.User != nil || plan.Users != nil || j.key.Left != nil)
}

// remains names the access that goes on after the steps of the key, and whatever about it
// could not be read. others are things that the key made and that give no access. recent and
// made are those of CloudTrail: it is read first, since it takes the longest, and IAM last.
func (j keyRun) remains(ctx context.Context, plan response.Plan, recent, made []response.Remnant) (left, others []response.Remnant) {
	if !j.compares(plan) {
		return nil, nil
	}
	left = slices.Concat(j.key.Left, recent, j.newUsers(ctx, plan))
	if j.key.User != nil {
		now, unread := response.ReadUserState(ctx, j.session, j.key.Name, time.Time{})
		now.Inline = slices.DeleteFunc(now.Inline, func(name string) bool { return j.denies(ctx, name) })
		left = slices.Concat(left, unread, j.key.User.Changes(now, j.key))
	}
	left, others = distinct(left), distinct(slices.Concat(j.key.Made, made))
	return slices.DeleteFunc(left, func(r response.Remnant) bool { return r.Over(ctx, j.session, j.now()) }), others
}

// denies reports whether an inline policy of the user is one that stanch puts, by its name and
// its content: another operator's, who works at the same time.
func (j keyRun) denies(ctx context.Context, policy string) bool {
	console := strings.HasPrefix(policy, response.ConsolePolicyName(""))
	if !console && !strings.HasPrefix(policy, response.PolicyName("")) {
		return false
	}
	document, err := j.session.InlinePolicy(ctx, "user", j.key.Name, policy)
	_, sessions := response.DeniedUntil(document)
	return err == nil && (sessions || console && document == denyConsoleDocument())
}

// newUsers names the users of the account that are new since the plan was made, and those
// that were made just before it, of which CloudTrail may not have told yet.
func (j keyRun) newUsers(ctx context.Context, plan response.Plan) (left []response.Remnant) {
	before, known := plan.Users[j.key.Account]
	if !known {
		return nil // which Key.Left says
	}
	users, err := j.session.ListUsers(ctx)
	if err != nil {
		return []response.Remnant{{Why: response.NotKnown("which users the account has", err)}}
	}
	for _, u := range users {
		// A Date, from which AWS's time is known, has no fractions of seconds.
		justBefore := u.Created.Before(before.At.Add(time.Second)) && u.Created.After(before.At.Add(-activity.Delay))
		if slices.Contains(before.Names, u.Name) && !justBefore {
			continue
		}
		if slices.ContainsFunc(plan.Keys, func(k response.Key) bool { return k.Account == j.key.Account && k.Kind == "user" && k.Name == u.Name }) {
			continue
		}
		left = append(left, response.Remnant{
			Why:  "user " + u.Name + " is new (" + u.Created.UTC().Format(time.RFC3339) + "), and CloudTrail may not yet say who made it",
			Look: "aws iam list-access-keys --user-name " + u.Name + "; aws iam get-login-profile --user-name " + u.Name,
			User: u.Name,
		})
	}
	return left
}

// recent reads CloudTrail from shortly before the plan was made. It names roles that no step
// is about, and things that were made.
func (j keyRun) recent(ctx context.Context, plan response.Plan) (left, others []response.Remnant) {
	if !j.compares(plan) {
		return nil, nil
	}
	trail := j.trail()
	trail.Keys = 0
	for _, k := range plan.Keys {
		if k.Account == j.key.Account {
			trail.Keys++
		}
	}
	regions, err := trail.Regions(ctx, j.session)
	if err != nil {
		left = append(left, response.Remnant{Why: "CloudTrail was read in " + strings.Join(regions, ", ") + " only: " + response.NotKnown("the list of regions", err)})
	}
	var accounts []string
	for _, step := range j.key.Steps {
		if account := step.Account(j.key); !slices.Contains(accounts, account) {
			accounts = append(accounts, account)
		}
	}
	log := trail.Recent(ctx, j.session, append([]string{j.key.KeyID}, j.key.Sessions...), accounts, plan.Created.Add(-activity.Delay), regions)
	for _, role := range log.Roles {
		over := role.Time.Add(response.RoleSessionLife)
		name := role.ARN[strings.LastIndexByte(role.ARN, '/')+1:]
		step := response.Step{Do: response.DenySessions, Kind: "role", Name: name, Object: response.PolicyName(plan.ID), Resource: role.ARN}
		if slices.Contains(j.key.Steps, step) {
			if denied := j.deniedBefore(step); !role.Time.Before(denied) {
				left = append(left, response.Remnant{Until: over, Why: "role " + role.ARN + " was assumed at " + role.Time.UTC().Format(time.RFC3339) + " by " + role.By +
					", after its sessions were denied: shut that off as well, and apply the plan again"})
			}
			continue
		}
		named := func(r response.Remnant) bool {
			return strings.Contains(r.Why, " "+role.ARN+" ") && !r.Until.Before(over)
		}
		if slices.ContainsFunc(j.key.Left, named) || j.roleGone(ctx, step) {
			continue
		}
		left = append(left, response.Remnant{Until: over, Why: "role " + role.ARN + " was assumed with the key, and the plan does not know of it: plan again, which denies its sessions, " +
			"or deny them in IAM > Roles > Revoke sessions"})
	}
	access, others := response.Things(log)
	return slices.Concat(left, response.Gaps(log), access), others
}

// deniedBefore returns the time before which sessions are denied by step, zero if none are.
func (j keyRun) deniedBefore(step response.Step) (t time.Time) {
	if put := j.Journal.History(j.plan).Step(step).Intent; put != nil {
		t, _ = response.DeniedUntil(put.Document)
	}
	return t
}

// roleGone reports whether the role of step was deleted, so that its sessions can do nothing.
func (j keyRun) roleGone(ctx context.Context, step response.Step) bool {
	s, err := j.reader(ctx, step)
	if err == nil {
		_, err = s.Tags(ctx, "role", step.Name)
	}
	return errors.Is(err, operator.ErrNotFound)
}

func (a *Applier) trail() *activity.Reader {
	if a.Activity == nil {
		a.Activity = &activity.Reader{Now: a.Now}
	}
	a.Activity.In = func(ctx context.Context, account string) (*operator.Session, error) {
		return permissions.Reading(ctx, a.Operator, a.Rules, account)
	}
	return a.Activity
}

// describe completes o with facts of the journal.
func (j keyRun) describe(o *response.Outcome) {
	h := j.Journal.History(j.plan)
	o.Off = h.LastChange(j.key)
	for _, s := range j.key.Steps {
		if h.Step(s).Managed {
			o.Managed = append(o.Managed, s)
		}
	}
}

// distinct leaves out things that an earlier element of list names. The one that ends last
// counts: a role that was assumed twice has two sessions.
func distinct(list []response.Remnant) (once []response.Remnant) {
	for _, r := range list {
		i := slices.IndexFunc(once, func(o response.Remnant) bool {
			return o.Why == r.Why || r.User != "" && o.User == r.User && o.KeyID == r.KeyID
		})
		switch {
		case i < 0:
			once = append(once, r)
		case r.Until.IsZero(), !once[i].Until.IsZero() && once[i].Until.Before(r.Until):
			once[i].Until = r.Until
		}
	}
	return once
}

// late is the note on CloudTrail while it may not have told all.
func (j keyRun) late() []string {
	last := j.Journal.History(j.plan).LastChange(j.key)
	if j.key.SwitchesItselfOff() || response.IsServiceCredentialID(j.key.KeyID) || last.IsZero() || j.now().Sub(last) > activity.Delay {
		return nil
	}
	return []string{"CloudTrail tells of a call up to " + strconv.Itoa(int(activity.Delay.Minutes())) + " minutes" + " late: roles and things of the last minutes may be missing"}
}

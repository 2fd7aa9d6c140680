package planner

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/verifier/activity"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/permissions"
)

// steps adds the steps to k: the key first, then the sessions, which outlive it by up to 36
// hours. The other order would leave a gap: a policy that denies the sessions issued until
// now does not deny one that is issued while the key still works. For the same reason the
// user or role of the key comes before the roles that it has assumed.
func (p *Planner) steps(ctx context.Context, s *operator.Session, k *response.Key, id string) error {
	resource := k.ARN // of a user, with the path
	if k.Kind == "role" {
		var err error
		if resource, err = s.RoleARN(ctx, k.Name); err != nil {
			return response.Unreadable("the path of the role", err)
		}
	}
	step := func(do response.Action, object string) response.Step {
		return response.Step{Do: do, Kind: k.Kind, Name: k.Name, Object: object, Resource: resource}
	}
	if k.Kind == "user" && !response.IsSession(k.KeyID) { // of a key that is off, to see that it stays off
		k.Steps = append(k.Steps, step(response.Deactivate, k.KeyID))
	}
	k.Steps = append(k.Steps, step(response.DenySessions, response.PolicyName(id)))
	if k.Kind == "role" {
		k.Warnings = append(k.Warnings, "every session of the role that is older than the step ends: whatever uses it has to fetch a new one")
	} else {
		p.userSteps(ctx, s, k, step, id)
	}
	p.activity(ctx, s, k, id)
	return nil
}

// userSteps adds the steps that are about the user of k alone.
func (p *Planner) userSteps(ctx context.Context, s *operator.Session, k *response.Key, step func(response.Action, string) response.Step, id string) {
	// CloudTrail may not tell yet who made a key of the last minutes: it counts as new.
	state, unread := response.ReadUserState(ctx, s, k.Name, p.atAWS(s).Add(-activity.Delay))
	k.User, k.Left = &state, append(k.Left, unread...)
	if state.Console == response.Present {
		k.Steps = append(k.Steps, step(response.DenyConsole, response.ConsolePolicyName(id)))
		k.Warnings = append(k.Warnings, "the user has a console password: all sessions of the user are denied, including new ones and those of the user's other key; requests that the other key signs directly are not")
	}
	quarantined := slices.ContainsFunc(state.Attached, operator.IsQuarantine)
	if quarantined {
		k.Warnings = append(k.Warnings, "AWS has quarantined the user: leave that policy attached, and answer the support case")
	} else if p.Quarantine && state.Attached != nil {
		k.Steps = append(k.Steps, step(response.Quarantine, "arn:"+s.Partition()+":iam::aws:policy/AWSCompromisedKeyQuarantineV3"))
	}
}

// activity reads what the key did since the leak. It adds steps for the roles that it has
// assumed, and names what no step deals with.
func (p *Planner) activity(ctx context.Context, s *operator.Session, k *response.Key, id string) {
	log := p.logs.read(ctx, p.trail(k.Account), s, k)
	if log.Err != nil {
		k.Left = append(k.Left, response.Remnant{Why: "CloudTrail was read in " + strings.Join(log.Regions, ", ") + " only: " + response.NotKnown("the list of regions", log.Err)})
	}
	for _, c := range log.Sessions {
		if over := c.Time.Add(response.SessionLife); !response.IsSession(c.ID) || p.now().Before(over) {
			k.Sessions = append(k.Sessions, c.ID) // that may still sign
		}
	}
	for _, role := range lastSessions(log.Roles) {
		p.assumed(ctx, k, role, id)
	}
	access, others := response.Things(log.Log)
	k.Left, k.Made = slices.Concat(k.Left, response.Gaps(log.Log), access), others
}

// lastSessions returns the last session of each role.
func lastSessions(sessions []activity.AssumedRole) (last []activity.AssumedRole) {
	for i, a := range sessions { // in the order of time
		later := func(b activity.AssumedRole) bool { return b.ARN == a.ARN }
		if !slices.ContainsFunc(sessions[i+1:], later) {
			last = append(last, a)
		}
	}
	return last
}

// assumed adds the step for a role that the key has assumed, or says why there is none.
// Nothing is needed if its last session is over, if the role is gone, or if the key is a
// session of that role.
func (p *Planner) assumed(ctx context.Context, k *response.Key, role activity.AssumedRole, id string) {
	over := role.Time.Add(response.RoleSessionLife)
	name := role.ARN[strings.LastIndexByte(role.ARN, '/')+1:]
	step := response.Step{Do: response.DenySessions, Kind: "role", Name: name, Object: response.PolicyName(id), Resource: role.ARN}
	if p.now().After(over) || slices.Contains(k.Steps, step) {
		return
	}
	err := p.admitRole(ctx, k, step)
	switch {
	case response.Refused(err) == response.GateIdentity && response.IsRole(role.ARN):
		return // there is no such role any more
	case err != nil:
		k.Left = append(k.Left, response.Remnant{Until: over, Why: "sessions that the key has made of role " + role.ARN + " keep working until " +
			over.UTC().Format(time.RFC3339) + " at the latest, and stanch does not deny them: " + err.Error()})
		return
	}
	k.Steps = append(k.Steps, step)
	k.Warnings = append(k.Warnings, "the key has assumed role "+name+" (account "+step.Account(*k)+", last "+role.Time.UTC().Format(time.RFC3339)+
		"): every session of the role that is older than the step ends, also those of others")
}

// admitRole judges the gates for the role of step.
func (p *Planner) admitRole(ctx context.Context, k *response.Key, step response.Step) error {
	switch {
	case !response.IsRole(step.Resource):
		return response.Refuse(response.GateIdentity, "CloudTrail names no ARN")
	case strings.HasPrefix(step.Name, "AWSServiceRoleFor"):
		return response.Refuse(response.GateManual, "a service-linked role cannot be changed")
	case strings.HasPrefix(step.Name, "AWSReservedSSO_"):
		return response.Refuse(response.GateManual, "a role of IAM Identity Center cannot be changed by IAM")
	}
	if err := p.Rules.Allow(step.Account(*k), step.Name, step.Resource); err != nil {
		return err
	}
	s, err := p.in(ctx, step.Account(*k), *k)
	if err != nil {
		return response.Refuse(response.GateResponder, "%v", err)
	}
	return response.GuardRole(ctx, p.Operator, s, p.Rules, *k, step)
}

// in opens a session that reads in an account.
func (p *Planner) in(ctx context.Context, account string, k response.Key) (*operator.Session, error) {
	return p.Operator.In(ctx, account, k.Fingerprint[:min(8, len(k.Fingerprint))], permissions.Read())
}

// atAWS returns the time at AWS, or that of this machine if AWS does not tell.
func (p *Planner) atAWS(s *operator.Session) time.Time {
	if at, _, known := s.Time(); known {
		return at.UTC()
	}
	return p.now().UTC()
}

// noteUsers notes the users of each account of plan. If they cannot be listed, each key of
// the account says so.
func (p *Planner) noteUsers(ctx context.Context, plan *response.Plan) {
	for i := range plan.Keys {
		k := &plan.Keys[i]
		if k.SwitchesItselfOff() || response.IsServiceCredentialID(k.KeyID) || plan.Users[k.Account].Names != nil {
			continue
		}
		s, err := p.in(ctx, k.Account, *k)
		var users []operator.User
		if err == nil {
			users, err = s.ListUsers(ctx)
		}
		if err != nil {
			k.Left = append(k.Left, response.Remnant{Why: response.NotKnown("which users the account has", err)})
			continue
		}
		list := response.UserList{At: p.atAWS(s), Names: []string{}}
		for _, u := range users {
			list.Names = append(list.Names, u.Name)
		}
		if plan.Users == nil {
			plan.Users = map[string]response.UserList{}
		}
		plan.Users[k.Account] = list
	}
}

package planner

import (
	"context"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/activity"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
)

// identifyByCalls completes the identity of a named key by its calls in CloudTrail: nobody
// else knows whose a session or a deleted key is, if STS has never told. It refuses a key
// without a call, and a session that is over.
func (p *Planner) identifyByCalls(ctx context.Context, s *operator.Session, leak *finding.Finding) error {
	trail := p.trail(s.Account)
	regions, err := trail.Regions(ctx, s)
	if err != nil {
		return response.Unreadable("in which regions its calls are", err)
	}
	id, now := leak.Match.Credential.ID, p.now()
	log := trail.Read(ctx, s, id, now.Add(-response.SessionLife), regions)
	who, gaps := log.Principal, ""
	for _, gap := range response.Gaps(log) {
		gaps += "; " + gap.Why
	}
	kind := kindOf(who)
	if kind == "" {
		return response.Refuse(response.GateIdentity, "CloudTrail of account %s names nobody who has signed with it%s", s.Account, gaps)
	}
	life := response.SessionLife
	if kind == "role" {
		life = response.RoleSessionLife
	}
	if response.IsSession(id) && !calledSince(log, id, now.Add(-life)) {
		return response.Refuse(response.GateState, "CloudTrail shows no call with it in the last %.0f hours, and no such session lives longer, so it has ended%s", life.Hours(), gaps)
	}
	leak.Verdict.Identity = verifier.Identity{Account: s.Account, Kind: kind, Name: who.Name, ARN: who.ARN}
	return nil
}

// kindOf returns the kind of a principal as verdicts name it, "" if the log does not tell.
func kindOf(who activity.Principal) string {
	if who.ARN == "" {
		return ""
	}
	return map[string]string{"IAMUser": "user", "AssumedRole": "role", "FederatedUser": "federated", "Root": "root"}[who.Type]
}

// calledSince reports whether log has a call that the id itself has signed since a time.
func calledSince(log activity.Log, id string, since time.Time) bool {
	return slices.ContainsFunc(log.Calls, func(c activity.Calls) bool { return c.ID == id && c.Last.After(since) })
}

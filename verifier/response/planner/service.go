package planner

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/permissions"
)

// serviceOf returns IAM's name of the service of a rule's credentials, and whether they are
// service-specific credentials at all. "" means any service but Bedrock: the passwords of
// CodeCommit and Keyspaces look alike.
func serviceOf(rule string) (service string, ok bool) {
	switch rule {
	case "aws-bedrock-api-key":
		return "bedrock.amazonaws.com", true
	case "aws-service-password":
		return "", true
	}
	return "", false
}

// service plans for a service-specific credential. STS does not know it, but it names its
// user, and IAM proves that it is active.
func (p *Planner) service(ctx context.Context, leak *finding.Finding, service string) (response.Key, error) {
	account, name := leak.Verdict.Identity.Account, ""
	for _, f := range leak.Verdict.Facts {
		if f.Name == "iam-user" {
			name = f.Value
		}
	}
	if account == "" || name == "" {
		return response.Key{}, response.Refuse(response.GateIdentity, "it does not name its user and account")
	}
	if err := p.Rules.Allow(account, name, ""); err != nil {
		return response.Key{}, err
	}
	s, err := p.Operator.In(ctx, account, leak.Fingerprint()[:min(8, len(leak.Fingerprint()))], permissions.Read())
	if err != nil {
		return response.Key{}, response.Refuse(response.GateResponder, "%v", err)
	}
	arn, err := s.UserARN(ctx, name)
	if err != nil {
		return response.Key{}, response.Unreadable("its user", err)
	}
	list, err := s.ServiceCredentials(ctx, name)
	if err != nil {
		return response.Key{}, response.Unreadable("its status", err)
	}
	list = slices.DeleteFunc(list, func(c operator.ServiceCredential) bool {
		bedrock := strings.HasPrefix(c.Service, "bedrock.")
		return c.Status != response.Active || bedrock != (service != "")
	})
	switch len(list) {
	case 0:
		return response.Key{}, response.Refuse(response.GateState, "user %s has no such credential that is active", name)
	case 1:
	default:
		return response.Key{}, response.Refuse(response.GateIdentity, "user %s has %d such credentials, and it does not tell which it is: set them to Inactive by hand", name, len(list))
	}
	k := keyOf(leak)
	if made := list[0].Created; !k.Since.IsZero() && made.After(k.Since.Add(time.Hour)) { // clocks of committers differ
		return response.Key{}, response.Refuse(response.GateIdentity, "the one such credential of user %s that is active was made on %s, after the leak: it is another one",
			name, made.UTC().Format(time.DateOnly))
	}
	k.Warnings = append(k.Warnings, "stanch concludes that it is this one: it is the only active one of its user")
	k.KeyID, k.Kind, k.Name, k.ARN, k.Responder = list[0].ID, "user", name, arn, s.ARN
	k.Status, k.Created, k.LastUsed = list[0].Status, list[0].Created, "not known"
	k.Steps = []response.Step{{Do: response.DisableServiceCredential, Kind: "user", Name: name, Object: list[0].ID}}
	tags, err := response.Guard(ctx, p.Operator, s, p.Rules, k)
	k.Owner = owner(tags, leak.Verdict.Facts)
	return k, err
}

// isService reports whether service can plan for leak.
func isService(leak *finding.Finding) (service string, ok bool) {
	service, ok = serviceOf(leak.Match.Rule.ID)
	return service, ok && leak.Verdict.State == verifier.NotVerifiable
}

package awsverifier

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/verifier"
)

// Prefixes of the ids that sign requests. Other ids of AWS are names, not keys.
const (
	longTerm = "AKIA"
	session  = "ASIA"
)

// sessionLife is the longest that STS lets a session live (36 hours, for GetSessionToken and
// GetFederationToken). Roles and the root user get less, but a token does not tell which
// call made it.
const sessionLife = 36 * time.Hour

// pattern compiles a regexp when it is first needed, so that commands that verify nothing,
// above all hooks, do not wait for it.
func pattern(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

var signingID = pattern(`^(` + longTerm + `|` + session + `)[A-Z0-9]{12,124}$`)

// Offline is a verifier.Verifier that reads the key alone and sends nothing. It recognises
// canaries and sessions that are over; every other credential is Skipped. Its zero value
// works.
type Offline struct {
	CanaryAccounts []string         // in addition to the built-in list
	Now            func() time.Time // nil means time.Now
}

// Verify implements verifier.Verifier.
func (o Offline) Verify(_ context.Context, c detectors.Credential) verifier.Verdict {
	account, facts := fromID(c.ID)
	token, ok := fromToken(c)
	if ok {
		facts = append(facts, tokenFacts(token, account)...)
	}
	if account == "" {
		account = token.Account
	}
	v := verifier.Verdict{State: verifier.Skipped, Identity: verifier.Identity{Account: account}, Facts: facts}
	over := token.Issued.Add(sessionLife)
	switch list := o.canary(account, token.Account); {
	case list != "":
		v.State = verifier.CanarySuspected
		v.Facts = append(v.Facts, verifier.Fact{Name: "canary-account", Value: list})
	case ok && over.Before(o.now()):
		v.State = verifier.Expired
		v.Facts = append(v.Facts, verifier.Fact{Name: "token-expired", Value: over.Format(time.RFC3339)})
	default:
		v.Reason = missing(c)
		if v.Reason == "" {
			v.Reason = verifier.NotAsked
		}
	}
	return v
}

func (o Offline) now() time.Time {
	if o.Now == nil {
		return time.Now()
	}
	return o.Now()
}

// canary returns the list that names one of accounts, or "".
func (o Offline) canary(accounts ...string) string {
	for _, a := range accounts {
		if list := canaryList(a); list != "" {
			return list
		}
		if slices.Contains(o.CanaryAccounts, a) {
			return "listed by the user"
		}
	}
	return ""
}

func fromID(id string) (account string, facts []verifier.Fact) {
	account, ok := awskeys.Account(id)
	if !ok && signingID().MatchString(id) && awskeys.Grade(id) == awskeys.Legacy {
		facts = []verifier.Fact{{Name: "key-generation", Value: "legacy, account not decodable"}}
	}
	return account, facts
}

// fromToken reads the token of a session. A token found near a long-term key
// belongs to something else and must not make that key look expired.
func fromToken(c detectors.Credential) (awskeys.TokenInfo, bool) {
	if strings.HasPrefix(c.ID, longTerm) {
		return awskeys.TokenInfo{}, false
	}
	return awskeys.ParseToken(c.Token.Reveal())
}

func tokenFacts(t awskeys.TokenInfo, account string) []verifier.Fact {
	facts := []verifier.Fact{{Name: "token-issued", Value: t.Issued.UTC().Format(time.RFC3339)}}
	if t.Region != "" {
		facts = append(facts, verifier.Fact{Name: "token-region", Value: t.Region})
	}
	if account != "" && t.Account != "" && t.Account != account {
		facts = append(facts, verifier.Fact{
			Name:  "token-account-mismatch",
			Value: "the token says " + t.Account + ", the key id " + account,
		})
	}
	return facts
}

// missing returns why there is nothing to ask STS with, or "" if c is complete.
func missing(c detectors.Credential) string {
	switch {
	case c.ID == "" && c.Secret.IsZero():
		return "session token without its key"
	case c.ID == "":
		return "secret without a key id"
	case !signingID().MatchString(c.ID):
		return "not the id of a key that signs requests"
	case c.Secret.IsZero():
		return "no secret was found for this key id"
	case strings.HasPrefix(c.ID, session) && c.Token.IsZero():
		return "session key without its token"
	}
	return ""
}

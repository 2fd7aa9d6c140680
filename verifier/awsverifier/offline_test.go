package awsverifier

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

func TestOffline(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	issued := func(ago time.Duration) detectors.Credential {
		return verifiertest.Session(account, "eu-west-1", now.Add(-ago), 1)
	}
	id := func(s string) detectors.Credential { return detectors.Credential{ID: s} }
	secret := verifiertest.LongTerm(account, 1).Secret
	key := func(id string) detectors.Credential { return detectors.Credential{ID: id, Secret: secret} }
	body := verifiertest.LongTerm(account, 1).ID[4:]
	token := func(account string) detectors.Secret {
		return detectors.NewSecret(detectorstest.Token(account, "", now, 1))
	}
	mixed := issued(0)
	mixed.Token = token(another)
	tokenOnly := detectors.Credential{Token: token(canary)}
	opaque := issued(0)
	opaque.Token = detectors.NewSecret("not a token that we can read")
	oldToken := key("AKIA" + body)
	oldToken.Token = issued(99 * time.Hour).Token
	noSecret := issued(99 * time.Hour)
	noSecret.Secret = detectors.Secret{}

	const off = "AWS was not asked (--verify does)"
	tokenFacts := func(ago time.Duration, more ...verifier.Fact) []verifier.Fact {
		return append([]verifier.Fact{
			{Name: "token-issued", Value: now.Add(-ago).Format(time.RFC3339)},
			{Name: "token-region", Value: "eu-west-1"},
		}, more...)
	}
	over := func(ago time.Duration) verifier.Fact {
		return verifier.Fact{Name: "token-expired", Value: now.Add(36*time.Hour - ago).Format(time.RFC3339)}
	}
	thinkst := []verifier.Fact{{Name: "canary-account", Value: "canarytokens.org (Thinkst)"}}
	legacy := []verifier.Fact{{Name: "key-generation", Value: "legacy, account not decodable"}}

	for _, tt := range []struct {
		name    string
		c       detectors.Credential
		state   verifier.State
		why     string
		account string
		facts   []verifier.Fact
	}{
		{"pair", key("AKIA" + body), verifier.Skipped, off, account, nil},
		{"lone id", id("AKIA" + body), verifier.Skipped, "no secret was found for this key id", account, nil},
		{"legacy", key("AKIA" + "J" + body[1:]), verifier.Skipped, off, "", legacy},
		{"fixture", key("AKIA" + "0" + body[1:]), verifier.Skipped, off, "", nil},
		{"user id", key("AIDA" + body), verifier.Skipped, "not the id of a key that signs requests", account, nil},
		{"bearer id", key("ABIA" + body), verifier.Skipped, "not the id of a key that signs requests", account, nil},
		{"odd id", key("AKIA" + "/../" + body), verifier.Skipped, "not the id of a key that signs requests", "", nil},
		{"secret", key(""), verifier.Skipped, "secret without a key id", "", nil},
		{"nothing", id(""), verifier.Skipped, "session token without its key", "", nil},
		{"session", issued(0), verifier.Skipped, off, account, tokenFacts(0)},
		{"no token", key("ASIA" + body), verifier.Skipped, "session key without its token", account, nil},
		{"opaque token", opaque, verifier.Skipped, off, account, nil},
		{"just alive", issued(36 * time.Hour), verifier.Skipped, off, account, tokenFacts(36 * time.Hour)},
		{"over", issued(37 * time.Hour), verifier.Expired, "", account, tokenFacts(37*time.Hour, over(37*time.Hour))},
		{"over, no secret", noSecret, verifier.Expired, "", account, tokenFacts(99*time.Hour, over(99*time.Hour))},
		{"old token near a long-term key", oldToken, verifier.Skipped, off, account, nil},
		{"accounts differ", mixed, verifier.Skipped, off, account, []verifier.Fact{
			{Name: "token-issued", Value: now.Format(time.RFC3339)},
			{Name: "token-account-mismatch", Value: "the token says " + another + ", the key id " + account},
		}},
		{"canary", key(detectorstest.KeyID("AKIA", canary, 1)), verifier.CanarySuspected, "", canary, thinkst},
		{"canary id only", id(detectorstest.KeyID("AKIA", "052310077262", 1)), verifier.CanarySuspected, "", "052310077262", thinkst},
		{"canary token", tokenOnly, verifier.CanarySuspected, "", canary,
			append([]verifier.Fact{{Name: "token-issued", Value: now.Format(time.RFC3339)}}, thinkst...)},
		{"other canary", id(detectorstest.KeyID("ASIA", "044858866125", 1)), verifier.CanarySuspected, "", "044858866125",
			[]verifier.Fact{{Name: "canary-account", Value: "other canary services"}}},
		{"own canary", id(detectorstest.KeyID("AKIA", another, 1)), verifier.CanarySuspected, "", another,
			[]verifier.Fact{{Name: "canary-account", Value: "listed by the user"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := Offline{CanaryAccounts: []string{another}, Now: func() time.Time { return now }}
			if tt.name == "accounts differ" {
				o.CanaryAccounts = nil
			}
			want := verifier.Verdict{
				State: tt.state, Reason: tt.why, Identity: verifier.Identity{Account: tt.account}, Facts: tt.facts,
			}
			if diff := cmp.Diff(want, o.Verify(t.Context(), tt.c)); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCanaryListIsComplete(t *testing.T) {
	for list, accounts := range map[string]int{"canarytokens.org (Thinkst)": 10, "other canary services": 16} {
		n := 0
		for _, a := range []string{
			"052310077262", "171436882533", "534261010715", "595918472158", "717712589309", "819147034852",
			"992382622183", "730335385048", "266735846894", "893192397702",
			"044858866125", "251535659677", "344043088457", "351906852752", "390477818340", "426127672474",
			"427150556519", "439872796651", "445142720921", "465867158099", "637958123769", "693412236332",
			"732624840810", "735421457923", "959235150393", "982842642351", account, "",
		} {
			if canaryList(a) == list {
				n++
			}
		}
		if n != accounts {
			t.Errorf("%s: %d accounts, want %d", list, n, accounts)
		}
	}
}

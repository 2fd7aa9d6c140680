package owner_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/owner"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestVerifier: IAM is asked before STS, once for a key, and about no key that STS is
// not to be asked about; ids without a secret are looked up, old ones by their id too.
func TestVerifier(t *testing.T) {
	const ops, account, other = "111122223333", detectorstest.Account, "595918472158" // one of a list of canaries
	aws := verifiertest.NewAWS(t)
	var alice *verifiertest.IAMUser
	aws.Change(account, func(a *verifiertest.Account) {
		alice = a.User("alice", 1)
		a.Role("stanch-respond", "example")
	})
	aws.Change(ops, func(a *verifiertest.Account) {
		verifiertest.SignAs(t, a.User("olga", 11).Keys[0].Credential)
	})
	aws.Tracks = true
	alice.Keys[0].Used, alice.Keys[0].UsedService = time.Now().Add(-48*time.Hour), "s3"
	var bob, old *verifiertest.IAMUser
	aws.Change(account, func(a *verifiertest.Account) {
		bob, old = a.User("bob", 2), a.User("old", 3)
		bob.Keys[0].Inactive = true
		// The layout of ids before 2019 tells no account.
		id := old.Keys[0].Credential.ID
		old.Keys[0].Credential.ID = id[:4] + "I" + id[5:]
	})
	aws.Change(ops, func(a *verifiertest.Account) {
		a.Answers["sts:GetAccessKeyInfo"] = "<GetAccessKeyInfoResponse><GetAccessKeyInfoResult><Account>" + account + "</Account></GetAccessKeyInfoResult></GetAccessKeyInfoResponse>"
	})
	lone := func(u *verifiertest.IAMUser) detectors.Credential {
		return detectors.Credential{ID: u.Keys[0].Credential.ID}
	}
	wrong := alice.Keys[0].Credential
	wrong.Secret = verifiertest.LongTerm(account, 9).Secret
	for _, tt := range []struct {
		name     string
		creds    []detectors.Credential
		accounts []string
		deny     string
		state    verifier.State
		fact     string // name=beginning
		calls    string // "service:Action", of the last credential, by whoever signs
	}{
		{"a wrong secret, then the right one, then again", []detectors.Credential{wrong, alice.Keys[0].Credential, alice.Keys[0].Credential}, nil, "",
			verifier.Live, operator.UsedBefore + "=" + time.Now().Add(-48*time.Hour).UTC().Format("2006-01-02T15"), ""},
		{"no permission", []detectors.Credential{alice.Keys[0].Credential}, nil, "iam:GetAccessKeyLastUsed",
			verifier.Live, operator.UsedBefore + "=not known: needs iam:GetAccessKeyLastUsed", "sts:AssumeRole sts:GetCallerIdentity iam:GetAccessKeyLastUsed sts:GetCallerIdentity"},
		{"canary", []detectors.Credential{verifiertest.LongTerm(other, 1)}, nil, "", verifier.CanarySuspected, "canary-account=", ""},
		{"lone canary", []detectors.Credential{{ID: verifiertest.LongTerm(other, 1).ID}}, nil, "", verifier.CanarySuspected, "canary-account=", ""},
		{"account not listed", []detectors.Credential{alice.Keys[0].Credential}, []string{ops}, "", verifier.Skipped, "", ""},
		{"lone id, account not listed", []detectors.Credential{lone(alice)}, []string{ops}, "", verifier.Skipped, "", ""},
		{"lone id, active", []detectors.Credential{lone(alice)}, nil, "", verifier.IDActive, "key-status=Active", "sts:AssumeRole sts:GetCallerIdentity iam:GetAccessKeyLastUsed iam:ListAccessKeys"},
		{"lone id, inactive", []detectors.Credential{lone(bob)}, nil, "", verifier.Invalid, "key-status=Inactive", "sts:AssumeRole sts:GetCallerIdentity iam:GetAccessKeyLastUsed iam:ListAccessKeys"},
		{"lone id, old", []detectors.Credential{lone(old)}, nil, "", verifier.IDActive, "key-status=Active",
			"sts:GetAccessKeyInfo sts:AssumeRole sts:GetCallerIdentity iam:GetAccessKeyLastUsed iam:ListAccessKeys"},
		{"lone id, old, no permission", []detectors.Credential{lone(old)}, nil, "sts:GetAccessKeyInfo", verifier.Skipped,
			"account=not known: needs sts:GetAccessKeyInfo", "sts:GetAccessKeyInfo"},
		{"lone id, no permission", []detectors.Credential{lone(alice)}, nil, "iam:ListAccessKeys", verifier.Skipped,
			"key-status=not known: needs iam:ListAccessKeys", "sts:AssumeRole sts:GetCallerIdentity iam:GetAccessKeyLastUsed iam:ListAccessKeys"},
		{"lone session", []detectors.Credential{{ID: detectorstest.KeyID("ASIA", account, 1)}}, nil, "", verifier.Skipped, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client, err := awsverifier.New(awsverifier.Config{Endpoint: aws.URL, Accounts: tt.accounts, PerSecond: 1e6, Reask: time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			op, err := operator.New(t.Context(), operator.Config{Role: "stanch-respond", ExternalID: "example", Endpoint: aws.URL, Wait: time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			if tt.deny != "" {
				aws.Deny(tt.deny)
				defer aws.Allow(tt.deny)
			}
			o := &owner.Verifier{STS: client, Operator: op, Accounts: tt.accounts}
			seen := len(aws.Requests())
			var v verifier.Verdict
			for _, c := range tt.creds {
				v = o.Verify(t.Context(), c)
			}
			name, value, _ := strings.Cut(tt.fact, "=")
			if v.State != tt.state || name != "" && !slices.ContainsFunc(v.Facts, func(f verifier.Fact) bool { return f.Name == name && strings.HasPrefix(f.Value, value) }) {
				t.Errorf("%+v", v)
			}
			if answered := v.State == verifier.Live || v.State == verifier.IDActive || v.State == verifier.Invalid; answered == v.At.IsZero() {
				t.Errorf("%s at %s", v.State, v.At)
			}
			var calls []string
			for _, r := range aws.Requests()[seen:] {
				calls = append(calls, r.Service+":"+r.Action)
			}
			if got := strings.Join(calls, " "); len(tt.creds) == 1 && got != tt.calls {
				t.Errorf("calls %s\nwant  %s", got, tt.calls)
			}
		})
	}
}

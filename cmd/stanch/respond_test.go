package main

import (
	"os"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// ops is the operator's account; keys leak from detectorstest.Account.
const ops = "111122223333"

// startIncident starts an AWS at $AWS. Its account 123456789012 has the users
// alice (key 1), erin (key 5, used an hour ago), fred (key 6, protected by a tag),
// gina (key 7, quarantined by AWS), the root user's key 2, and a role
// stanch-respond that the operator, olga of 111122223333, may assume with the
// external id "example". The environment holds olga's key.
//
//	incident tracks
//
// starts one in which each use of a key is its last use, as at AWS.
//
//	incident deny PERMISSION
//	incident allow PERMISSION
//
// take a permission from everybody, and give it back.
//
//	incident off KEY
//
// sets the key of alice to Inactive, as a person does by hand.
//
//	incident asked-only KEY
//
// holds that the leaked key was used for GetCallerIdentity, and for nothing else.
func startIncident(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 2 {
		aws := ts.Value(awsKey{}).(*awsValue).AWS
		if args[0] == "asked-only" {
			checkAskedOnly(ts, aws, detectorstest.Fill(args[1]))
			return
		}
		if args[0] == "off" {
			aws.Change(detectorstest.Account, func(a *verifiertest.Account) { a.Users["alice"].Keys[0].Inactive = true })
			return
		}
		map[string]func(string){"deny": aws.Deny, "allow": aws.Allow}[args[0]](args[1])
		return
	}
	aws := verifiertest.NewAWS(ts.Value(testKey{}).(testing.TB))
	aws.Tracks = len(args) == 1 && args[0] == "tracks"
	ts.Value(awsKey{}).(*awsValue).AWS = aws
	aws.Set(verifiertest.Root(detectorstest.Account, 2))
	aws.Change(detectorstest.Account, func(a *verifiertest.Account) {
		a.User("alice", 1).Path = "/ci/"
		used := a.User("erin", 5).Keys[0]
		used.Used, used.UsedService = time.Now().Add(-time.Hour), "s3"
		a.User("fred", 6).Tags["stanch:protected"] = "true"
		a.User("gina", 7).Attached = []string{"arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"}
		a.Role("stanch-respond", "example")
	})
	aws.Change(ops, func(a *verifiertest.Account) {
		c := a.User("olga", 11).Keys[0].Credential
		for name, value := range map[string]string{
			"AWS_ACCESS_KEY_ID": c.ID, "AWS_SECRET_ACCESS_KEY": c.Secret.Reveal(), "AWS_REGION": "us-east-1",
			"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
		} {
			ts.Setenv(name, value)
		}
	})
	ts.Setenv("AWS", aws.URL)
}

func checkAskedOnly(ts *testscript.TestScript, aws *verifiertest.AWS, id string) {
	n := 0
	for _, r := range aws.Requests() {
		if r.KeyID != id {
			continue
		}
		n++
		if r.Service != "sts" || r.Action != "GetCallerIdentity" {
			ts.Fatalf("the leaked key was used for %s:%s", r.Service, r.Action)
		}
	}
	if n == 0 {
		ts.Fatalf("the leaked key was never used: nothing is recorded of it")
	}
}

type (
	awsKey   struct{}
	testKey  struct{}
	awsValue struct{ *verifiertest.AWS }
)

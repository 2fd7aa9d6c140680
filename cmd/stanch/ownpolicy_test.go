package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/verifier/response/permissions"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestOwnPolicy: over a whole incident the operator's own identity makes the calls
// that "stanch respond policy --own" allows, all of them, and no others.
func TestOwnPolicy(t *testing.T) {
	c := newLeakCase(t)
	c.aws.Change(ops, func(a *verifiertest.Account) {
		a.Answers["organizations:DescribeAccount"] = `{"Account":{"Name":"production","Email":"prod@example.com","Status":"ACTIVE"}}`
		a.Answers["organizations:ListTagsForResource"] = `{"Tags":[{"Key":"Owner","Value":"payments"}]}`
	})
	yes := []string{"--yes", "--plan", c.hash}
	tell := []string{"--notify", "securityhub", "--notify", "eventbridge", "--notify", "sns:arn:aws:sns:us-east-1:" + ops + ":alerts"}
	for _, args := range [][]string{
		c.respond("apply", append(yes, tell...)...),
		c.respond("confirm", tell...),
		c.respond("undo", append(yes, tell...)...),
		{"assess", c.file("scan.jsonl"), "--role", "stanch-respond", "--external-id", "example", "--aws-endpoint", c.aws.URL},
		// An id of the layout that does not tell its account.
		{"assess", "AKIA" + "I" + strings.Repeat("Q", 15), "--role", "stanch-respond", "--external-id", "example", "--aws-endpoint", c.aws.URL},
	} {
		if code, stdout, stderr := c.run("", args...); code == cli.ExitUsage {
			t.Fatalf("%q\n%s%s", args, stdout, stderr)
		}
	}
	policy := permissions.Operator("aws", "stanch-respond")
	resources := map[string]string{
		"sts:AssumeRole": "arn:aws:iam::" + detectorstest.Account + ":role/stanch-respond",
		"sts:AssumeRoot": "arn:aws:iam::" + detectorstest.Account + ":root",
	}
	used := map[string]bool{}
	for _, r := range c.aws.Requests() {
		if r.KeyID != os.Getenv("AWS_ACCESS_KEY_ID") {
			continue
		}
		action := r.Service + ":" + strings.ReplaceAll(r.Action, "POST /findings/import", "BatchImportFindings")
		used[action] = true
		resource := resources[action]
		if resource == "" {
			resource = "*"
		}
		// GetCallerIdentity needs no permission.
		if action != "sts:GetCallerIdentity" && !verifiertest.Allows(policy, action, resource, "") {
			t.Errorf("%s on %s is not in the policy", action, resource)
		}
	}
	for _, action := range verifiertest.Actions(policy) {
		if !used[action] {
			t.Errorf("%s is in the policy, and nothing uses it", action)
		}
	}
}

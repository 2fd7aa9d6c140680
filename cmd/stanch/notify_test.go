package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// everybody is all who can be told, with a webhook that keeps what it gets.
func (c *leakCase) everybody(hook string) []string {
	c.t.Setenv("HOOK", hook)
	return []string{
		"--notify", "securityhub", "--notify", "eventbridge", "--notify", "sns:arn:aws:sns:us-east-1:" + ops + ":alerts", "--notify", "webhook:env:HOOK",
	}
}

// told returns what was sent to AWS's services.
func (c *leakCase) told() (bodies []string) {
	c.aws.Change(ops, func(a *verifiertest.Account) {
		for _, service := range []string{"securityhub", "events", "sns"} {
			bodies = append(bodies, a.Published[service]...)
		}
	})
	return bodies
}

func spellings(s string) []string {
	return []string{s, url.QueryEscape(s), url.PathEscape(s), strings.ReplaceAll(s, "/", `\/`),
		base64.StdEncoding.EncodeToString([]byte(s)), fmt.Sprintf("%x", s), s[:20], s[20:]}
}

// TestNoticesHoldNoSecret: an incident with everybody told, of a key that stands in
// the name of its own file, from a report with secrets. In what is sent, printed,
// planned and recorded there is none, in eight spellings.
func TestNoticesHoldNoSecret(t *testing.T) {
	c := newLeakCase(t)
	var bodies []string
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(b))
	}))
	defer hook.Close()
	all := c.everybody(hook.URL + "/services/opensesame")
	var printed []string
	do := func(want int, args ...string) {
		t.Helper()
		code, stdout, stderr := c.run("", args...)
		if code != want {
			t.Fatalf("%q: exit code %d, want %d\n%s%s", args[:2], code, want, stdout, stderr)
		}
		printed = append(printed, stdout, stderr)
	}
	c.makePlan("plan.json", "secret.jsonl")
	yes := append([]string{"--yes", "--plan", c.plan("plan.json").Hash}, all...)
	do(cli.ExitClean, c.respond("apply", append(yes, "--findings", c.file("secret.jsonl"))...)...)
	do(cli.ExitClean, c.respond("confirm", all...)...)
	do(cli.ExitClean, c.respond("undo", yes...)...)
	// After a scan, in one go; the root user's key is left alone.
	repo := scannertest.Repo(t, detectorstest.Fill(`
mkdir -p "aws_secret_access_key={secret1}"
printf 'id = {AKIA1}\nsecret = {secret1}\n' > "`+where+`"
commit leak
`))
	do(cli.ExitLeaks, append([]string{"git", repo, "--sts-endpoint", c.aws.URL, "--aws-endpoint", c.aws.URL, "--deactivate", "--yes", "--accounts", detectorstest.Account,
		"--role", "stanch-respond", "--external-id", "example", "--journal", c.file("other.jsonl")}, all...)...)
	c.aws.Change(detectorstest.Account, func(a *verifiertest.Account) { a.Users["alice"].Keys[0].Inactive = false })
	// With the leaked key itself.
	c.write("glass", "arn:aws:iam::"+detectorstest.Account+":root\n")
	self := []string{"--break-glass", c.file("glass"), "--self", "--accounts", detectorstest.Account, "--aws-endpoint", c.aws.URL}
	do(cli.ExitIncomplete, append([]string{"respond", "plan", c.file("secret.jsonl"), "--force-in-use", "-o", c.file("self.json")}, self...)...)
	do(cli.ExitIncomplete, slices.Concat([]string{"respond", "apply", c.file("self.json"), "--yes", "--plan", c.plan("self.json").Hash,
		"--findings", c.file("secret.jsonl"), "--journal", c.file("self.jsonl")}, self, all)...)

	if sent := c.told(); len(sent) != 15 || len(bodies) != 5 { // five times, to three and to one
		t.Fatalf("%d and %d notices", len(sent), len(bodies))
	}
	texts := slices.Concat(c.told(), bodies, printed)
	for _, name := range []string{"plan.json", "self.json", "journal.jsonl", "other.jsonl", "self.jsonl"} {
		texts = append(texts, c.read(name))
	}
	secrets := []string{detectorstest.Fill("{secret1}"), detectorstest.Fill("{secret2}"), os.Getenv("AWS_SECRET_ACCESS_KEY")}
	for i, text := range texts {
		for _, secret := range secrets {
			for n, s := range spellings(secret) {
				if strings.Contains(text, s) {
					t.Errorf("text %d holds a secret in spelling %d: %s", i, n, text)
				}
			}
		}
		if strings.Contains(text, "opensesame") {
			t.Errorf("text %d holds the URL of the webhook: %s", i, text)
		}
	}
	if !slices.ContainsFunc(printed, func(s string) bool { return strings.Contains(s, "[redacted]/creds.env") }) {
		t.Error("the name of the file is nowhere: the test does not look where the secret was")
	}
	var results []string
	for _, b := range bodies {
		var n struct{ Result, Where, Text string }
		if err := json.Unmarshal([]byte(b), &n); err != nil || n.Where == "" || n.Text == "" {
			t.Errorf("%v: %s", err, b)
		}
		results = append(results, n.Result)
	}
	if want := []string{"contained", "contained", "undone", "contained", "deactivated_not_contained"}; !slices.Equal(results, want) {
		t.Errorf("told %q, want %q", results, want)
	}
}

// TestNobodyHears: who cannot be told is said, with exit code 3, and the key is off.
func TestNobodyHears(t *testing.T) {
	c := newLeakCase(t)
	hook := httptest.NewServer(http.NotFoundHandler())
	defer hook.Close()
	c.aws.Deny("sns:Publish")
	code, stdout, stderr := c.run("", c.respond("apply", append(c.everybody(hook.URL+"/opensesame"), "--yes", "--plan", c.hash)...)...)
	if code != cli.ExitIncomplete || !strings.Contains(stdout, "CONTAINED") ||
		!strings.Contains(stderr, "telling sns:arn:aws:sns:us-east-1:"+ops+":alerts: sns:Publish: AuthorizationError") ||
		!strings.Contains(stderr, "telling webhook at 127.0.0.1:") || !strings.Contains(stderr, "HTTP 404") || strings.Contains(stderr, "opensesame") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if n := len(c.told()); n != 2 {
		t.Errorf("%d others were told", n)
	}
}

// TestSelfOfRoot: a key of the root user switches itself off if a human types it,
// and never for a script.
func TestSelfOfRoot(t *testing.T) {
	c := newLeakCase(t)
	root := detectorstest.Fill("{AKIA2}")
	only := ""
	for line := range strings.Lines(c.read("secret.jsonl")) {
		if !strings.Contains(line, `"type":"finding"`) || strings.Contains(line, root) {
			only += line
		}
	}
	c.write("root.jsonl", only)
	flags := []string{"--self", "--accounts", detectorstest.Account, "--aws-endpoint", c.aws.URL}
	code, stdout, stderr := c.run("", append([]string{"respond", "plan", c.file("root.jsonl"), "--force-in-use", "-o", c.file("plan.json")}, flags...)...)
	if code != cli.ExitClean || !strings.Contains(stdout, "let the leaked key set itself to Inactive") {
		t.Fatalf("%d\n%s%s", code, stdout, stderr)
	}
	flags = append(flags, "--findings", c.file("root.jsonl"), "--journal", filepath.Join(c.dir, "journal.jsonl"))
	apply := append([]string{"respond", "apply", c.file("plan.json")}, flags...)
	code, _, stderr = c.run("", append(apply, "--yes", "--plan", c.plan("plan.json").Hash)...)
	if code != cli.ExitUsage || !strings.Contains(stderr, "refused (root): a key of the root user is never switched off by a script") || len(c.aws.Writes()) != 0 {
		t.Errorf("%d %s", code, stderr)
	}
	code, stdout, stderr = c.run(detectorstest.Account+" "+root[16:]+"\n", apply...)
	if code != cli.ExitIncomplete || !strings.Contains(stdout, "DEACTIVATED_NOT_CONTAINED") || !strings.Contains(stdout, "Do not replace it") {
		t.Errorf("%d\n%s%s", code, stdout, stderr)
	}
	for _, r := range c.aws.Requests() {
		if r.Action == "UpdateAccessKey" && r.KeyID != root {
			t.Errorf("%+v", r)
		}
	}
}

// TestConfirmOfDeletedKey: when the key was deleted, as the advice has it, that is not a
// critical finding of an active key.
func TestConfirmOfDeletedKey(t *testing.T) {
	c := newLeakCase(t)
	yes := []string{"--yes", "--plan", c.hash}
	if code, stdout, stderr := c.run("", c.respond("apply", yes...)...); code != cli.ExitClean {
		t.Fatalf("%d\n%s%s", code, stdout, stderr)
	}
	c.aws.Change(detectorstest.Account, func(a *verifiertest.Account) { a.Users["alice"].Keys = nil })
	code, stdout, stderr := c.run("", c.respond("confirm", "--notify", "securityhub")...)
	if code != cli.ExitClean || !strings.HasPrefix(stdout, "CONTAINED  ") || strings.Contains(stdout, "delete-access-key") {
		t.Errorf("%d\n%s%s", code, stdout, stderr)
	}
	if told := c.told(); len(told) != 1 || !strings.Contains(told[0], `"Label":"MEDIUM"`) || strings.Contains(told[0], `"Status":"Active"`) {
		t.Errorf("told %q", told)
	}
	code, _, stderr = c.run("", c.respond("apply", yes...)...)
	if code != cli.ExitUsage || !strings.Contains(stderr, "its steps are still in effect: nothing is left to do") {
		t.Errorf("%d\n%s", code, stderr)
	}
}

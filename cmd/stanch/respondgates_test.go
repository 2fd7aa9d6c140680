package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/response/journal"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// A leakCase is a repository with a leaked key of user alice and one of the root
// user, found live by a scan, and an operator of another account.
type leakCase struct {
	t   *testing.T
	aws *verifiertest.AWS
	dir string // scan.jsonl, secret.jsonl with the secrets, plan.json
	// hash is of plan.json, last4 the end of its key's id.
	hash, last4 string
}

// where is the file that leaks. It has its own secret in its name.
const where = "aws_secret_access_key={secret1}/creds.env"

func newLeakCase(t *testing.T) *leakCase {
	t.Helper()
	c := &leakCase{t: t, aws: verifiertest.NewAWS(t), dir: t.TempDir()}
	c.aws.Change(detectorstest.Account, func(a *verifiertest.Account) {
		u := a.User("alice", 1)
		u.Path, u.Tags["Owner"] = "/ci/", "team-blue"
		a.Role("stanch-respond", "example")
		a.RootKeys = []*verifiertest.IAMKey{{Credential: verifiertest.LongTerm(a.ID, 2), Created: time.Now()}}
	})
	c.aws.Change(ops, func(a *verifiertest.Account) { c.identity(a.User("olga", 11).Keys[0].Credential) })
	repo := scannertest.Repo(t, detectorstest.Fill(`
mkdir -p "aws_secret_access_key={secret1}"
printf 'id = {AKIA1}\nsecret = {secret1}\n' > "`+where+`"
commit leak
git rm -q -r "aws_secret_access_key={secret1}"
printf 'id = {AKIA2}\nsecret = {secret2}\n' > root.env
commit root
`))
	c.ok("git", repo, "--sts-endpoint", c.aws.URL, "-f", "json", "-o", c.file("scan.jsonl"))
	c.ok("git", repo, "--sts-endpoint", c.aws.URL, "-f", "json", "-o", c.file("secret.jsonl"), "--show-secrets")
	c.makePlan("plan.json", "scan.jsonl")
	plan := c.plan("plan.json")
	c.hash, c.last4 = plan.Hash, plan.Keys[0].KeyID[16:]
	return c
}

func (c *leakCase) identity(k detectors.Credential) { verifiertest.SignAs(c.t, k) }

func (c *leakCase) file(name string) string { return filepath.Join(c.dir, name) }

func (c *leakCase) read(name string) string {
	c.t.Helper()
	b, err := os.ReadFile(c.file(name))
	if err != nil {
		c.t.Fatal(err)
	}
	return string(b)
}

func (c *leakCase) write(name, text string) {
	c.t.Helper()
	if err := os.WriteFile(c.file(name), []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

func (c *leakCase) plan(name string) response.Plan {
	c.t.Helper()
	plan, err := response.ParsePlan([]byte(c.read(name)))
	if err != nil {
		c.t.Fatal(err)
	}
	return plan
}

// makePlan plans for what report says; the root user's key is left alone.
func (c *leakCase) makePlan(name, report string) {
	c.t.Helper()
	code, _, stderr := c.run("", "respond", "plan", c.file(report), "-o", c.file(name), "--accounts", detectorstest.Account,
		"--role", "stanch-respond", "--external-id", "example", "--aws-endpoint", c.aws.URL)
	if code != cli.ExitIncomplete || !strings.Contains(stderr, "the plan leaves 1 key alone") {
		c.t.Fatalf("plan: %d %s", code, stderr)
	}
}

func (c *leakCase) run(stdin string, args ...string) (code int, stdout, stderr string) {
	c.t.Helper()
	var out, errs bytes.Buffer
	err := run(c.t.Context(), args, strings.NewReader(stdin), &out, &errs)
	code = cli.ExitCode(&errs, err)
	return code, out.String(), errs.String()
}

// ok runs a command that may find leaks.
func (c *leakCase) ok(args ...string) string {
	c.t.Helper()
	code, stdout, stderr := c.run("", args...)
	if code > cli.ExitLeaks {
		c.t.Fatalf("stanch %q: %d %s", args, code, stderr)
	}
	return stdout
}

// respond are the arguments of a command about plan.json in this case.
func (c *leakCase) respond(verb string, more ...string) []string {
	return append([]string{
		"respond", verb, c.file("plan.json"), "--accounts", detectorstest.Account, "--role", "stanch-respond",
		"--external-id", "example", "--aws-endpoint", c.aws.URL, "--journal", c.file("journal.jsonl"),
	}, more...)
}

// TestAttempts: ways to make stanch change what it must not. Each is refused with
// the reason, and nothing is changed by any. More of them are in TestPlanGates,
// TestApplyGates, TestSelfGates and TestSelfApplyGates of verifier/response.
func TestAttempts(t *testing.T) {
	c := newLeakCase(t)
	yes := []string{"--yes", "--plan", c.hash}
	typed := detectorstest.Account + " " + c.last4 + "\n"
	without := func(flag string, args []string) []string {
		i := slices.Index(args, flag)
		return slices.Delete(slices.Clone(args), i, i+2)
	}
	plan := c.read("plan.json")
	attempts := []struct {
		name, stdin string
		args        []string
		prepare     func()
		code        int
		reason      string
	}{
		{"nobody types", "", c.respond("apply"), nil, cli.ExitUsage, "refused (not-confirmed): nothing was typed (in a script: --yes --plan HASH)"},
		{"something else is typed", "yes\n", c.respond("apply"), nil, cli.ExitUsage, "refused (not-confirmed)"},
		{"another account is typed", ops + " " + c.last4 + "\n", c.respond("apply"), nil, cli.ExitUsage, "refused (not-confirmed)"},
		{"another key is typed", detectorstest.Account + " XXXX\n", c.respond("apply"), nil, cli.ExitUsage, "refused (not-confirmed)"},
		{"the account alone is typed", detectorstest.Account + "\n", c.respond("apply"), nil, cli.ExitUsage, "refused (not-confirmed)"},
		{"--yes without a hash", "", c.respond("apply", "--yes"), nil, cli.ExitUsage, "refused (plan-not-approved)"},
		{"--yes with another hash", "", c.respond("apply", "--yes", "--plan", strings.Repeat("0", 64)), nil, cli.ExitUsage, "refused (plan-not-approved)"},
		{"--yes to undo without a hash", "", c.respond("undo", "--yes"), nil, cli.ExitUsage, "refused (plan-not-approved)"},
		{"more keys than allowed", "", c.respond("apply", append(yes, "--max-keys", "0")...), nil, cli.ExitUsage, "refused (too-many-keys)"},
		{"undo of nothing", "", c.respond("undo", yes...), nil, cli.ExitUsage, "refused (nothing-to-undo)"},
		{"confirm of nothing", "", c.respond("confirm"), nil, cli.ExitUsage, "refused (nothing-to-undo)"},
		{"no accounts", "", without("--accounts", c.respond("apply", yes...)), nil, cli.ExitUsage, "list the accounts"},
		{"another account", "", append(without("--accounts", c.respond("apply", yes...)), "--accounts", ops), nil, cli.ExitUsage, "refused (account-not-listed)"},
		{"an account that is none", "", append(without("--accounts", c.respond("apply", yes...)), "--accounts", "all"), nil, cli.ExitUsage, "not twelve digits"},
		{"break-glass", "", c.respond("apply", append(yes, "--break-glass", c.file("names"))...), func() { c.write("names", "# on call\nalice\n") }, cli.ExitUsage, "refused (protected)"},
		{"a list that is not there", "", c.respond("apply", append(yes, "--break-glass", c.file("none"))...), nil, cli.ExitUsage, "--break-glass"},
		{"no role", "", without("--role", c.respond("apply", yes...)), nil, cli.ExitUsage, "refused (no-responder)"},
		{"a role that cannot be assumed", "", append(without("--role", c.respond("apply", yes...)), "--role", "nobody"), nil, cli.ExitUsage, "refused (no-responder)"},
		{"another external id", "", append(without("--external-id", c.respond("apply", yes...)), "--external-id", "x"), nil, cli.ExitUsage, "refused (no-responder)"},
		{"a role of another account", "", append(without("--role", c.respond("apply", yes...)), "--role", "arn:aws:iam::"+ops+":role/x"), nil, cli.ExitUsage, "names the role arn:aws:iam::111122223333:role/x of account 111122223333"},
		{"a plan that was edited", "", c.respond("apply", yes...), func() { c.write("plan.json", strings.Replace(plan, `"alice"`, `"bob"`, 1)) }, cli.ExitUsage, "refused (plan-changed)"},
		{"a plan of another version", "", c.respond("apply", yes...), func() { c.write("plan.json", strings.Replace(plan, response.PlanSchema, "stanch-plan/v2", 1)) }, cli.ExitUsage, "refused (plan-schema)"},
		{"a report for a plan", "", c.respond("apply", yes...), func() { c.write("plan.json", c.read("scan.jsonl")) }, cli.ExitUsage, "not a plan"},
		{"a plan that is cut off", "", c.respond("apply", yes...), func() { c.write("plan.json", plan[:len(plan)/2]) }, cli.ExitUsage, "not a plan"},
		{"a journal that was edited", "", c.respond("apply", yes...), func() {
			c.journal(3)
			c.write("journal.jsonl", strings.Replace(c.read("journal.jsonl"), `"seq":1`, `"seq":2`, 1))
		}, cli.ExitIncomplete, "line 2: the chain is broken"},
		{"a journal that was cut off", "", c.respond("apply", yes...), func() {
			c.journal(3)
			lines := strings.SplitAfter(c.read("journal.jsonl"), "\n")
			c.write("journal.jsonl", strings.Join(lines[:2], ""))
		}, cli.ExitIncomplete, "lines are missing at the end"},
		{"a journal of another chain", "", c.respond("apply", yes...), func() {
			c.journal(3)
			head := c.read("journal.jsonl.head")
			c.journal(3)
			c.write("journal.jsonl.head", head)
		}, cli.ExitIncomplete, "its .head file belongs to another line"},
		{"a journal that another one has open", "", c.respond("apply", yes...), func() {
			j, err := journal.Open(c.file("journal.jsonl"), "arn:aws:iam::"+ops+":user/otto")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = j.Close() })
		}, cli.ExitIncomplete, "another stanch is running: arn:aws:iam::" + ops + ":user/otto, process "},
		{"a journal that is a folder", "", c.respond("apply", yes...), func() {
			if err := os.Mkdir(c.file("journal.jsonl"), 0o700); err != nil {
				t.Fatal(err)
			}
		}, cli.ExitIncomplete, "journal"},
		{"the secret from where one types", typed, c.respond("apply", "--findings", "-"), nil, cli.ExitUsage, "standard input is where you type"},
		{"findings without secrets", "", c.respond("apply", append(yes, "--findings", c.file("scan.jsonl"))...), nil, cli.ExitUsage, "save the report with --show-secrets"},
		{"the leaked key in place of a responder", "", append(without("--external-id", without("--role", c.respond("apply", yes...))), "--self", "--findings", c.file("secret.jsonl")), nil,
			cli.ExitUsage, "refused (self)"},
		{"the leaked key and a responder", "", c.respond("apply", append(yes, "--self")...), nil, cli.ExitUsage, "--self uses the leaked key alone"},
		{"somebody to tell who is none", "", c.respond("apply", append(yes, "--notify", "pigeon")...), nil, cli.ExitUsage, "--notify: want one of slack:URL"},
		{"nobody's identity", "", c.respond("apply", yes...), func() { t.Setenv("AWS_ACCESS_KEY_ID", "") }, cli.ExitIncomplete, "no identity of your own"},
	}
	if len(attempts) < 25 {
		t.Fatalf("%d attempts", len(attempts))
	}
	id := os.Getenv("AWS_ACCESS_KEY_ID")
	for _, tt := range attempts {
		t.Run(tt.name, func(t *testing.T) {
			c.fresh(plan)
			t.Setenv("AWS_ACCESS_KEY_ID", id)
			if tt.prepare != nil {
				tt.prepare()
			}
			code, stdout, stderr := c.run(tt.stdin, tt.args...)
			if code != tt.code || !strings.Contains(stderr, tt.reason) || strings.Contains(stdout, "CONTAINED") {
				t.Errorf("exit code %d, want %d: …%s…\n%s%s", code, tt.code, tt.reason, stdout, stderr)
			}
			if w := c.aws.Writes(); len(w) != 0 {
				t.Errorf("changed: %v", w)
			}
		})
	}
	// And the same plan can be applied.
	c.fresh(plan)
	if code, stdout, stderr := c.run(typed, c.respond("apply")...); code != cli.ExitClean || !strings.Contains(stdout, "CONTAINED") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}

// fresh has the plan as it was, and no journal.
func (c *leakCase) fresh(plan string) {
	c.t.Helper()
	for _, name := range []string{"journal.jsonl", "journal.jsonl.head", "journal.jsonl.lock"} {
		if err := os.RemoveAll(c.file(name)); err != nil {
			c.t.Fatal(err)
		}
	}
	c.write("plan.json", plan)
}

// journal writes a journal of n records, of a plan that is nobody's.
func (c *leakCase) journal(n int) {
	c.t.Helper()
	c.fresh(c.read("plan.json"))
	j, err := journal.Open(c.file("journal.jsonl"), "otto")
	if err != nil {
		c.t.Fatal(err)
	}
	for range n {
		if err := j.Put(journal.Record{Event: journal.EventBegin, Time: time.Now(), Plan: "other"}); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		c.t.Fatal(err)
	}
}

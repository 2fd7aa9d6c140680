package main

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/owner"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// saved returns the report name of a leakCase, whose key of alice comes first, after
// change has been at it.
func (c *leakCase) saved(name string, change func(alice, root *finding.Finding)) string {
	c.t.Helper()
	r := &finding.Saved{}
	if err := finding.Replay(strings.NewReader(c.read(name)), r, true); err != nil {
		c.t.Fatal(err)
	}
	slices.SortFunc(r.Findings, func(a, b finding.Finding) int {
		return strings.Compare(b.Verdict.Identity.Name, a.Verdict.Identity.Name)
	})
	if len(r.Findings) != 2 || r.Findings[0].Verdict.Identity.Name != "alice" || r.Findings[1].Verdict.Identity.Kind != "root" {
		c.t.Fatalf("%+v", r.Findings)
	}
	old := time.Now().Add(-3 * time.Hour).UTC().Truncate(time.Second)
	for i := range r.Findings {
		r.Findings[i].Verdict.At = old
	}
	change(&r.Findings[0], &r.Findings[1])
	var b strings.Builder
	if err := r.Replay(finding.JSON(&b)); err != nil {
		c.t.Fatal(err)
	}
	return b.String()
}

// again verifies a saved report, and returns its findings as JSON tells them.
func (c *leakCase) again(text string, flags ...string) (code int, alice, root finding.Finding, sum finding.Summary, stderr string) {
	c.t.Helper()
	args := append([]string{"verify", "-f", "json", "--sts-endpoint", c.aws.URL, "--aws-endpoint", c.aws.URL}, flags...)
	if slices.Contains(flags, "--iam") {
		args = append(args, "--role", "stanch-respond", "--external-id", "example")
	}
	code, stdout, stderr := c.run(text, args...)
	var list []finding.Finding
	for line := range strings.Lines(stdout) {
		var f finding.Finding
		var err error
		switch {
		case strings.HasPrefix(line, `{"type":"finding"`):
			err = json.Unmarshal([]byte(line), &f)
			list = append(list, f)
		case strings.HasPrefix(line, `{"type":"summary"`):
			err = json.Unmarshal([]byte(line), &sum)
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
	if len(list) != 2 {
		c.t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
	}
	return code, list[0], list[1], sum, stderr
}

// TestVerifyAgain: what becomes of a finding of a saved report, of which STS or IAM is
// asked again, or nobody.
func TestVerifyAgain(t *testing.T) {
	c := newLeakCase(t)
	plain := func(*finding.Finding, *finding.Finding) {}
	state := func(s verifier.State) func(*finding.Finding, *finding.Finding) {
		return func(alice, _ *finding.Finding) { alice.Verdict.State = s }
	}
	lone := func(s verifier.State) func(*finding.Finding, *finding.Finding) {
		return func(alice, _ *finding.Finding) {
			alice.Verdict.State, alice.Digest.SecretSHA256, alice.Verdict.Identity = s, "", verifier.Identity{Account: alice.Verdict.Identity.Account}
		}
	}
	ignoreRoot := func(f func(*finding.Finding, *finding.Finding)) func(*finding.Finding, *finding.Finding) {
		return func(alice, root *finding.Finding) { f(alice, root); root.Ignored = "known" }
	}
	iam, noSecrets := []string{"--iam"}, "not asked again: the report holds no secret"
	inactive := func(off bool) func() {
		return func() {
			c.aws.Change(detectorstest.Account, func(a *verifiertest.Account) { a.Users["alice"].Keys[0].Inactive = off })
		}
	}
	for _, tt := range []struct {
		name      string
		report    string
		change    func(alice, root *finding.Finding)
		flags     []string
		prepare   func()
		state     verifier.State // of alice's key
		renewed   bool
		stale     string
		asked, of int
		code      int
	}{
		{"no secret", "scan.jsonl", plain, nil, nil, verifier.Live, false, noSecrets, 0, 2, cli.ExitIncomplete},
		{"no secret, IAM", "scan.jsonl", plain, iam, nil, verifier.Live, true, "", 1, 2, cli.ExitIncomplete}, // it does not tell of root
		{"no secret, IAM, the other is ignored", "scan.jsonl", ignoreRoot(plain), iam, nil, verifier.Live, true, "", 1, 1, cli.ExitLeaks},
		{"secrets", "secret.jsonl", plain, nil, nil, verifier.Live, true, "", 2, 2, cli.ExitLeaks},
		{"one secret of two", "secret.jsonl", func(alice, _ *finding.Finding) { alice.Match.Credential.Secret = detectors.Secret{} }, nil, nil, verifier.Live, false, noSecrets, 1, 2, cli.ExitIncomplete},
		{"one secret of two, IAM", "secret.jsonl", func(alice, _ *finding.Finding) { alice.Match.Credential.Secret = detectors.Secret{} }, iam, nil, verifier.Live, true, "", 2, 2, cli.ExitLeaks},
		{"all ignored", "scan.jsonl", ignoreRoot(func(alice, _ *finding.Finding) { alice.Ignored = "known" }), nil, nil, verifier.Live, false, "", 0, 0, cli.ExitClean},
		{"never asked", "scan.jsonl", func(alice, _ *finding.Finding) { alice.Verdict.State, alice.Verdict.At = verifier.Skipped, time.Time{} }, nil, nil,
			verifier.Skipped, false, "not asked: the report holds no secret", 0, 2, cli.ExitIncomplete},
		{"no time", "scan.jsonl", func(alice, _ *finding.Finding) { alice.Verdict.At = time.Time{} }, nil, nil, verifier.Live, false, noSecrets, 0, 2, cli.ExitIncomplete},
		{"of the future, IAM", "scan.jsonl", ignoreRoot(func(alice, _ *finding.Finding) { alice.Verdict.At = time.Now().AddDate(9, 0, 0) }), iam, nil,
			verifier.Live, true, "", 1, 1, cli.ExitLeaks},
		{"stale before", "secret.jsonl", func(alice, _ *finding.Finding) { alice.Stale = noSecrets }, nil, nil, verifier.Live, true, "", 2, 2, cli.ExitLeaks},

		{"shut off, no secret", "scan.jsonl", plain, nil, inactive(true), verifier.Live, false, noSecrets, 0, 2, cli.ExitIncomplete},
		{"shut off, secrets", "secret.jsonl", ignoreRoot(plain), nil, inactive(true), verifier.Invalid, true, "", 1, 1, cli.ExitClean},
		{"shut off, IAM", "scan.jsonl", ignoreRoot(plain), iam, inactive(true), verifier.Invalid, true, "", 1, 1, cli.ExitClean},
		{"a lone id that is off, IAM", "scan.jsonl", ignoreRoot(lone(verifier.IDActive)), iam, inactive(true), verifier.Invalid, true, "", 1, 1, cli.ExitClean},

		{"a lone id", "scan.jsonl", ignoreRoot(lone(verifier.Skipped)), nil, nil, verifier.Skipped, false, "", 0, 0, cli.ExitClean},
		{"a lone id that was active", "scan.jsonl", ignoreRoot(lone(verifier.IDActive)), nil, nil, verifier.IDActive, false, noSecrets, 0, 1, cli.ExitIncomplete},
		{"a lone id, IAM", "scan.jsonl", ignoreRoot(lone(verifier.Skipped)), iam, nil, verifier.IDActive, true, "", 1, 1, cli.ExitClean},
		// Active says nothing of a secret that nobody tried: neither that it is the id's, nor that it is not.
		{"a secret that nobody tried, IAM", "scan.jsonl", ignoreRoot(state(verifier.Skipped)), iam, nil, verifier.Unknown, true, "", 1, 1, cli.ExitIncomplete},
		{"not known before, IAM", "scan.jsonl", ignoreRoot(state(verifier.Unknown)), iam, nil, verifier.Unknown, true, "", 1, 1, cli.ExitIncomplete},
		{"invalid before, IAM", "scan.jsonl", ignoreRoot(state(verifier.Invalid)), iam, nil, verifier.Unknown, true, "", 1, 1, cli.ExitIncomplete},
		{"another secret, IAM", "scan.jsonl", ignoreRoot(state(verifier.IDActive)), iam, nil, verifier.IDActive, true, "", 1, 1, cli.ExitClean},

		{"another account", "secret.jsonl", plain, []string{"--accounts", ops}, nil, verifier.Live, false,
			"not asked again: account " + detectorstest.Account + " is not among those to ask about", 0, 2, cli.ExitIncomplete},
		{"another account, IAM", "scan.jsonl", plain, []string{"--iam", "--accounts", ops}, nil, verifier.Live, false,
			"not asked again: account " + detectorstest.Account + " is not among those to ask about", 0, 2, cli.ExitIncomplete},
		{"IAM refuses", "scan.jsonl", ignoreRoot(plain), iam, func() { c.aws.Deny("iam:ListAccessKeys") }, verifier.Live, false,
			"not asked again: IAM does not say: needs iam:ListAccessKeys", 0, 1, cli.ExitIncomplete},
		{"IAM refuses, a lone id", "scan.jsonl", ignoreRoot(lone(verifier.Skipped)), iam, func() { c.aws.Deny("iam:ListAccessKeys") }, verifier.Skipped, false,
			"not asked again: IAM does not say: needs iam:ListAccessKeys", 0, 1, cli.ExitIncomplete},
		{"STS does not answer", "secret.jsonl", ignoreRoot(plain), nil, func() {
			c.aws.Script(verifiertest.Response{Status: 407, Body: "<html>"})
		}, verifier.Live, false, "asked again, without an answer: something other than STS replied, such as a proxy", 0, 1, cli.ExitIncomplete},
		{"STS does not answer of what was not known", "secret.jsonl", ignoreRoot(state(verifier.Unknown)), nil, func() {
			c.aws.Script(verifiertest.Response{Status: 407, Body: "<html>"})
		}, verifier.Unknown, true, "", 0, 1, cli.ExitIncomplete},

		{"canary", "secret.jsonl", ignoreRoot(state(verifier.CanarySuspected)), iam, nil, verifier.CanarySuspected, false, "", 0, 0, cli.ExitClean},
		{"expired", "secret.jsonl", ignoreRoot(state(verifier.Expired)), iam, nil, verifier.Expired, false, "", 0, 0, cli.ExitClean},
		{"of another store", "secret.jsonl", ignoreRoot(state(verifier.NotVerifiable)), iam, nil, verifier.NotVerifiable, false, "", 0, 0, cli.ExitClean},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inactive(false)()
			c.aws.Allow("iam:ListAccessKeys")
			text := c.saved(tt.report, tt.change)
			if tt.prepare != nil {
				tt.prepare()
			}
			seen := len(c.aws.Requests())
			code, f, _, sum, stderr := c.again(text, tt.flags...)
			if f.Verdict.State != tt.state || f.Stale != tt.stale || (time.Since(f.Verdict.At).Abs() < time.Minute) != tt.renewed {
				t.Errorf("%s at %s, %q; want %s, renewed: %v, %q", f.Verdict.State, f.Verdict.At, f.Stale, tt.state, tt.renewed, tt.stale)
			}
			if code != tt.code || sum.Again == nil || *sum.Again != (finding.Again{Asked: tt.asked, Of: tt.of}) {
				t.Errorf("exit code %d, %+v; want %d, %d of %d\n%s", code, sum.Again, tt.code, tt.asked, tt.of, stderr)
			}
			if sent := len(c.aws.Requests()) - seen; tt.of == 0 && len(tt.flags) == 0 && sent != 0 {
				t.Errorf("%d requests", sent)
			}
			if tt.code == cli.ExitIncomplete && !strings.Contains(stderr, " asked") {
				t.Errorf("stderr %q", stderr)
			}
		})
	}
}

// TestVerifyAgainForgetsSecrets: of no finding is the secret written again, not even of
// one that nobody is asked about.
func TestVerifyAgainForgetsSecrets(t *testing.T) {
	c := newLeakCase(t)
	text := c.saved("secret.jsonl", func(alice, root *finding.Finding) {
		alice.Ignored = "known"
		root.Match.Credential.ID, root.Match.Rule.Value = "", true
	})
	if _, alice, root, _, _ := c.again(text); !alice.Match.Credential.Secret.IsZero() || !root.Match.Credential.Secret.IsZero() {
		t.Error("secrets are written again")
	}
}

// TestVerifyAgainFacts: an answer takes the place of the last, and nothing else: not what
// the text said, nor what the key was used for before it was first asked about.
func TestVerifyAgainFacts(t *testing.T) {
	c := newLeakCase(t)
	var asked time.Time
	change := func(alice, root *finding.Finding) {
		asked = alice.Verdict.At
		root.Ignored = "known"
		alice.Verdict.Facts = append(alice.Verdict.Facts, []verifier.Fact{
			{Name: "iam-user", Value: "alice"}, {Name: "error-code", Value: "Old"}, {Name: verifier.CachedFact, Value: "old"},
			{Name: owner.KeyStatus, Value: "Inactive", Source: "iam:ListAccessKeys"}, {Name: owner.KeyStatus, Value: "Active"}, {Name: operator.UsedBefore, Value: "never"},
		}...)
	}
	for _, tt := range []struct{ report, flag, want string }{
		{"secret.jsonl", "--accounts=" + detectorstest.Account, "aws-request-id http-status iam-user key-status:Active sts-endpoint used-before-verifying-at used-before-verifying:never"},
		{"scan.jsonl", "--iam", "iam-user key-status:Active key-status:Active used-before-verifying-at used-before-verifying:never"},
	} {
		_, f, _, _, _ := c.again(c.saved(tt.report, change), tt.flag)
		var names []string
		for _, x := range f.Facts() {
			name := x.Name
			switch x.Name {
			case owner.KeyStatus, operator.UsedBefore:
				name += ":" + x.Value
			case operator.UsedBeforeAt:
				if x.Value != asked.Format(time.RFC3339) {
					t.Errorf("asked at %s, not %s", x.Value, asked)
				}
			}
			names = append(names, name)
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.report, got, tt.want)
		}
	}
}

// TestVerifyAgainNames: IAM says whose a key is: of a lone id, and of a user who was
// renamed since. The proof of such a report is good for a plan.
func TestVerifyAgainNames(t *testing.T) {
	c := newLeakCase(t)
	arn := "arn:aws:iam::" + detectorstest.Account + ":user/"
	for _, tt := range []struct {
		name      string
		who       verifier.Identity
		deny      string
		want, arn string
	}{
		{"renamed", verifier.Identity{Kind: "user", Name: "alicia", ARN: arn + "ci/alicia"}, "", "alice", arn + "ci/alice"},
		{"renamed, and the ARN cannot be read", verifier.Identity{Kind: "user", Name: "alicia", ARN: arn + "ci/alicia"}, "iam:GetUser", "alicia", arn + "ci/alicia"},
		{"not known", verifier.Identity{}, "", "alice", arn + "ci/alice"},
		{"not known, and the ARN cannot be read", verifier.Identity{}, "iam:GetUser", "alice", ""},
		{"known", verifier.Identity{Kind: "user", Name: "alice", ARN: "as STS says"}, "", "alice", "as STS says"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.aws.Deny(tt.deny)
			defer c.aws.Allow(tt.deny)
			_, f, _, _, _ := c.again(c.saved("scan.jsonl", func(alice, _ *finding.Finding) {
				tt.who.Account = alice.Verdict.Identity.Account
				alice.Verdict.Identity = tt.who
			}), "--iam")
			if f.Verdict.Identity.Name != tt.want || f.Verdict.Identity.ARN != tt.arn || f.Verdict.State != verifier.Live {
				t.Errorf("%+v", f)
			}
		})
	}
}

// TestVerifyAgainBadReports: reports that are none, that end early, or hold nothing.
func TestVerifyAgainBadReports(t *testing.T) {
	c := newLeakCase(t)
	text := c.read("secret.jsonl")
	lines := strings.SplitAfter(text, "\n")
	for _, tt := range []struct {
		name, text, stdout, stderr string
		code                       int
	}{
		{"no finding", lines[0] + lines[len(lines)-2], "no leaked credentials found", "", cli.ExitClean},
		{"cut off", lines[0] + lines[1], "asked AWS again about 1 of 1\n", "asked AWS again about 1 of 1: the stream ends without a summary", cli.ExitIncomplete},
		{"cut off before the first", lines[0], "asked AWS again about 0 of 0\n", "the stream ends without a summary", cli.ExitIncomplete},
		{"a time that is none", regexp.MustCompile(`"verified_at":"[^"]*"`).ReplaceAllString(text, `"verified_at":"yesterday"`), "", `line 2: parsing time "yesterday"`, cli.ExitIncomplete},
		{"a number for a time", regexp.MustCompile(`"verified_at":"[^"]*"`).ReplaceAllString(text, `"verified_at":7`), "", "line 2: ", cli.ExitIncomplete},
		{"nothing", "", "", "the stream holds no scan", cli.ExitIncomplete},
	} {
		code, stdout, stderr := c.run(tt.text, "verify", "--sts-endpoint", c.aws.URL)
		if code != tt.code || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
			t.Errorf("%s: exit code %d, want %d\n%s%s", tt.name, code, tt.code, stdout, stderr)
		}
	}
}

// TestVerifyKeyID: a key id in place of a report is sent to the command that takes one, and is not
// repeated in a log.
func TestVerifyKeyID(t *testing.T) {
	id := detectorstest.KeyID("AKIA", "111122223333", 1)
	var errs bytes.Buffer
	code := cli.ExitCode(&errs, run(t.Context(), []string{"verify", id}, &errs, &errs, &errs))
	if code != cli.ExitUsage || !strings.Contains(errs.String(), `"stanch assess KEY-ID"`) || strings.Contains(errs.String(), id) {
		t.Errorf("exit code %d:\n%s", code, &errs)
	}
}

// TestOtherStoreStays: the key of another store is not sent to AWS, not even by verify of
// a report that holds it, and stays what it is.
func TestOtherStoreStays(t *testing.T) {
	c := newLeakCase(t)
	repo := scannertest.Repo(t, detectorstest.Fill(`
printf 'endpoint = https://minio.example.com:9000\naws_access_key_id = {AKIA3}\naws_secret_access_key = {secret3}\nMINIO_ENDPOINT=https://play.min.io\n' > minio.ini
commit minio
`))
	c.ok("git", repo, "--sts-endpoint", c.aws.URL, "-f", "json", "-o", c.file("store.jsonl"), "--show-secrets")
	if !strings.Contains(c.read("store.jsonl"), `"state":"not-verifiable"`) {
		t.Fatal(c.read("store.jsonl"))
	}
	seen := len(c.aws.Requests())
	stdout := c.ok("verify", c.file("store.jsonl"), "--sts-endpoint", c.aws.URL)
	if sent := len(c.aws.Requests()) - seen; sent != 0 || !strings.Contains(stdout, "NOT VERIFIABLE") {
		t.Errorf("%d requests\n%s", sent, stdout)
	}
}

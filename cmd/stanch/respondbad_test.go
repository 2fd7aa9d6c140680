package main

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestBadReports: what is no report of live keys is said, and nothing is planned.
func TestBadReports(t *testing.T) {
	c := newLeakCase(t)
	report := c.read("scan.jsonl")
	id := detectorstest.Fill("{AKIA1}")
	edit := func(old, now string) string { return strings.ReplaceAll(report, old, now) }
	for _, tt := range []struct {
		name, report, says string
	}{
		{"another version", edit(`"stanch/v1"`, `"stanch/v2"`), "read it with that version"},
		{"no JSON", "AKIA", "not a record of a report"},
		{"binary", "\x00\xff\n", "it is not text: it holds a zero byte"},
		{"another kind of JSON", `{"Findings": []}` + "\n", "no report"},
		{"empty", "", "no report"},
		{"cut off", report[:strings.Index(report, id)], "ends early: the plan lacks the keys of the missing part"},
		{"an id that is none", edit(id, "AKIA; rm -rf /"), `no-key`},
		{"an id that is a service credential's", edit(id, "ACCA"+id[4:]), `no-key`},
		{"an id of another prefix", edit(id, "AIDA"+id[4:]), `no-key`},
		{"an account that is none", edit(`"account":"123456789012"`, `"account":"1234"`), "identity-unknown"},
		{"another user's ARN", edit("user/ci/alice", "user/ci/mallory"), "identity-unknown"},
		{"another user's name", edit(`"name":"alice"`, `"name":"mallory"`), "identity-unknown"},
		{"a state that nobody knows", edit(`"state":"live"`, `"state":"alive"`), "not-live"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.report == report {
				t.Fatal("the report is as it was")
			}
			c.write("bad.jsonl", tt.report)
			_ = os.Remove(c.file("bad.json"))
			code, stdout, stderr := c.run("", "respond", "plan", c.file("bad.jsonl"), "-o", c.file("bad.json"), "--accounts", detectorstest.Account,
				"--role", "stanch-respond", "--external-id", "example", "--aws-endpoint", c.aws.URL)
			if code != cli.ExitIncomplete || !strings.Contains(stdout+stderr, tt.says) || strings.Contains(stdout, "SHUT OFF") {
				t.Errorf("exit code %d, want …%s…\n%s%s", code, tt.says, stdout, stderr)
			}
			if strings.Contains(stdout, "rm -rf") && !strings.Contains(stdout, `"AKIA; rm -rf /" is not the id`) {
				t.Errorf("a command for a shell: %s", stdout)
			}
		})
	}
}

// TestBadWeather: no network, a wrong clock, an answer from something else: clear,
// exit code 3, and nothing is half done.
func TestBadWeather(t *testing.T) {
	c := newLeakCase(t)
	yes := []string{"--yes", "--plan", c.hash}
	elsewhere := func(url string) []string {
		args := c.respond("apply", yes...)
		args[slices.Index(args, "--aws-endpoint")+1] = url
		return args
	}
	late := verifiertest.NewUnstartedSTS()
	late.Now = func() time.Time { return time.Now().Add(time.Hour) }
	late.Start()
	t.Cleanup(late.Close)
	late.Set(verifiertest.Key{Credential: verifiertest.LongTerm(ops, 11), ARN: "arn:aws:iam::" + ops + ":user/olga"})
	portal := verifiertest.NewSTS(t)
	portal.Script(slices.Repeat([]verifiertest.Response{{Status: 302, Body: "<html>"}}, 9)...)
	page := verifiertest.NewSTS(t)
	page.Script(slices.Repeat([]verifiertest.Response{{Status: 200, Body: "<html>sign in to the network</html>"}}, 9)...)
	for _, tt := range []struct{ name, url, says string }{
		{"no network", "http://127.0.0.1:1", "connection refused"},
		{"wrong clock", late.URL, "the clock of this machine is wrong by -"},
		{"captive portal", portal.URL, "something other than AWS replied"},
		{"a page for an answer", page.URL, "something other than AWS replied"},
	} {
		code, stdout, stderr := c.run("", elsewhere(tt.url)...)
		if code != cli.ExitIncomplete || !strings.Contains(stderr, tt.says) || stdout != "" {
			t.Errorf("%s: exit code %d, want …%s…\n%s%s", tt.name, code, tt.says, stdout, stderr)
		}
		if _, err := os.Stat(c.file("journal.jsonl")); err == nil {
			t.Errorf("%s: there is a journal", tt.name)
		}
	}
	// The network goes away between two steps: what is not taken is said, and the
	// same command takes it when the network is back.
	c.aws.Next("iam:UpdateAccessKey", slices.Repeat([]verifiertest.Response{{Status: 503, Body: "<html>"}}, 5)...)
	code, stdout, stderr := c.run("", c.respond("apply", yes...)...)
	if code != cli.ExitIncomplete || !strings.Contains(stdout, "CONTAINED_NOT_DEACTIVATED") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if code, stdout, stderr = c.run("", c.respond("apply", yes...)...); code != cli.ExitClean || !strings.Contains(stdout, "CONTAINED  AKIA") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}

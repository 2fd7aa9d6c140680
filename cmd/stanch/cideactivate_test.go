package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier/response"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestCIDeactivate: "stanch ci" shuts off what a push brings, under the gates of
// "stanch git", and in a public log names nobody.
func TestCIDeactivate(t *testing.T) {
	dir := scannertest.Repo(t, detectorstest.Fill("commit first; printf 'id {AKIA1}\\nsecret {secret1}\\n' >leak.env; commit second"))
	base, head := scannertest.Git(t, dir, "rev-parse", "HEAD~"), scannertest.Git(t, dir, "rev-parse", "HEAD")
	const inUse = "in-use"
	for _, tt := range []struct {
		name    string
		private bool
		without string // a flag, with its value
		with    []string
		change  func(*verifiertest.AWS, *verifiertest.IAMUser)
		status  int
		off     bool
		log     []string
	}{
		{name: "private", private: true, status: cli.ExitLeaks, off: true,
			log: []string{"user alice of account " + detectorstest.Account, "CONTAINED  AKIA", "done", "plan-"}},
		{name: "public", status: cli.ExitLeaks, off: true, log: []string{"SHUT OFF  AKIA", "contained  AKIA", "plan-"}},
		{name: "public, named", with: []string{"--name-accounts"}, status: cli.ExitLeaks, off: true, log: []string{"user alice of account"}},
		{name: "no proof", without: "--verify", status: cli.ExitUsage, log: []string{"needs --verify"}},
		{name: "no accounts", without: "--accounts", status: cli.ExitUsage, log: []string{"--accounts"}},
		{name: "no journal", without: "--journal", status: cli.ExitUsage, log: []string{"needs --journal in CI"}},
		{name: "another account", without: "--accounts", with: []string{"--accounts=210987654321"}, status: cli.ExitLeaks},
		{name: "nobody typed", without: "--yes", status: cli.ExitUsage, log: []string{"refused (not-confirmed)"}},
		{name: "too many keys", with: []string{"--max-keys=0"}, status: cli.ExitUsage, log: []string{"refused (too-many-keys): the reason is not printed"}},
		{name: "no way in", without: "--external-id", with: []string{"--external-id=other"}, status: cli.ExitIncomplete, log: []string{"LEFT ALONE  AKIA", "no-responder"}},
		{name: "protected", change: func(_ *verifiertest.AWS, u *verifiertest.IAMUser) { u.Tags[response.ProtectedTag] = "true" },
			status: cli.ExitIncomplete, log: []string{"LEFT ALONE  AKIA", "protected"}},
		{name: inUse, change: func(a *verifiertest.AWS, u *verifiertest.IAMUser) {
			a.Tracks, u.Keys[0].Used, u.Keys[0].UsedService = true, u.Keys[0].Created.AddDate(1, 0, 0), "s3"
		}, status: cli.ExitIncomplete, log: []string{"LEFT ALONE  AKIA", inUse}},
		{name: "may not", with: []string{"--assess"}, change: func(a *verifiertest.AWS, _ *verifiertest.IAMUser) { a.Deny("iam:UpdateAccessKey") },
			status: cli.ExitIncomplete, log: []string{"contained_not_deactivated  AKIA"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			aws, user := ciIncident(t)
			if tt.change != nil {
				tt.change(aws, user)
			}
			journal := filepath.Join(t.TempDir(), "journal.jsonl")
			args := []string{"--verify", "--deactivate", "--yes", "--accounts=" + detectorstest.Account, "--journal=" + journal, "--role=stanch-respond",
				"--external-id=example", "--sts-endpoint=" + aws.URL, "--aws-endpoint=" + aws.URL}
			args = slices.DeleteFunc(args, func(a string) bool { return tt.without != "" && strings.HasPrefix(a, tt.without) })
			visibility := map[bool]string{true: "true", false: "false"}[tt.private]
			payload := `{"ref":"refs/heads/main","before":"` + base + `","after":"` + head + `","repository":{"private":` + visibility + `}}`
			r := runCI(t, dir, "push", payload, append(args, tt.with...)...)
			if r.status != tt.status || user.Keys[0].Inactive != tt.off {
				t.Errorf("exit status %d, off: %v\n%s", r.status, user.Keys[0].Inactive, r.log)
			}
			for _, text := range tt.log {
				if !strings.Contains(r.log, text) {
					t.Errorf("%q is not in the log:\n%s", text, r.log)
				}
			}
			for _, name := range []string{detectorstest.Account, "alice", ops, "olga", "stanch-respond"} {
				if !tt.private && !slices.Contains(tt.with, "--name-accounts") && strings.Contains(r.log+r.summary+r.output, name) {
					t.Errorf("everybody reads %s:\n%s", name, r.log)
				}
			}
			_, err := os.Stat(journal)
			if plans, _ := filepath.Glob(filepath.Join(filepath.Dir(journal), "plan-*.json")); tt.off && (err != nil || len(plans) != 1) {
				t.Errorf("journal %v, plans %v", err, plans)
			}
		})
	}
}

// ciIncident starts an AWS with the user alice, whose key leaked, and makes the
// environment that of olga, of another account.
func ciIncident(t *testing.T) (*verifiertest.AWS, *verifiertest.IAMUser) {
	t.Helper()
	aws := verifiertest.NewAWS(t)
	var user *verifiertest.IAMUser
	aws.Change(detectorstest.Account, func(a *verifiertest.Account) {
		user = a.User("alice", 1)
		a.Role("stanch-respond", "example")
	})
	aws.Change(ops, func(a *verifiertest.Account) {
		verifiertest.SignAs(t, a.User("olga", 11).Keys[0].Credential)
	})
	return aws, user
}

// TestCIDeactivateNeedsAnIdentity: without one nothing is scanned, and that is said.
func TestCIDeactivateNeedsAnIdentity(t *testing.T) {
	dir := scannertest.Repo(t, "commit first")
	aws, _ := ciIncident(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	var out bytes.Buffer
	err := run(t.Context(), []string{"ci", dir, "--head", "HEAD", "--verify", "--assess", "--aws-endpoint", aws.URL, "--sts-endpoint", aws.URL}, nil, &out, &out)
	if code := cli.ExitCode(&out, err); code != cli.ExitIncomplete || !strings.Contains(out.String(), "no identity of your own") {
		t.Errorf("exit status %d\n%s", code, &out)
	}
}

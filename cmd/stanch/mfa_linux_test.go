package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestMFAAtTerminal: a profile with an MFA device asks for the code at the terminal, although
// standard input is a report and stderr a file. Without a terminal, the error says what to do.
func TestMFAAtTerminal(t *testing.T) {
	scannertest.Need(t, "script", "sh", "setsid")
	const device, code = "arn:aws:iam::111122223333:mfa/olga", "123456"
	aws := verifiertest.NewAWS(t)
	dir := t.TempDir()
	aws.Change(ops, func(a *verifiertest.Account) {
		c := a.User("olga", 11).Keys[0].Credential
		a.Role("ops", "").Code = code
		text := fmt.Sprintf("[profile base]\naws_access_key_id = %s\naws_secret_access_key = %s\n"+
			"[profile mfa]\nrole_arn = arn:aws:iam::%s:role/ops\nsource_profile = base\nmfa_serial = %s\nregion = us-east-1\n", c.ID, c.Secret.Reveal(), ops, device)
		if err := os.WriteFile(filepath.Join(dir, "config"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "stanch")); err != nil {
		t.Fatal(err)
	}
	const report = `{"type":"scan","schema":"stanch/v1","version":"0.1.0","source":"git","target":".","started_at":"2026-11-29T18:00:00Z"}`
	if err := os.WriteFile(filepath.Join(dir, "report"), []byte(report+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const command = "./stanch assess --profile mfa - < report 2> stderr"
	start := func(name string, args ...string) string {
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(code+"\n")
		cmd.Env = append(os.Environ(), "AWS_CONFIG_FILE="+filepath.Join(dir, "config"), "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull,
			"AWS_ENDPOINT_URL="+aws.URL, "AWS_ENDPOINT_URL_STS="+aws.URL, "AWS_EC2_METADATA_DISABLED=true")
		out, _ := cmd.CombinedOutput() // the truncated report is an error, and not the subject
		stderr, err := os.ReadFile(filepath.Join(dir, "stderr"))
		if err != nil {
			t.Fatal(err)
		}
		return string(out) + string(stderr)
	}
	out := start("script", "-qec", command, os.DevNull)
	if n := len(aws.Requests()); !strings.Contains(out, "Code of the MFA device "+device+": ") || n < 2 {
		t.Errorf("at a terminal: %d requests\n%s", n, out)
	}
	before := len(aws.Requests())
	out = start("setsid", "-w", "sh", "-c", command)
	if n := len(aws.Requests()); !strings.Contains(out, "there is no terminal") || !strings.Contains(out, "aws configure export-credentials --profile mfa") || n != before {
		t.Errorf("without a terminal: %d requests\n%s", n-before, out)
	}
}

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/report/sarif"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestCIVerify: with --verify STS is asked, and a public log does not name who it says
// the key belongs to.
func TestCIVerify(t *testing.T) {
	sts := verifiertest.NewSTS(t, verifiertest.User(detectorstest.Account, "alice", 1))
	dir := scannertest.Repo(t, detectorstest.Fill("commit first; printf 'id {AKIA1}\\nsecret {secret1}\\n' >leak.env; commit second"))
	base, head := scannertest.Git(t, dir, "rev-parse", "HEAD~"), scannertest.Git(t, dir, "rev-parse", "HEAD")
	for visibility, named := range map[string]bool{"true": true, "false": false} {
		payload := `{"ref":"refs/heads/main","before":"` + base + `","after":"` + head + `","repository":{"private":` + visibility + `}}`
		r := runCI(t, dir, "push", payload, "--verify", "--sts-endpoint", sts.URL, "--fail-on", "live")
		if r.status != cli.ExitLeaks || !strings.Contains(r.output, "verified=1\n") || !strings.Contains(r.summary, "LIVE") || !strings.Contains(r.log, "title=LIVE%3A ") {
			t.Errorf("exit status %d\n%s%s", r.status, r.log, r.output)
		}
		if strings.Contains(r.log+r.summary, "alice") != named {
			t.Errorf("private is %s:\n%s", visibility, r.log)
		}
	}
	if n := len(sts.Requests()); n != 2 {
		t.Errorf("%d requests came to STS", n)
	}
}

// TestCIFiles: the files that flags name hold what was found; SARIF has the hash that
// GitHub works out for the line.
func TestCIFiles(t *testing.T) {
	dir := scannertest.Repo(t, detectorstest.Fill("commit first; printf 'a\\nid {AKIA1}\\nsecret {secret1}\\n' >leak.env; commit second"))
	file, junit := filepath.Join(t.TempDir(), "s"), filepath.Join(t.TempDir(), "j")
	t.Setenv("STANCH_JUNIT", junit)
	r := runCI(t, dir, "push", "", "--base", "HEAD~", "--sarif", file)
	if r.status != cli.ExitLeaks {
		t.Fatal(r.log)
	}
	var log struct {
		Runs []struct {
			AutomationDetails struct{ ID string }
			Results           []struct{ PartialFingerprints map[string]string }
		}
	}
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &log)
	}
	if err != nil || len(log.Runs) != 1 || len(log.Runs[0].Results) != 1 {
		t.Fatalf("%s, %v", text, err)
	}
	leak, err := os.ReadFile(filepath.Join(dir, "leak.env"))
	if err != nil {
		t.Fatal(err)
	}
	head := scannertest.Git(t, dir, "rev-parse", "HEAD")
	if got := log.Runs[0].Results[0].PartialFingerprints["primaryLocationLineHash"]; got != sarif.LineHash(string(leak), 2) {
		t.Errorf("the hash is %s", got)
	}
	if id := log.Runs[0].AutomationDetails.ID; id != "stanch/push/"+head+"/" {
		t.Errorf("the category is %s", id)
	}
	t.Run("multitool", func(t *testing.T) {
		out, err := exec.Command(tool(t, "SARIF_MULTITOOL"), "validate", file, "--rule-kind", "Ghas;Sarif", "-o", file+".checked", "--log", "ForceOverwrite").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "Analysis completed successfully") || strings.Contains(string(out), " error ") || strings.Contains(string(out), " warning ") {
			t.Errorf("%v\n%s", err, out)
		}
	})
	if text, err := os.ReadFile(junit); err != nil || !strings.Contains(string(text), `failures="1"`) {
		t.Errorf("%s, %v", text, err)
	}
}

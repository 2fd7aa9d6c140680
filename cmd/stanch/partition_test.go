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
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestPartitionIsRemembered: a key of China that names its partition is found live
// there, and asked about there again from a saved report.
func TestPartitionIsRemembered(t *testing.T) {
	key := verifiertest.User(detectorstest.Account, "alice", 1)
	key.ARN = strings.Replace(key.ARN, "arn:aws:", "arn:aws-cn:", 1)
	sts := verifiertest.NewSTS(t, key)
	dir := t.TempDir()
	leak, report := filepath.Join(dir, "leak.env"), filepath.Join(dir, "report.jsonl")
	text := detectorstest.Fill("AWS_REGION=cn-north-1\nAWS_ACCESS_KEY_ID={AKIA1}\nAWS_SECRET_ACCESS_KEY={secret1}\n")
	if err := os.WriteFile(leak, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"dir", leak, "--verify", "-f", "json", "-o", report, "--show-secrets"},
		{"verify", report},
	} {
		var out bytes.Buffer
		err := run(t.Context(), append(args, "--sts-endpoint", sts.URL), nil, &out, &out)
		if code := cli.ExitCode(&out, err); code != cli.ExitLeaks {
			t.Errorf("%q: exit status %d\n%s", args, code, &out)
		}
	}
	var regions []string
	for _, r := range sts.Requests() {
		regions = append(regions, r.Region)
	}
	if want := []string{"cn-north-1", "cn-north-1"}; !slices.Equal(regions, want) {
		t.Errorf("asked in %q, want %q", regions, want)
	}
}

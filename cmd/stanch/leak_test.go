package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// planted is a repository with a secret in every kind of place, several of which
// a report has to name: paths, authors, messages, branches, archives.
const planted = `
commit start
commit "deploy with {AKIA1} {secret1}"
git commit -q --allow-empty --author "{AKIA2} {secret2} <{secret2}@example.com>" -m author
git branch "fix/{AKIA3}/{secret3}"
git tag -a v1 -m "id {AKIA4} secret {secret4}"
git notes add -m "{AKIA5} {secret5}"
mkdir -p "keys/{AKIA6}"
echo "{AKIA6} {secret6}" > "keys/{AKIA6}/{secret6}.pem"
echo "{ASIA7} {secret8} {token7}" > session
commit paths
tar czf dist.tgz session
commit archive
echo "{AKIA8} {secret9}" > .git/objects/garbage
mkdir "aws_secret_access_key={secret7}" # this one has no slash
echo "{AKIA8}" > "aws_secret_access_key={secret7}/creds.env"
commit "folder"
-- .env --
AWS_ACCESS_KEY_ID={AKIA1}
AWS_SECRET_ACCESS_KEY={secret1}
-- lone --
aws_secret_access_key = {secret9}
`

// buried goes on where the script of planted ends: what no ref leads to, git's own
// files, and a branch of which the name is told with each place.
const buried = `
git config remote.gone.url "https://{AKIA0}:{secret3}@example.com/x.git"
git branch "holds/{AKIA7}/{secret0}"
echo "{AKIA9} {secret9}" > amended.env
commit "amended away: {AKIA3} {secret4}"
rm amended.env
git commit -q -a --amend --allow-empty -m amended
git checkout -q -b "left/{AKIA9}/{secret2}"
echo "{AKIA9} {secret9} again" > left.env
commit left
git checkout -q main
git branch -q -D "left/{AKIA9}/{secret2}"
echo "{AKIA6} {secret6} staged" > staged.env
git add staged.env
`

// TestNoSecretGetsOut runs every command and format with every flag but
// --show-secrets and looks for the planted secrets in all that is written,
// however spelt. Operands are echoed as they were typed, but for passwords in
// URLs.
func TestNoSecretGetsOut(t *testing.T) {
	repo := scannertest.Repo(t, detectorstest.Fill(planted))
	bare := filepath.Join(t.TempDir(), "bare.git")
	scannertest.Git(t, repo, "clone", "-q", "--bare", repo, bare)
	sts := verifiertest.NewSTS(t, verifiertest.User(detectorstest.Account, "alice", 1))
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Setenv("GIT_CONFIG_COUNT", "1")
	t.Setenv("GIT_CONFIG_KEY_0", "protocol.file.allow")
	t.Setenv("GIT_CONFIG_VALUE_0", "always")
	env := leakTest{t, needles(), temp}

	stream := filepath.Join(temp, "scan.jsonl")
	operands := [][]string{
		{"git", repo}, {"git", "file://" + bare},
		{"git", "https://user:" + url.QueryEscape(detectorstest.Fill("{secret1}")) + "@127.0.0.1:1/x.git"},
		{"dir", repo, "--verify"}, {"dir", repo}, {"stdin", "--debug"}, {"stdin", "--verify"},
	}
	for _, operand := range operands {
		for _, format := range []string{"text", "json", "sarif"} {
			for _, flags := range [][]string{{}, {"--verbose", "--debug"}, {"--output", filepath.Join(temp, "report")}} {
				args := append(append(operand, "--format", format, "--sts-endpoint", sts.URL), flags...)
				env.run(args, detectorstest.Fill("key={AKIA1}\nsecret={secret1}"))
			}
		}
	}
	deep := scannertest.Repo(t, detectorstest.Fill(strings.Replace(planted, "-- .env --", buried+"-- .env --", 1)))
	env.run([]string{"git", deep, "-v", "--sts-endpoint", sts.URL}, "")
	for _, format := range []string{"text", "json", "sarif"} {
		env.run([]string{"git", deep, "--no-verify", "--reachable-only", "-f", format}, "")
		found := env.run([]string{"git", deep, "-v", "--no-verify", "-f", format}, "")
		for _, want := range []string{`"kind":"config"`, `"kind":"reflog"`, `"kind":"index"`, `"unreachable":"reflog HEAD@{`, `"refs":["refs/heads/`, `holds/`} {
			if format == "json" && !strings.Contains(found, want) {
				t.Errorf("the report has no %s", want)
			}
		}
	}
	canaries := filepath.Join(t.TempDir(), "canaries")
	if err := os.WriteFile(canaries, []byte(detectorstest.Account), 0o600); err != nil {
		t.Fatal(err)
	}
	env.run([]string{"git", repo, "-f", "text", "--sts-endpoint", sts.URL, "--canary-accounts", canaries}, "")
	env.run([]string{"git", repo, "--no-verify", "-v", "-f", "json", "-o", stream, "--accounts", "123456789012", "--fail-on", "never", "--max-size", "1"}, "")
	saved, err := os.ReadFile(stream)
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"text", "json", "sarif"} {
		env.run([]string{"report", "-v", "-f", format}, string(saved))
	}
	env.baseline(deep)
}

// baseline holds that a baseline has neither a secret nor a key id, whatever has one in its
// name, and that a scan finds nothing in it.
func (t leakTest) baseline(repo string) {
	t.Helper()
	name := filepath.Join(t.temp, "list")
	for range 2 { // written, and read again
		var stdout, stderr bytes.Buffer
		if code := cli.ExitCode(&stderr, run(t.Context(), []string{"baseline", repo, "-o", name}, nil, &stdout, &stderr)); code != cli.ExitClean {
			t.Errorf("stanch baseline exits with %d:\n%s", code, stderr.String())
		}
		t.search("stderr of baseline", stderr.Bytes())
	}
	data, err := os.ReadFile(name)
	if err != nil || !bytes.Contains(data, []byte("a name that holds a key, aws-access-key")) {
		t.Errorf("the baseline leaves out no name with a key in it: %v\n%s", err, data)
	}
	t.search("the baseline", data)
	for i := range 10 {
		if id := detectorstest.Fill(fmt.Sprintf("{AKIA%d}", i)); bytes.Contains(data, []byte(id)) {
			t.Errorf("the baseline holds key id %d", i)
		}
	}
	printed(t.T, cli.ExitClean, "", "dir", "--no-ignores", name)
}

// needles are the planted secrets in all the spellings that a report might use.
func needles() map[string]string {
	spelt := map[string]string{}
	for i := range 10 {
		for _, kind := range []string{"secret", "token"} {
			name := fmt.Sprintf("%s%d", kind, i)
			s := detectorstest.Fill("{" + name + "}")
			for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s), strings.ReplaceAll(s, "/", `\/`),
				base64.StdEncoding.EncodeToString([]byte(s)), fmt.Sprintf("%x", s), s[:20], s[20:40]} {
				spelt[form] = name
			}
		}
	}
	return spelt
}

type leakTest struct {
	*testing.T
	needles map[string]string
	temp    string
}

// run runs stanch and returns its report.
func (t leakTest) run(args []string, stdin string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	err := run(context.Background(), args, strings.NewReader(stdin), &stdout, &stderr)
	code := cli.ExitCode(&stderr, err)
	what := strings.Join(args[2:], " ")
	// The run must have come to where secrets are: it found the key, or could
	// not clone.
	found := stdout.String()
	if i := slices.IndexFunc(args, func(a string) bool { return a == "-o" || a == "--output" }); i >= 0 {
		data, _ := os.ReadFile(args[i+1])
		found = string(data)
	}
	if clone := strings.HasPrefix(args[1], "https://"); code == cli.ExitUsage || clone != (code == cli.ExitIncomplete) ||
		!clone && !strings.Contains(found, detectorstest.Fill("{AKIA1}")) {
		t.Errorf("stanch %s %s: exit code %d, and the key is not reported", args[0], what, code)
	}
	t.search("stdout of "+args[0]+" "+what, stdout.Bytes())
	t.search("stderr of "+args[0]+" "+what, stderr.Bytes())
	err = filepath.WalkDir(t.temp, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(name)
		t.search("file "+filepath.Base(name)+" of "+args[0]+" "+what, data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func (t leakTest) search(where string, data []byte) {
	t.Helper()
	for needle, name := range t.needles {
		if bytes.Contains(data, []byte(needle)) {
			t.Errorf("%s: holds %s", where, name)
		}
	}
}

// TestSecretsAreShown: the search of TestNoSecretGetsOut finds what is there.
func TestSecretsAreShown(t *testing.T) {
	out := filepath.Join(t.TempDir(), "report")
	err := run(t.Context(), []string{"stdin", "--show-secrets", "-f", "json", "-o", out}, strings.NewReader(detectorstest.Fill("{AKIA1} {secret1}")), nil, new(bytes.Buffer))
	data, readErr := os.ReadFile(out)
	if !errors.Is(err, cli.ErrLeaks) || readErr != nil || !bytes.Contains(data, []byte(detectorstest.Fill("{secret1}"))) {
		t.Errorf("error %v, %v, wrote %q", err, readErr, data)
	}
}

// panicking is a program that dies with a credential in its hands.
func panicking() {
	c := detectors.Credential{ID: "id", Secret: detectors.NewSecret(os.Getenv("PANIC_SECRET"))}
	defer func() { panic(fmt.Errorf("verifying %+v: %v", c, recover())) }()
	panic(c)
}

func TestPanicPrintsNoSecret(t *testing.T) {
	secret := detectorstest.SecretKey(1)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "PANIC_SECRET="+secret)
	out, err := cmd.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("panic")) || bytes.Contains(out, []byte(secret)) {
		t.Errorf("error %v, output %s", err, out)
	}
}

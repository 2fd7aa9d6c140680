package gitcmd

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/scannertest"
)

func TestRun(t *testing.T) {
	scannertest.Need(t, "git")
	ctx := context.Background()
	dir := t.TempDir()
	if _, err := Run(ctx, Command{Dir: dir, Args: []string{"init", "--quiet"}}); err != nil {
		t.Fatal(err)
	}
	// The repository of a hook that this process is in is not the one to work on.
	t.Setenv("GIT_DIR", "/nowhere")
	if out, err := Run(ctx, Command{Dir: dir, Args: []string{"config", "a.b"}, Config: [][2]string{{"a.b", "c"}}}); err != nil || out != "c\n" {
		t.Errorf("got %q, %v", out, err)
	}
	out, err := Run(ctx, Command{Dir: dir, Args: []string{"rev-parse", "--git-dir"}, AsUser: true})
	var failed *Error
	if !errors.As(err, &failed) || out != "" || !strings.Contains(err.Error(), "git rev-parse failed (exit status 128): fatal: ") {
		t.Errorf("as the user: %q, %v", out, err)
	}
	// git says nothing of a setting that is not there.
	if _, err := Run(ctx, Command{Dir: dir, Args: []string{"config", "--get", "a.b"}}); err == nil || err.Error() != "git config failed (exit status 1)" {
		t.Error(err)
	}
	if out, err := Run(ctx, Command{Dir: dir, Args: []string{"hash-object", "--stdin"}, Stdin: strings.NewReader("x")}); err != nil || len(out) != 41 {
		t.Errorf("got %q, %v", out, err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Run(ended, Command{Dir: dir, Args: []string{"version"}}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	t.Setenv("PATH", "")
	if _, err := Run(ctx, Command{Args: []string{"version"}}); !errors.Is(err, ErrNoGit) || !errors.Is(err, exec.ErrNotFound) {
		t.Error(err)
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("GIT_CONFIG_COUNT", "2")
	t.Setenv("GIT_INDEX_FILE", "of-a-commit")
	c := Command{Config: [][2]string{{"gc.auto", "0"}}, Env: []string{"GIT_DIR=."}}
	env := c.environment()
	want := []string{
		"GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=https:http:ssh:git:file", "LC_ALL=C", "GIT_DIR=.",
		"GIT_CONFIG_KEY_2=core.hooksPath", "GIT_CONFIG_VALUE_2=" + os.DevNull,
		"GIT_CONFIG_KEY_3=hook.reference-transaction.enabled", "GIT_CONFIG_VALUE_3=false",
		"GIT_CONFIG_KEY_4=gc.auto", "GIT_CONFIG_VALUE_4=0", "GIT_CONFIG_COUNT=5",
	}
	if end := env[max(0, len(env)-len(want)):]; !slices.Equal(end, want) {
		t.Errorf("got %q", end)
	}
	if slices.Contains(env, "GIT_INDEX_FILE=of-a-commit") {
		t.Error("the index of another repository is in the environment")
	}
}

func TestLastLines(t *testing.T) {
	for stderr, want := range map[string]string{
		"Cloning...\nremote: \x1b[31mno\x00\r\nfatal:\t\x9bx\n":          "remote: [31mno; fatal: x",
		"a\nb\nReceiving objects: 50% (1/2)\rc\nd\n":                     "b; c; d",
		"fatal: unable to access 'https://me:" + "pw@host/x': ##[error]": "fatal: unable to access 'https://host/x': ## [error]",
		"Cloning...\nssh: connect to host h port 22: Connection refused\r\nfatal: Could not read from remote repository.\n\n" +
			"Please make sure you have the correct access rights\nand the repository exists.\n": "ssh: connect to host h port 22: Connection refused; fatal: Could not read from remote repository.",
		"": "",
	} {
		if got := lastLines(stderr); got != want {
			t.Errorf("last lines of %q are %q", stderr, got)
		}
	}
}

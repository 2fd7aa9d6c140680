package main

import (
	"cmp"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

func TestMain(m *testing.M) {
	if os.Getenv("PANIC_SECRET") != "" { // TestPanicPrintsNoSecret runs this binary
		panicking()
	}
	forgetSettings()
	testscript.Main(m, map[string]func(){"stanch": main})
}

// forgetSettings takes the settings of whoever runs the tests out of the environment: a file or
// a variable of theirs would name accounts and a role.
func forgetSettings() {
	if filepath.Base(os.Args[0]) == "stanch" { // a script runs it, with its own environment
		return
	}
	for _, name := range []string{"STANCH_ROLE", "STANCH_EXTERNAL_ID", "STANCH_ACCOUNTS", "STANCH_BREAK_GLASS"} {
		_ = os.Unsetenv(name)
	}
	if dir, err := os.UserConfigDir(); err == nil && runtime.GOOS == "linux" { // elsewhere git needs the folder
		_ = os.Setenv("GOENV", cmp.Or(os.Getenv("GOENV"), filepath.Join(dir, "go", "env")))
		_ = os.Setenv("XDG_CONFIG_HOME", filepath.Join(os.TempDir(), "nobody's"))
	}
}

// TestScript runs testdata/script. Beyond testscript's own commands there are
//
//	fill FILE...   replaces {AKIA1}, {secret1} … by key-shaped strings
//	commit MESSAGE commits all of the current folder, a git repository
//	incident       starts an AWS at $AWS, with two accounts (see respond_test.go)
//	settings, readme, next  are for the commands of the README (see readmeincident_test.go)
//	asked N        holds that N requests came to the STS at $STS since the last "asked"
//
// and the STS knows the keys 1 (user alice), 2 (root), 4 (user dora, whom a policy
// denies everything) and 5 (user erin); the others it does not know.
func TestScript(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	dora := verifiertest.User(detectorstest.Account, "dora", 4)
	dora.State = verifiertest.Denied
	keys := []verifiertest.Key{
		verifiertest.User(detectorstest.Account, "alice", 1), verifiertest.Root(detectorstest.Account, 2), dora,
		verifiertest.User(detectorstest.Account, "erin", 5),
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			sts := verifiertest.NewSTS(e.T().(testing.TB), keys...)
			e.Values[stsKey{}] = &asked{STS: sts}
			e.Values[testKey{}], e.Values[awsKey{}] = e.T().(testing.TB), &awsValue{}
			e.Setenv("STS", sts.URL)
			e.Setenv("CI", "")
			for _, v := range []string{
				"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com",
				"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com", "GIT_AUTHOR_DATE=@1600000000 +0000",
				"GIT_COMMITTER_DATE=@1600000000 +0000", "GIT_CONFIG_COUNT=4", "GIT_CONFIG_KEY_0=init.defaultBranch", "GIT_CONFIG_VALUE_0=main",
				"GIT_CONFIG_KEY_1=protocol.file.allow", "GIT_CONFIG_VALUE_1=always",
				"GIT_CONFIG_KEY_2=maintenance.auto", "GIT_CONFIG_VALUE_2=false",
				"GIT_CONFIG_KEY_3=core.fsync", "GIT_CONFIG_VALUE_3=none",
			} {
				name, value, _ := strings.Cut(v, "=")
				e.Setenv(name, value)
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"fill": fill, "commit": commit, "asked": checkAsked, "status": checkStatus, "incident": startIncident,
			"settings": writeSettings, "readme": runReadme, "next": runNext},
	})
}

type stsKey struct{}

// asked remembers how many requests a script has accounted for.
type asked struct {
	*verifiertest.STS
	seen int
}

func fill(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		path := ts.MkAbs(name)
		text := strings.ReplaceAll(detectorstest.Fill(ts.ReadFile(name)), "{NUL}", "\x00")
		ts.Check(os.WriteFile(path, []byte(text), 0o666))
	}
}

func commit(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec("git", "add", "-A"))
	ts.Check(ts.Exec("git", "commit", "-q", "--allow-empty", "-m", detectorstest.Fill(strings.Join(args, " "))))
}

func checkAsked(ts *testscript.TestScript, _ bool, args []string) {
	a := ts.Value(stsKey{}).(*asked)
	all := len(a.Requests())
	if got := all - a.seen; len(args) != 1 || args[0] != strconv.Itoa(got) {
		ts.Fatalf("%d requests came to the STS, want %v", got, args)
	}
	a.seen = all
}

// checkStatus runs "stanch ARGS", holds that it exits with the status given
// first, and leaves its output in the files stdout.txt and stderr.txt.
func checkStatus(ts *testscript.TestScript, _ bool, args []string) {
	got := 0
	err := ts.Exec("stanch", args[1:]...)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		got, err = exit.ExitCode(), nil
	}
	ts.Check(err)
	for _, name := range []string{"stdout", "stderr"} {
		ts.Check(os.WriteFile(filepath.Join(ts.Getenv("WORK"), name+".txt"), []byte(ts.ReadFile(name)), 0o666))
	}
	if args[0] != strconv.Itoa(got) {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}

// TestVersion: the root command prints the version, in one line.
func TestVersion(t *testing.T) {
	for _, args := range [][]string{{"--version"}, {"-v"}} {
		if got, want := printed(t, cli.ExitClean, "", args...), "stanch "+cli.BuildInfo(strings.TrimSpace(release))+"\n"; got != want {
			t.Errorf("%v prints %q, not %q", args, got, want)
		}
	}
	printed(t, cli.ExitUsage, "", "--version", "x")
}

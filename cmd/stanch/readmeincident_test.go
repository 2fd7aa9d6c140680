package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// writeSettings is
//
//	settings FILE
//
// which makes FILE the operator's own file.
func writeSettings(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs("home")
	for _, variable := range []string{"HOME", "XDG_CONFIG_HOME", "AppData"} { // of any system
		ts.Setenv(variable, dir)
	}
	if runtime.GOOS == "darwin" {
		dir = filepath.Join(dir, "Library", "Application Support")
	}
	dir = filepath.Join(dir, "stanch")
	ts.Check(os.MkdirAll(dir, 0o700))
	name := filepath.Join(dir, ".stanch.toml")
	ts.Check(os.WriteFile(name, []byte(ts.ReadFile(args[0])), 0o600))
	ts.Check(os.Chmod(name, 0o600))
	ts.Setenv("OWN", dir)
}

// runReadme is
//
//	readme STATUS COMMAND...
//
// which runs a command of the README, with the id of key 1 for AKIA…, as "status" does. It
// fails if the README does not have the command, or has it before the settings that it needs.
func runReadme(ts *testscript.TestScript, _ bool, args []string) {
	page, err := os.ReadFile("../../README.md")
	ts.Check(err)
	command := strings.Join(args[1:], " ")
	at := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(command) + `( +#.*)?$`).FindIndex(page)
	if at == nil {
		ts.Fatalf("the README has no command %q", command)
	}
	if !bytes.Contains(page[:at[0]], []byte("\naccounts = ")) {
		ts.Fatalf("the README has %q before the accounts that it needs", command)
	}
	words := strings.Fields(strings.ReplaceAll(command, "AKIA…", detectorstest.Fill("{AKIA1}")))
	runAtAWS(ts, args[0], words[1:])
}

// runNext is
//
//	next STATUS VERB
//
// which runs the command "stanch respond VERB" that the last one has printed, as "status" does.
func runNext(ts *testscript.TestScript, _ bool, args []string) {
	for line := range strings.Lines(ts.ReadFile("stdout.txt")) {
		if words := strings.Fields(line); len(words) > 3 && slices.Equal(words[:3], []string{"stanch", "respond", args[1]}) {
			runAtAWS(ts, args[0], words[1:])
			return
		}
	}
	ts.Fatalf("nothing has printed: stanch respond %s", args[1])
}

func runAtAWS(ts *testscript.TestScript, status string, args []string) {
	checkStatus(ts, false, slices.Concat([]string{status}, args, []string{"--aws-endpoint", ts.Getenv("AWS")}))
}

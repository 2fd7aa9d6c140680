package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
)

// TestCompletions: shells complete the values that a flag may have, and show its usage without
// the quotes in which the help finds the name of the value.
func TestCompletions(t *testing.T) {
	for _, tt := range []struct {
		typed []string
		want  string
	}{
		{[]string{"git", "--output"}, "--output\twrite the report to FILE"},
		{[]string{"github", "--archived", ""}, "exclude"},
		{[]string{"github", "--visibility", ""}, "internal"},
		{[]string{"github", "--include", ""}, "issues"},
		{[]string{"respond", "policy", "--partition", ""}, "aws-cn"},
	} {
		out := printed(t, cli.ExitClean, "", append([]string{"__complete"}, tt.typed...)...)
		if !strings.Contains(out, tt.want) || strings.Contains(out, "`") {
			t.Errorf("%q: want %q:\n%s", tt.typed, tt.want, out)
		}
	}
}

type fullWriter struct{}

func (fullWriter) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestScriptsThatCannotBeWritten: the exit code is that of other output that is lost.
func TestScriptsThatCannotBeWritten(t *testing.T) {
	for _, command := range []string{"man", "version", "rules", "completion bash", "completion zsh", "completion fish", "completion powershell"} {
		var errs bytes.Buffer
		if code := cli.ExitCode(&errs, run(t.Context(), strings.Fields(command), nil, fullWriter{}, &errs)); code != cli.ExitIncomplete {
			t.Errorf("stanch %s: exit code %d, want %d: %s", command, code, cli.ExitIncomplete, &errs)
		}
	}
}

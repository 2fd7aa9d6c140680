package hook

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/scanflags"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/hook"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/project"
	"github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
)

func newHookAssistant(s *cli.Streams) *cobra.Command {
	f := &scanflags.ConfigFlags{}
	f.Within = "."
	cmd := &cobra.Command{
		Use:   "assistant",
		Short: "Block tool calls and prompts of an AI assistant that bring a key",
		Long: `Read the tool call or the prompt that an AI assistant passes to its hooks, as JSON on
standard input, and block it if it brings a key. The exit status is 0 for a call without a
key, and 2 for any other: one with a key, and one that stanch could not read. Assistants
block at 2, and pass the text on standard error to the model; GitHub Copilot gets it as JSON
on standard output. It names the field and the line, and never holds the secret.

The text that an edit takes away is not scanned, nor are the lines that it keeps: to take a
key out of a file is allowed. So is a key id alone, which the commands that shut a key off
name. Rules, allowlists and the baseline are those of the project
that the command runs in. Nothing is verified, and nothing is sent.

How to configure each assistant: https://github.com/stanch-dev/stanch/blob/main/docs/editors.md`,
		Example: `  stanch hook assistant <call.json`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			call, err := hook.ReadCall(cli.Interruptible(cmd.Context(), s.Stdin))
			why := ""
			if err == nil {
				why, err = assist(cmd.Context(), call, s.Version, f)
			}
			if err != nil {
				why = "stanch: this call is blocked: " + err.Error() + "\n"
			}
			if why == "" || cmd.Context().Err() != nil {
				return err
			}
			return block(s, call, printable.Text(why))
		},
	}
	f.AddFiles(cmd)
	return cmd
}

// block tells the assistant why a call is blocked. GitHub Copilot takes the reason from JSON on
// standard output, all others from standard error. They get no JSON: Gemini CLI goes by it and
// not by the exit code, and lets the call pass if it is the JSON of another.
func block(s *cli.Streams, call *hook.Call, why string) error {
	if call != nil && call.FromCopilot {
		answer, err := json.Marshal(map[string]string{"permissionDecision": "deny", "permissionDecisionReason": why})
		if err != nil {
			return err
		}
		fmt.Fprintf(s.Stdout, "%s\n", answer) // if that fails, the exit code says the same
	}
	fmt.Fprint(s.Stderr, why)
	return cli.ErrBlocked
}

// assist scans a call and returns why it is blocked, or "".
func assist(ctx context.Context, call *hook.Call, version string, f *scanflags.ConfigFlags) (why string, err error) {
	// The notes on the configuration are left to other commands: these words reach a model.
	config, err := project.Read(f.Options)
	if err != nil {
		return "", err
	}
	found := &record{call: call}
	scan := run.Scan{
		Options: run.Options{Project: config, Verifier: awsverifier.Offline{}},
		Handler: found,
		Header:  finding.Scan{Version: version, Source: "hook", Target: "assistant", Started: time.Now()},
		FailOn:  run.FailOnAny,
	}
	result, err := scan.Scan(ctx, call)
	switch {
	case err != nil:
		return "", fmt.Errorf("scanning it: %w", err)
	case len(found.lines) > 0:
		return found.explain(), nil
	case len(result.Summary.Unread) > 0:
		return "", fmt.Errorf("stanch could not read all of it: %s: %s", result.Summary.Unread[0].What, result.Summary.Unread[0].Why)
	}
	return "", nil
}

// record keeps a line for each place of a key, but none for an id alone: it opens nothing, and
// the commands that shut a key off name it.
type record struct {
	call  *hook.Call
	lines []string
}

func (r *record) Scan(finding.Scan) error             { return nil }
func (r *record) Repository(finding.Repository) error { return nil }
func (r *record) Summary(finding.Summary) error       { return nil }

// Finding implements finding.Handler.
func (r *record) Finding(f finding.Finding) error {
	idAlone := f.SecretSHA256() == "" && !f.HasToken() && len(f.Candidates) == 0 && !f.Match.Rule.Value
	if f.Ignored != "" || idAlone {
		return nil
	}
	name := strings.TrimSpace(f.Match.Rule.Title + " " + f.Match.Credential.ID)
	for i := range f.Locations {
		if l := &f.Locations[i]; l.Ignored == "" {
			r.lines = append(r.lines, name+" in "+r.call.Place(l))
		}
	}
	return nil
}

// explain tells the model and the user what to do instead. It does not tell the model how to
// get past: only a person knows whether a string is no key.
func (r *record) explain() string {
	return "stanch: this call is blocked, because it brings a key:\n  " + strings.Join(r.lines, "\n  ") + `
Take the key out, and do not write it anywhere else. Let the program read it when it runs:
from a profile (AWS_PROFILE), from the environment, or from a secrets manager. Tell the user
that the key is in this conversation. A key that anybody else may have read has to be rotated.
If the user says that it is no key, the user can allow it: docs/editors.md of stanch says how.
`
}

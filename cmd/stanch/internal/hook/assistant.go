package hook

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
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
block at 2, and pass the text on standard error to the model. It names the field and the
line, and never holds the secret.

The text that an edit takes away is not scanned, nor are the lines that it keeps: to take a
key out of a file is allowed. Rules, allowlists and the baseline are those of the project
that the command runs in. Nothing is verified, and nothing is sent.

docs/editors.md shows the configuration of each assistant.`,
		Example: `  stanch hook assistant <call.json`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := assist(cmd.Context(), s, f)
			if err == nil || cmd.Context().Err() != nil || errors.Is(err, cli.ErrBlocked) {
				return err
			}
			fmt.Fprintln(s.Stderr, "stanch: this call is blocked:", printable.Text(err.Error()))
			return cli.ErrBlocked
		},
	}
	f.AddFiles(cmd)
	return cmd
}

// assist scans the call on standard input.
func assist(ctx context.Context, s *cli.Streams, f *scanflags.ConfigFlags) error {
	call, err := hook.ReadCall(cli.Interruptible(ctx, s.Stdin))
	if err != nil {
		return err
	}
	// The notes on the configuration are left to other commands: these words reach a model.
	config, err := project.Read(f.Options)
	if err != nil {
		return err
	}
	found := &record{call: call}
	scan := run.Scan{
		Options: run.Options{Project: config, Verifier: awsverifier.Offline{}},
		Handler: found,
		Header:  finding.Scan{Version: s.Version, Source: "hook", Target: "assistant", Started: time.Now()},
		FailOn:  run.FailOnAny,
	}
	result, err := scan.Scan(ctx, call)
	switch {
	case err != nil:
		return fmt.Errorf("scanning it: %w", err)
	case result.Leaks > 0:
		found.explain(s.Stderr)
		return cli.ErrBlocked
	case len(result.Summary.Unread) > 0:
		return fmt.Errorf("stanch could not read all of it: %s: %s", result.Summary.Unread[0].What, result.Summary.Unread[0].Why)
	}
	return nil
}

// record keeps a line for each finding.
type record struct {
	call  *hook.Call
	lines []string
}

func (r *record) Scan(finding.Scan) error             { return nil }
func (r *record) Repository(finding.Repository) error { return nil }
func (r *record) Summary(finding.Summary) error       { return nil }

// Finding implements finding.Handler.
func (r *record) Finding(f finding.Finding) error {
	if f.Ignored != "" {
		return nil
	}
	for i := range f.Locations {
		if l := &f.Locations[i]; l.Ignored == "" {
			r.lines = append(r.lines, fmt.Sprintf("%s %s in %s", f.Match.Rule.Title, cmp.Or(f.Match.Credential.ID, "without its id"), r.call.Place(l)))
		}
	}
	return nil
}

// explain tells the model and the user what to do instead. It does not tell the model how to
// get past: only a person knows whether a string is no key.
func (r *record) explain(w io.Writer) {
	fmt.Fprintf(w, `stanch: this call is blocked, because it brings a key:
  %s
Take the key out, and do not write it anywhere else. Let the program read it when it runs:
from a profile (AWS_PROFILE), from the environment, or from a store of secrets. Tell the user
that the key is in this conversation. A key that anybody else may have read has to be rotated.
If the user says that it is no key, the user can allow it: docs/editors.md of stanch says how.
`, printable.Text(strings.Join(r.lines, "\n  ")))
}

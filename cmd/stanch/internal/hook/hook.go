// Package hook is "stanch hook": it runs in git's hooks, and installs them.
package hook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/hook"
)

// New returns the command with its subcommands.
func New(s *cli.Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "hook",
		Short: "Keep keys from being committed and pushed: hooks for git",
		Long: `Keep keys from being committed and pushed. git runs the hooks; they scan new text, send
nothing to AWS, and refuse the commit or the push if they find a key.`,
		Example: `  stanch hook install    # in this repository
  stanch hook status     # which hooks run
  stanch hook run        # scan what is staged, now
  stanch hook uninstall  # remove them`,
		Args: cli.NoCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newHookRun(s), newHookInstall(s), newHookUninstall(s), newHookStatus(s), newHookAssistant(s))
	return cmd
}

// installFlags are the flags of install, uninstall and status.
type installFlags struct {
	global bool
	stages []string
}

func (f *installFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.global, "global", false, "for all repositories of this user; needs git 2.54")
	flags.StringSliceVar(&f.stages, "stage", hook.DefaultStages, "which `HOOKS`: "+strings.Join(hook.Installable, ", "))
	_ = cmd.RegisterFlagCompletionFunc("stage", cobra.FixedCompletions(hook.Installable, cobra.ShellCompDirectiveNoFileComp))
}

func (f *installFlags) check() error {
	for _, stage := range f.stages {
		if !slices.Contains(hook.Installable, stage) {
			return fmt.Errorf("--stage %s: must be one of %s", stage, strings.Join(hook.Installable, ", "))
		}
	}
	if f.global && slices.Contains(f.stages, hook.PreReceive) {
		return errors.New("--stage pre-receive: is for one repository, on a server")
	}
	return nil
}

func newHookInstall(s *cli.Streams) *cobra.Command {
	f := &installFlags{}
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Install hooks in this repository, or with --global in all",
		Long: `Install hooks that run "stanch hook run". git 2.54 and later takes them from its
configuration, where they run beside all others. Files in the folder of hooks,
core.hooksPath included, are for older gits. A hook that is there already is kept
in the folder hooks.before-stanch, and still runs. --global needs git 2.54: in an
older one, hooks for all repositories replace those of each.`,
		Example: `  stanch hook install                      # this repository
  stanch hook install --global             # all repositories of this user
  stanch hook install --stage pre-receive  # a repository on a server`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(cmd.Context(), s, (*hook.Installer).Install)
		},
	}
	f.add(cmd)
	return cmd
}

func newHookStatus(s *cli.Streams) *cobra.Command {
	f := &installFlags{}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say which hooks run, and why others do not run",
		Long:  "Say which hooks run, and why others do not run. The exit status is 3 if one of the stages is not guarded.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(cmd.Context(), s, (*hook.Installer).Status)
		},
	}
	f.add(cmd)
	return cmd
}

func newHookUninstall(s *cli.Streams) *cobra.Command {
	f := &installFlags{}
	cmd := &cobra.Command{
		Use:   "uninstall",
		Short: `Remove the hooks that "stanch hook install" made, and nothing else`,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(cmd.Context(), s, (*hook.Installer).Uninstall)
		},
	}
	f.add(cmd)
	return cmd
}

// with calls do with the installer that f asks for.
func (f *installFlags) with(ctx context.Context, s *cli.Streams, do func(*hook.Installer) error) error {
	if err := f.check(); err != nil {
		return err
	}
	if len(f.stages) == 0 {
		return errors.New("--stage: names no stage")
	}
	i, err := hook.NewInstaller(ctx, f.stages, f.global, s.Stdout)
	if err == nil {
		err = do(i)
	}
	var refused *hook.RefusedError
	if err == nil || errors.As(err, &refused) {
		return err
	}
	return cli.Failed(err)
}

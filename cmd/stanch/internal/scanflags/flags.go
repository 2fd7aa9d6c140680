// Package scanflags holds the flags that all commands that scan have in common, and the job
// that they prepare: flags are checked before anything is read, cloned or sent.
package scanflags

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/respond"
	"github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/verifier/inventory"
)

// Flags are the flags of every command that scans.
type Flags struct {
	Output      cli.OutputFlags
	ShowSecrets bool
	FailOn      string
	Confidence  string
	Inventory   []string
	Config      ConfigFlags
	MaxSize     int64 // MiB
	Debug       bool
	// WithoutLFS is run.Options.WithoutLFS, which a command sets and no user.
	WithoutLFS bool
	// InCI lets errors name inputs of the action as well.
	InCI       bool
	quiet      bool
	failLevels []string // values of FailOn that the command has

	verify   bool
	NoVerify bool // even with --verify
	STS      cli.STSFlags
	Owner    respond.OwnerFlags
}

// Add adds the flags to a command. verifies is whether it asks AWS by default: a scan of a
// history does, a scan of a file does not.
func (f *Flags) Add(cmd *cobra.Command, verifies bool) {
	f.Output.Add(cmd)
	f.Output.RefreshWith = "--no-cache"
	flags := cmd.Flags()
	flags.BoolVar(&f.ShowSecrets, "show-secrets", false, "print secrets: only to a terminal, or to a file that only you can read")
	f.AddFailOn(cmd)
	f.AddScan(cmd, verifies)
}

// AddScan adds those of the flags that say how to scan, and none about the report. A command
// that has no others sets FailOn.
func (f *Flags) AddScan(cmd *cobra.Command, verifies bool) {
	flags := cmd.Flags()
	flags.StringVar(&f.Confidence, "min-confidence", "low", "ignore findings below this `LEVEL` of confidence: high, medium, low (ignores none)")
	_ = cmd.RegisterFlagCompletionFunc("min-confidence", cobra.FixedCompletions(run.Confidences, cobra.ShellCompDirectiveNoFileComp))
	flags.StringSliceVar(&f.Inventory, "inventory", nil, "recognise your own keys by `FILE`, which \"stanch inventory\" wrote")
	flags.Int64Var(&f.MaxSize, "max-size", 256, "use at most `N` MiB of memory for an archive or a git object; if it needs more, it is NOT READ (0: no limit)")
	flags.BoolVar(&f.Debug, "debug", false, "log each step to standard error")
	cli.AddQuiet(cmd, &f.quiet)
	f.Config.add(cmd)
	asks := "ask AWS whether the keys are live: one call with each, sts:GetCallerIdentity"
	if !verifies {
		asks = "ask AWS whether the keys are live (sts:GetCallerIdentity); without it, nothing is sent"
	}
	flags.BoolVar(&f.verify, "verify", verifies, asks)
	flags.BoolVar(&f.NoVerify, "no-verify", false, "send nothing to AWS, even with --verify")
	f.STS.Add(cmd)
	f.STS.Cache.Add(cmd)
	f.Owner.Add(cmd)
}

// AddFailOn adds --fail-on alone, for a command that remembers no earlier scan.
func (f *Flags) AddFailOn(cmd *cobra.Command) {
	f.addFailOn(cmd, run.FailLevels, "any, unknown (live, or not known to be dead), live, never")
}

// AddSweepFailOn adds --fail-on alone, for a command that reports sweeps.
func (f *Flags) AddSweepFailOn(cmd *cobra.Command) {
	f.addFailOn(cmd, run.SweepFailLevels, "any, unknown (live, or not known to be dead), live, new (since the last sweep began), never")
}

func (f *Flags) addFailOn(cmd *cobra.Command, levels []string, means string) {
	f.failLevels = levels
	cmd.Flags().StringVar(&f.FailOn, "fail-on", "any", "exit with 1 for these `LEAKS`: "+means)
	_ = cmd.RegisterFlagCompletionFunc("fail-on", cobra.FixedCompletions(levels, cobra.ShellCompDirectiveNoFileComp))
}

// CheckFailOn refuses values of --fail-on that the command does not have.
func (f *Flags) CheckFailOn() error {
	switch {
	case f.failLevels == nil || slices.Contains(f.failLevels, f.FailOn): // nil: the command has no such flag
		return nil
	case run.FailOn(f.FailOn) == run.FailOnNew:
		return errors.New(`--fail-on new: this command remembers no earlier scan, so it cannot tell what is new: "stanch sweep run" can, and --baseline FILE leaves out findings that are known`)
	}
	return fmt.Errorf("--fail-on %s: must be one of %s", f.FailOn, strings.Join(f.failLevels, ", "))
}

// Verifies reports whether STS is asked.
func (f *Flags) Verifies() bool { return f.verify && !f.NoVerify }

// Prepare returns the job that f asks for. An error names the flag that is wrong.
func (f *Flags) Prepare(s *cli.Streams) (*Job, error) {
	if f.quiet {
		s.Hush()
	}
	if err := f.CheckFailOn(); err != nil {
		return nil, err
	}
	if err := f.checkLive(); err != nil {
		return nil, err
	}
	if !slices.Contains(run.Confidences, f.Confidence) {
		return nil, fmt.Errorf("--min-confidence %s: must be one of %s", f.Confidence, strings.Join(run.Confidences, ", "))
	}
	if err := CheckMaxSize(f.MaxSize); err != nil {
		return nil, err
	}
	if err := f.Owner.Check(f.Verifies()); err != nil {
		return nil, err
	}
	if f.ShowSecrets {
		if err := f.Output.CheckPrivate(s.Stdout); err != nil {
			return nil, err
		}
	}
	own, err := inventory.ReadFiles(f.Inventory)
	if err != nil {
		return nil, err
	}
	cfg, err := f.Config.Read(s.Loud().Stderr)
	if err != nil {
		return nil, err
	}
	v, err := f.STS.Client(s.Version, !f.Verifies())
	if err != nil {
		return nil, err
	}
	out, err := f.Output.Open(s)
	if err != nil {
		return nil, err
	}
	h, err := f.Output.Handler(out, cfg.Rules()...)
	if err != nil {
		out.Discard()
		return nil, err
	}
	return &Job{Flags: f, Streams: s, log: f.logger(s.Loud().Stderr), STS: v, Config: cfg, inventory: own, Out: out, Handler: h, Meter: &cli.Meter{Line: s.Line}}, nil
}

// checkLive refuses --fail-on live where nobody is asked: no key could be found live, and each
// scan would pass.
func (f *Flags) checkLive() error {
	if run.FailOn(f.FailOn) != run.FailOnLive || f.Verifies() {
		return nil
	}
	instead := "add --verify"
	switch {
	case f.verify:
		instead = "leave out --no-verify"
	case f.NoVerify:
		instead = "type --verify in place of --no-verify"
	case f.InCI:
		instead += " (in the action: verify: true)"
	}
	return errors.New("--fail-on live: AWS is asked about no key, so none would count: " + instead + ", or type --fail-on unknown")
}

// CheckMaxSize checks the value of --max-size.
func CheckMaxSize(mib int64) error {
	if mib < 0 || mib > 1<<40 {
		return fmt.Errorf("--max-size %d: not a size in MiB", mib)
	}
	return nil
}

// logger returns the log of --debug.
func (f *Flags) logger(w io.Writer) *slog.Logger {
	if !f.Debug {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

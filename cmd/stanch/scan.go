package main

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/respond"
	scanrun "github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
)

// scanFlags are what all commands that scan have in common.
type scanFlags struct {
	output      cli.OutputFlags
	showSecrets bool
	failOn      string
	confidence  string
	inventory   []string
	config      configFlags
	maxSize     int64 // MiB
	debug       bool

	verify         bool // of commands that do not verify unless told to
	noVerify       bool // of those that do
	accounts       []string
	canaryAccounts string
	partitions     []string
	stsEndpoint    string
	cache          cli.CacheFlags
	owner          respond.OwnerFlags
}

// add defines the flags on cmd. verifies is whether cmd verifies unless told
// otherwise: a scan of a history does, a look at a file does not.
func (f *scanFlags) add(cmd *cobra.Command, verifies bool) {
	f.output.Add(cmd)
	f.output.Again = "--no-cache"
	flags := cmd.Flags()
	flags.BoolVar(&f.showSecrets, "show-secrets", false, "print secrets; only to a terminal or a file that nobody else can read")
	f.addFailOn(cmd)
	flags.StringVar(&f.confidence, "min-confidence", "low", "ignore findings of less confidence: high, medium, low (nothing)")
	_ = cmd.RegisterFlagCompletionFunc("min-confidence", cobra.FixedCompletions(scanrun.Confidences, cobra.ShellCompDirectiveNoFileComp))
	flags.StringSliceVar(&f.inventory, "inventory", nil, "file of your own key ids, made by \"stanch inventory\": findings of these keys are certain")
	flags.Int64Var(&f.maxSize, "max-size", 256, "hold at most this many MiB of an archive or a git object in memory, and report as unread what is larger and cannot be read piece by piece; 0 is no limit")
	flags.BoolVar(&f.debug, "debug", false, "log what is done to stderr")
	f.config.add(cmd)
	if verifies {
		flags.BoolVar(&f.noVerify, "no-verify", false, "send nothing to AWS")
	} else {
		f.noVerify = true
		flags.BoolVar(&f.verify, "verify", false, "ask AWS STS whether the keys are live")
	}
	flags.StringSliceVar(&f.accounts, "accounts", nil, "verify keys of these AWS accounts only")
	flags.StringSliceVar(&f.partitions, "partitions", nil, "ask these partitions too about keys that AWS does not know: aws-cn, aws-us-gov, aws-eusc")
	flags.StringVar(&f.canaryAccounts, "canary-accounts", "", "file of further AWS accounts whose keys are never verified, one a line")
	flags.StringVar(&f.stsEndpoint, "sts-endpoint", "", "verify at this loopback URL instead of AWS, for tests")
	_ = flags.MarkHidden("sts-endpoint")
	f.cache.Add(cmd)
	f.owner.Add(cmd)
}

func (f *scanFlags) addFailOn(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.failOn, "fail-on", "any", "exit with 1 for these leaks: any, unknown (live or not known to be dead), live, never")
	_ = cmd.RegisterFlagCompletionFunc("fail-on", cobra.FixedCompletions(scanrun.FailLevels, cobra.ShellCompDirectiveNoFileComp))
}

// verifies reports whether STS is asked.
func (f *scanFlags) verifies() bool { return !f.noVerify || f.verify }

// prepare returns the job that f asks for, or what is wrong with it.
func (f *scanFlags) prepare(s *cli.Streams) (*job, error) {
	if !slices.Contains(scanrun.FailLevels, f.failOn) {
		return nil, fmt.Errorf("--fail-on %s: must be one of %s", f.failOn, strings.Join(scanrun.FailLevels, ", "))
	}
	if !slices.Contains(scanrun.Confidences, f.confidence) {
		return nil, fmt.Errorf("--min-confidence %s: must be one of %s", f.confidence, strings.Join(scanrun.Confidences, ", "))
	}
	if f.maxSize < 0 || f.maxSize > 1<<40 {
		return nil, fmt.Errorf("--max-size %d: not a size in MiB", f.maxSize)
	}
	if err := f.owner.Check(f.verifies()); err != nil {
		return nil, err
	}
	if f.showSecrets {
		if err := f.output.CheckPrivate(s.Stdout); err != nil {
			return nil, err
		}
	}
	own, err := respond.ReadInventories(f.inventory)
	if err != nil {
		return nil, err
	}
	cfg, err := f.config.read(s.Stderr)
	if err != nil {
		return nil, err
	}
	v, err := f.verifier(s.Version)
	if err != nil {
		return nil, err
	}
	out, err := f.output.Open(s.Stdout)
	if err != nil {
		return nil, err
	}
	h, err := f.output.Handler(out, cfg.Rules()...)
	if err != nil {
		out.Discard()
		return nil, err
	}
	return &job{flags: f, streams: s, log: f.logger(s.Stderr), verifier: v, config: cfg, inventory: own, out: out, handler: h}, nil
}

// verifier returns the client of STS that f asks for.
func (f *scanFlags) verifier(version string) (*awsverifier.Client, error) {
	canaries, err := cli.ReadList("--canary-accounts", f.canaryAccounts)
	if err != nil {
		return nil, err
	}
	return awsverifier.New(awsverifier.Config{
		Version:        version,
		Offline:        !f.verifies(),
		Cache:          f.cache.Folder(f.stsEndpoint),
		Refresh:        f.cache.Refresh,
		Accounts:       f.accounts,
		CanaryAccounts: canaries,
		Partitions:     f.partitions,
		Endpoint:       f.stsEndpoint,
	})
}

// logger returns the log of --debug.
func (f *scanFlags) logger(w io.Writer) *slog.Logger {
	if !f.debug {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

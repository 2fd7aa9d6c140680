package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/respond"
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/catalog"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/project"
	"github.com/stanch-dev/stanch/scanner/report"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/assessment"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
	"github.com/stanch-dev/stanch/verifier/inventory"
	"github.com/stanch-dev/stanch/verifier/operator"
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
	_ = cmd.RegisterFlagCompletionFunc("min-confidence", cobra.FixedCompletions(confidences, cobra.ShellCompDirectiveNoFileComp))
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
	_ = cmd.RegisterFlagCompletionFunc("fail-on", cobra.FixedCompletions(failLevels, cobra.ShellCompDirectiveNoFileComp))
}

// verifies reports whether STS is asked.
func (f *scanFlags) verifies() bool { return !f.noVerify || f.verify }

var failLevels = []string{"any", "unknown", "live", "never"}

// A job is a scan whose flags have been found right, before anything is read,
// cloned or sent.
type job struct {
	flags    *scanFlags
	streams  *cli.Streams
	log      *slog.Logger
	verifier *awsverifier.Client
	config   *project.Config
	// inventory holds the keys of the operator, nil if none was named.
	inventory *inventory.Inventory
	out       *cli.Output
	handler   report.Handler
	// wraps are what sees findings before the report, the last one first.
	wraps []func(scanner.Sink) scanner.Sink
	// op is the operator's identity, nil unless --assess or --deactivate is given.
	op        *operator.Operator
	assessing assessment.Assessor
	// leak is what is known of the exposure of all findings.
	leak assessment.Leak
}

// prepare returns the job that f asks for, or what is wrong with it.
func (f *scanFlags) prepare(s *cli.Streams) (*job, error) {
	if !slices.Contains(failLevels, f.failOn) {
		return nil, fmt.Errorf("--fail-on %s: must be one of %s", f.failOn, strings.Join(failLevels, ", "))
	}
	if !slices.Contains(confidences, f.confidence) {
		return nil, fmt.Errorf("--min-confidence %s: must be one of %s", f.confidence, strings.Join(confidences, ", "))
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

// scan runs the pipeline over src. source and target say in the report what
// that is. It is called once.
func (j *job) scan(ctx context.Context, src scanner.Source, source, target string) error {
	return j.run(ctx, source, target, func(sc *scanner.Scanner, sink scanner.Sink) error {
		if cli.MayMove(j.streams.Stderr) {
			src = cli.Metered(src, j.streams.Stderr)
		}
		return sc.Scan(ctx, src, sink)
	})
}

// run is scan with the work left to scan, which closes the sink.
func (j *job) run(ctx context.Context, source, target string, scan func(*scanner.Scanner, scanner.Sink) error) error {
	defer j.out.Discard()
	if err := j.openOwner(ctx); err != nil {
		return err
	}
	header := report.Scan{Version: j.streams.Version, Source: source, Target: target, Started: time.Now()}
	set, sc := j.scanner(header.Started)
	tally := &tally{failOn: j.flags.failOn, Sink: report.NewSink(j.handler, header, set, j.flags.showSecrets)}
	for _, wrap := range j.wraps {
		tally.Sink = wrap(tally.Sink)
	}
	tally.Sink = j.assessed(ctx, tally.Sink)
	j.log.Debug("scanning", "source", source, "target", target)
	scanErr := scan(sc, tally)
	if j.flags.owner.Assess && scanErr == nil {
		scanErr = ctx.Err() // what was found is reported; not all of it was assessed
	}
	printNotes(j.streams.Stderr, j.config)
	j.saySent()
	j.log.Debug("scanned", "objects", tally.sum.Objects, "bytes", tally.sum.Bytes, "elapsed", tally.sum.Elapsed)
	if err := j.out.Commit(); err != nil {
		return cli.Incomplete(err)
	}
	return tally.verdict(scanErr)
}

// scanner returns what a scan is made of, and the detectors of credentials among it.
func (j *job) scanner(now time.Time) (*detectors.Set, *scanner.Scanner) {
	set := catalog.NewSet()
	sc := &scanner.Scanner{
		Detectors: j.config.Extend(set),
		Filters:   []scanner.Filter{placeholders, expiredURLs(now)},
		Doubtful:  j.flags.doubtful,
		Verifier:  logged{respond.Verifier(j.verifier, j.op, j.flags.accounts), j.log},
		Workers:   4,
	}
	sc.Annotators = append(sc.Annotators, byPath)
	if j.inventory != nil {
		sc.Annotators = append(sc.Annotators, respond.OwnedBy(j.inventory))
	}
	j.config.Suppress(sc)
	sc.Allow = append(slices.Clip(sc.Allow), expiredSigners(now))
	return set, sc
}

// openOwner signs in as the operator, if the scan needs that.
func (j *job) openOwner(ctx context.Context) (err error) {
	j.op, err = j.flags.owner.Open(ctx, j.streams.Version)
	j.assessing.Operator = j.op
	return err
}

// assessed returns sink, with facts added to what passes through it, if that was asked for.
func (j *job) assessed(ctx context.Context, sink scanner.Sink) scanner.Sink {
	if !j.flags.owner.Assess {
		return sink
	}
	return respond.AssessingSink{Sink: sink, Context: ctx, Assessor: &j.assessing, Leak: &j.leak}
}

// saySent says how often AWS was asked.
func (j *job) saySent() {
	for _, sent := range j.verifier.Sent() {
		fmt.Fprintf(j.streams.Stderr, "stanch: requests sent to %s: %d (GetCallerIdentity)\n", sent.Host, sent.Requests)
	}
}

var errUnread = errors.New("the report names what could not be read")

// verdict is how a scan ended, as an error for exitCode.
func (t *tally) verdict(scanErr error) error {
	switch {
	case errors.Is(scanErr, context.Canceled):
		return scanErr
	case scanErr != nil:
		return cli.Incomplete(scanErr)
	case len(t.sum.Unread) > 0:
		return cli.Incomplete(errUnread)
	case t.leaks > 0:
		return cli.ErrLeaks
	}
	return nil
}

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

func (f *scanFlags) logger(w io.Writer) *slog.Logger {
	if !f.debug {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// logged logs what a verifier says.
type logged struct {
	verifier.Verifier
	log *slog.Logger
}

func (l logged) Verify(ctx context.Context, c detectors.Credential) verifier.Verdict {
	v := l.Verifier.Verify(ctx, c)
	l.log.Debug("verified", "credential", c, "state", v.State, "reason", v.Reason, "err", v.Err)
	return v
}

// tally counts what --fail-on is about on its way to the report.
type tally struct {
	scanner.Sink
	failOn string
	leaks  int
	sum    scanner.Summary
}

func (t *tally) Finding(f *scanner.Finding) error {
	if f.Ignored == "" && t.counts(f.Verdict.State) {
		t.leaks++
	}
	return t.Sink.Finding(f)
}

// counts reports whether a finding in state is at or above --fail-on.
func (t *tally) counts(state verifier.State) bool {
	switch t.failOn {
	case "any":
		return true
	case "unknown":
		return state == verifier.Live || state == verifier.IDActive || state == verifier.Unknown || state == verifier.Skipped || state == verifier.NotVerifiable
	case "live":
		return state == verifier.Live
	}
	return false
}

func (t *tally) Close(sum scanner.Summary) error {
	t.sum = sum
	return t.Sink.Close(sum)
}

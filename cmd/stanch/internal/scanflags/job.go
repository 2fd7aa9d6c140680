package scanflags

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/respond"
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/project"
	"github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/assessment"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
	"github.com/stanch-dev/stanch/verifier/inventory"
	"github.com/stanch-dev/stanch/verifier/operator"
)

// A Job is a scan whose flags have been checked and whose output is open.
type Job struct {
	Flags   *Flags
	Streams *cli.Streams
	STS     *awsverifier.Client
	Config  *project.Config
	Out     *cli.Output
	Handler finding.Handler
	Meter   *cli.Meter
	// Wraps put sinks in front of the report: the last one sees a finding first.
	Wraps []func(scanner.Sink) scanner.Sink
	// Whole says that the source is a whole repository. If a scan has read all of it, entries
	// of baselines that hid nothing are named.
	Whole bool
	// NoNext leaves out the command that shuts live keys off: somebody else does that, or
	// anybody can read the log.
	NoNext bool
	// Operator is nil unless --assess or --deactivate is given.
	Operator *operator.Operator
	// Exposure has the facts that are the same for all findings, such as the visibility of
	// the repository.
	Exposure assessment.Exposure

	log       *slog.Logger
	inventory *inventory.Inventory // of --inventory, or nil
	assessor  assessment.Assessor
}

// Scan scans src and writes the report. source and target describe src in the report. It is
// called once.
func (j *Job) Scan(ctx context.Context, src scanner.Source, source, target string) (run.Result, error) {
	return j.Run(ctx, source, target, func(sc *scanner.Scanner, sink scanner.Sink) error {
		return sc.Scan(ctx, j.Meter.Source(src), sink)
	})
}

// Run is Scan for several sources: do scans them and closes the sink.
func (j *Job) Run(ctx context.Context, source, target string, do func(*scanner.Scanner, scanner.Sink) error) (run.Result, error) {
	defer j.Out.Discard()
	if err := j.OpenOwner(ctx); err != nil {
		return run.Result{}, err
	}
	unasked, live := &unaskedKeys{}, &liveAccounts{}
	scan := run.Scan{
		Options: j.Options(), Handler: j.Handler, ShowSecrets: j.Flags.ShowSecrets, FailOn: run.FailOn(j.Flags.FailOn),
		Header: finding.Scan{Version: j.Streams.Version, Source: source, Target: target, Started: time.Now()},
		Wraps: append(slices.Clip(j.Wraps), func(sink scanner.Sink) scanner.Sink { return j.Assessed(ctx, sink) },
			func(sink scanner.Sink) scanner.Sink { unasked.Sink = sink; return unasked },
			func(sink scanner.Sink) scanner.Sink { live.Sink = sink; return live }),
	}
	j.log.Debug("scanning", "source", source, "target", target)
	result, scanErr := scan.Run(func(sc *scanner.Scanner, sink scanner.Sink) error {
		if j.Meter.Line != nil {
			sc.Verified = j.Meter.Verified
		}
		if j.Flags.Owner.Assess {
			j.Meter.Last = "asking AWS how dangerous the live keys are"
		}
		return j.Meter.During(func() error { return do(sc, sink) })
	})
	if j.Flags.Owner.Assess && scanErr == nil {
		scanErr = ctx.Err() // the report holds all findings, but not all were assessed
	}
	PrintNotes(j.Streams.Loud().Stderr, j.Config)
	sum := result.Summary
	if j.Whole && scanErr == nil && len(sum.Unread) == 0 {
		if len(sum.Accepted) == 0 {
			printUnused(j.Streams.Stderr, j.Config, j.Flags.Config.Within)
		}
		printUnusedTables(j.Streams.Stderr, j.Config, len(sum.Accepted))
	}
	unasked.print(j.Streams.Loud().Stderr)
	j.SaySent()
	j.log.Debug("scanned", "objects", sum.Objects, "bytes", sum.Bytes, "elapsed", time.Duration(sum.ElapsedMS)*time.Millisecond)
	if err := j.Out.Commit(); err != nil {
		return result, cli.Incomplete(err)
	}
	if !j.NoNext && j.Flags.Output.KeepsJSON() {
		live.sayNext(j.Streams.Stderr, j.Flags.Output.File)
	}
	return result, scanErr
}

// OpenOwner signs in as the operator, if the scan needs that.
func (j *Job) OpenOwner(ctx context.Context) (err error) {
	j.Operator, err = j.Flags.Owner.Open(ctx, j.Streams)
	j.assessor.Operator = j.Operator
	return err
}

// Options returns the options of scans.
func (j *Job) Options() run.Options { return j.OptionsWith(j.STS) }

// OptionsWith returns the options of scans that verify with sts.
func (j *Job) OptionsWith(sts *awsverifier.Client) run.Options {
	o := run.Options{
		Project: j.Config, MinConfidence: detectors.Confidence(j.Flags.Confidence),
		Verifier: respond.Verifier(sts, j.Operator, j.Flags.STS.Accounts), Log: j.log,
		Annotators: []func(*finding.Finding){run.NoteFileName}, WithoutLFS: j.Flags.WithoutLFS,
	}
	if j.inventory != nil {
		o.Annotators = append(o.Annotators, j.inventory.Mark)
	}
	return o
}

// Assessed returns sink; with --assess, one that adds to live findings how dangerous they are.
func (j *Job) Assessed(ctx context.Context, sink scanner.Sink) scanner.Sink {
	if !j.Flags.Owner.Assess {
		return sink
	}
	return assessment.LiveSink{Sink: sink, Context: ctx, Assessor: &j.assessor, Exposure: &j.Exposure}
}

// unaskedKeys is a sink that counts ignored keys about which AWS gave no answer: one that is
// live would have been reported.
type unaskedKeys struct {
	scanner.Sink
	whys     map[string]string // of those that are ignored, by id
	order    []string          // the ids as they came
	reported map[string]bool
}

// Finding implements scanner.Sink.
func (u *unaskedKeys) Finding(f *finding.Finding) error {
	if u.whys == nil {
		u.whys, u.reported = map[string]string{}, map[string]bool{}
	}
	id := f.Match.Credential.ID
	switch {
	case f.Ignored == "":
		u.reported[id] = true
	case f.Verdict.State == verifier.Unknown:
		if _, known := u.whys[id]; !known {
			u.order = append(u.order, id)
		}
		u.whys[id] = f.Verdict.Reason
	}
	return u.Sink.Finding(f)
}

// print says how many keys are only ignored.
func (u *unaskedKeys) print(w io.Writer) {
	ids := slices.DeleteFunc(u.order, func(id string) bool { return u.reported[id] })
	if len(ids) == 0 {
		return
	}
	keys, why := "1 ignored key", printable.Text(u.whys[ids[0]])
	if n := len(ids); n > 1 {
		keys, why = fmt.Sprintf("%d ignored keys", n), "the first: "+why
	}
	fmt.Fprintf(w, "stanch: AWS gave no clear answer about %s, which may be live (%s)\n", keys, why)
}

// SaySent says how many requests AWS got.
func (j *Job) SaySent() {
	for _, sent := range j.STS.Sent() {
		fmt.Fprintf(j.Streams.Stderr, "stanch: requests sent to %s: %d (GetCallerIdentity)\n", sent.Host, sent.Requests)
	}
}

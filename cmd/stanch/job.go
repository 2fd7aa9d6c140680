package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/respond"
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/project"
	scanrun "github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/verifier/assessment"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
	"github.com/stanch-dev/stanch/verifier/inventory"
	"github.com/stanch-dev/stanch/verifier/operator"
)

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
	handler   finding.Handler
	// wraps are what sees findings before the report, the last one first.
	wraps []func(scanner.Sink) scanner.Sink
	// op is the operator's identity, nil unless --assess or --deactivate is given.
	op        *operator.Operator
	assessing assessment.Assessor
	// exposure is what is known of it for all findings.
	exposure assessment.Exposure
}

// scan scans src and writes the report. source and target say in the report what src is.
// It is called once.
func (j *job) scan(ctx context.Context, src scanner.Source, source, target string) (scanrun.Result, error) {
	return j.run(ctx, source, target, func(sc *scanner.Scanner, sink scanner.Sink) error {
		if cli.MayMove(j.streams.Stderr) {
			src = cli.Metered(src, j.streams.Stderr)
		}
		return sc.Scan(ctx, src, sink)
	})
}

// run is scan for several sources: do scans them and closes the sink.
func (j *job) run(ctx context.Context, source, target string, do func(*scanner.Scanner, scanner.Sink) error) (scanrun.Result, error) {
	defer j.out.Discard()
	if err := j.openOwner(ctx); err != nil {
		return scanrun.Result{}, err
	}
	scan := scanrun.Scan{
		Options: j.options(), Handler: j.handler, ShowSecrets: j.flags.showSecrets, FailOn: scanrun.FailOn(j.flags.failOn),
		Header: finding.Scan{Version: j.streams.Version, Source: source, Target: target, Started: time.Now()},
		Wraps:  append(slices.Clip(j.wraps), func(sink scanner.Sink) scanner.Sink { return j.assessed(ctx, sink) }),
	}
	j.log.Debug("scanning", "source", source, "target", target)
	result, scanErr := scan.Run(do)
	if j.flags.owner.Assess && scanErr == nil {
		scanErr = ctx.Err() // the report holds all findings, but not all were assessed
	}
	printNotes(j.streams.Stderr, j.config)
	j.saySent()
	sum := result.Summary
	j.log.Debug("scanned", "objects", sum.Objects, "bytes", sum.Bytes, "elapsed", time.Duration(sum.ElapsedMS)*time.Millisecond)
	if err := j.out.Commit(); err != nil {
		return result, cli.Incomplete(err)
	}
	return result, scanErr
}

// newScanner returns a scanner for sources whose findings go to another sink than the
// report, and its detectors of credentials.
func (j *job) newScanner(now time.Time) (*detectors.Set, *scanner.Scanner) {
	o := j.options()
	return o.NewScanner(now)
}

// openOwner signs in as the operator, if the scan needs that.
func (j *job) openOwner(ctx context.Context) (err error) {
	j.op, err = j.flags.owner.Open(ctx, j.streams.Version)
	j.assessing.Operator = j.op
	return err
}

// options returns the options of scans.
func (j *job) options() scanrun.Options {
	o := scanrun.Options{
		Project: j.config, MinConfidence: detectors.Confidence(j.flags.confidence), Verifier: respond.Verifier(j.verifier, j.op, j.flags.accounts), Log: j.log,
		Annotators: []func(*finding.Finding){scanrun.NoteFileName},
	}
	if j.inventory != nil {
		o.Annotators = append(o.Annotators, respond.OwnedBy(j.inventory))
	}
	return o
}

// assessed returns sink, with facts added to what passes through it, if that was asked for.
func (j *job) assessed(ctx context.Context, sink scanner.Sink) scanner.Sink {
	if !j.flags.owner.Assess {
		return sink
	}
	return respond.AssessingSink{Sink: sink, Context: ctx, Assessor: &j.assessing, Exposure: &j.exposure}
}

// saySent says how often AWS was asked.
func (j *job) saySent() {
	for _, sent := range j.verifier.Sent() {
		fmt.Fprintf(j.streams.Stderr, "stanch: requests sent to %s: %d (GetCallerIdentity)\n", sent.Host, sent.Requests)
	}
}

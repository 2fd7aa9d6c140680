//go:build sweep

package sweep

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/scanflags"
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner"
	scanrun "github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/alert"
	"github.com/stanch-dev/stanch/scanner/sweep/engine"
	"github.com/stanch-dev/stanch/scanner/sweep/joblog"
	"github.com/stanch-dev/stanch/scanner/sweep/metrics"
	"github.com/stanch-dev/stanch/scanner/sweep/riverqueue"
	"github.com/stanch-dev/stanch/scanner/sweep/serve"
	"github.com/stanch-dev/stanch/verifier"
)

// An observation is how a process that does jobs says what it does: a log and metrics. The
// zero value has neither metrics nor a format of the log other than text.
type observation struct {
	format  string           // of the log
	listen  string           // address of the metrics of a worker, "" for none
	metrics *metrics.Metrics // nil for none
}

// add adds the flags of a process that runs until it is told to end.
func (o *observation) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.format, "log-format", "text", "write the log in `FORMAT`: text, or json with a line for each event")
}

// logTo returns the log of the process.
func (o *observation) logTo(w io.Writer, level slog.Level) (*slog.Logger, error) {
	if o.format == "" {
		o.format = "text"
	}
	log, err := joblog.New(w, o.format, level)
	if err != nil {
		return nil, fmt.Errorf("--log-format: %w", err)
	}
	return log, nil
}

// ended notes the end of a job. It is riverqueue.Config.Ended.
func (o *observation) ended(kind, outcome string, took time.Duration) {
	if o.metrics == nil {
		return
	}
	o.metrics.Job(kind, outcome, took)
	if stage := map[string]string{sweep.KindList: metrics.StageList, sweep.KindNotify: metrics.StageNotify}[kind]; stage != "" && outcome == riverqueue.Done {
		o.metrics.Stage(stage, took)
	}
}

// watch has the metrics know the stages of an engine, and the state of its store.
func (o *observation) watch(e *engine.Engine, log *slog.Logger) {
	if o.metrics == nil {
		return
	}
	e.Fetched = func(took time.Duration) { o.metrics.Stage(metrics.StageFetch, took) }
	scan := e.Scan
	e.Scan = func(ctx context.Context, src scanner.Source, page string) (sweep.Result, error) {
		began := time.Now()
		defer func() { o.metrics.Stage(metrics.StageScan, time.Since(began)) }()
		return scan(ctx, src, page)
	}
	store := e.Store
	o.metrics.Watch(metrics.State{
		Store: store, Log: log,
		Jobs:      func(ctx context.Context) ([]sweep.JobStatus, error) { return riverqueue.Jobs(ctx, store) },
		Receivers: func(ctx context.Context) ([]sweep.ReceiverStatus, error) { return alert.Receivers(ctx, store) },
	})
}

// timed returns options whose verifier is timed.
func (o *observation) timed(options scanrun.Options) scanrun.Options {
	if o.metrics != nil && options.Verifier != nil {
		options.Verifier = timedVerifier{options.Verifier, o.metrics}
	}
	return options
}

// A timedVerifier tells the metrics how long answers take.
type timedVerifier struct {
	verifier.Verifier
	metrics *metrics.Metrics
}

// Verify implements verifier.Verifier.
func (v timedVerifier) Verify(ctx context.Context, c detectors.Credential) verifier.Verdict {
	began := time.Now()
	defer func() { v.metrics.Stage(metrics.StageVerify, time.Since(began)) }()
	return v.Verifier.Verify(ctx, c)
}

// beside returns what a worker does beside its jobs: then, and answering requests if it was
// given an address.
func (o *observation) beside(ctx context.Context, then besides) (besides, error) {
	if o.listen == "" {
		return then, nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return nil, fmt.Errorf("--metrics-listen: %w", err)
	}
	return func(ctx context.Context, j *scanflags.Job, store *sweep.Store, log *slog.Logger) error {
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error { return o.serve(ctx, l, store, log) })
		if then != nil {
			group.Go(func() error { return then(ctx, j, store, log) })
		}
		return group.Wait()
	}, nil
}

// besides is lifecycle.beside.
type besides = func(context.Context, *scanflags.Job, *sweep.Store, *slog.Logger) error

// serve answers probes and Prometheus at the address of --metrics-listen until ctx ends.
func (o *observation) serve(ctx context.Context, l net.Listener, store *sweep.Store, log *slog.Logger) error {
	mux := serve.Probes(store, log)
	mux.Handle("GET /metrics", o.metrics.Handler(log))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "a worker has /metrics, /healthz and /readyz", http.StatusNotFound)
	})
	return serve.Run(ctx, l, mux, log)
}

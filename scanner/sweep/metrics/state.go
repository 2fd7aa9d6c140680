//go:build sweep

package metrics

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// A State is where the state of sweeps is read from.
type State struct {
	Store *sweep.Store
	// Jobs counts the jobs that are not done; Receivers says how the receivers of alerts
	// fare. Each may be nil.
	Jobs      func(context.Context) ([]sweep.JobStatus, error)
	Receivers func(context.Context) ([]sweep.ReceiverStatus, error)
	Log       *slog.Logger
}

// Watch has the metrics tell the state of sweeps, too. Call it once.
func (m *Metrics) Watch(s State) { m.registry.MustRegister(&state{State: s, gauges: describe()}) }

// readFor is how long reading the state may take.
const readFor = 8 * time.Second

// state implements prometheus.Collector.
type state struct {
	State
	gauges map[string]*prometheus.Desc
}

// describe returns the descriptions of all values that are read from the database.
func describe() map[string]*prometheus.Desc {
	all := map[string]*prometheus.Desc{}
	for _, d := range []struct {
		name, help string
		labels     []string
	}{
		{"stanch_database_up", "Whether the database answered.", nil},
		{"stanch_findings", "Findings that are neither ignored nor acknowledged, by what is known of their state.", []string{"state"}},
		{"stanch_findings_skipped", "Those of the state skipped, by whether there is a secret that AWS could be asked with.", []string{"why"}},
		{"stanch_findings_acknowledged", "Findings that are acknowledged, in whichever state.", nil},
		{"stanch_repositories", "Repositories by state.", []string{"target", "state"}},
		{"stanch_repositories_due", "Repositories that the sweep under way has yet to look at.", []string{"target"}},
		{"stanch_repositories_outdated", "Repositories that were read with another build, rules or flags than the latest.", []string{"target"}},
		{"stanch_sweep_begun_timestamp_seconds", "When the last sweep began.", []string{"target"}},
		{"stanch_sweep_ended_timestamp_seconds", "When it ended, 0 while it runs.", []string{"target"}},
		{"stanch_target_wait_timestamp_seconds", "Until when listing a target waits for GitHub, 0 if it does not.", []string{"target"}},
		{"stanch_github_wait_timestamp_seconds", "Until when no request is made with a token, 0 if it is not limited.", []string{"budget"}},
		{"stanch_worker_seen_timestamp_seconds", "When a process last gave a sign of life.", []string{"worker"}},
		{"stanch_jobs", "Jobs that are not done, by kind and state of the queue.", []string{"kind", "state"}},
		{"stanch_job_wait_seconds", "How long the oldest job that could be done has waited to be begun.", []string{"kind"}},
		{"stanch_news_waiting", "News that a receiver is to be told at once, and has not been told.", []string{"receiver"}},
		{"stanch_news_oldest_timestamp_seconds", "When the oldest of that was found, 0 if there is none.", []string{"receiver"}},
		{"stanch_news_digest", "News that waits for the next digest.", []string{"receiver"}},
		{"stanch_news_lost", "News of the last 30 days that a receiver could not be told.", []string{"receiver"}},
	} {
		all[d.name] = prometheus.NewDesc(d.name, d.help, d.labels, nil)
	}
	for name, help := range map[string]string{
		"stanch_notifications_total":         "Notifications that a receiver has taken.",
		"stanch_notification_failures_total": "Notifications that a receiver has not taken, each try.",
	} {
		all[name] = prometheus.NewDesc(name, help, []string{"receiver"}, nil)
	}
	return all
}

// Describe implements prometheus.Collector.
func (s *state) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range s.gauges {
		ch <- d
	}
}

// Collect implements prometheus.Collector. It reads the database.
func (s *state) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), readFor)
	defer cancel()
	w := writer{s.gauges, ch}
	up := 1.0
	for _, read := range []func(context.Context, writer) error{s.readStatus, s.readBudgets, s.readJobs, s.readReceivers} {
		if err := read(ctx, w); err != nil {
			up = 0
			s.Log.Warn("the metrics are not complete", "err", err)
			break
		}
	}
	w.gauge("stanch_database_up", up)
}

// A writer sends values.
type writer struct {
	descriptions map[string]*prometheus.Desc
	ch           chan<- prometheus.Metric
}

func (w writer) gauge(name string, v float64, labels ...string) {
	w.ch <- prometheus.MustNewConstMetric(w.descriptions[name], prometheus.GaugeValue, v, labels...)
}

func (w writer) counter(name string, v int, labels ...string) {
	w.ch <- prometheus.MustNewConstMetric(w.descriptions[name], prometheus.CounterValue, float64(v), labels...)
}

// unix returns a time in seconds since 1970, 0 for none.
func unix(t time.Time) float64 { return float64(max(0, t.Unix())) }

func (s *state) readStatus(ctx context.Context, w writer) error {
	st, err := s.Store.Status(ctx)
	if err != nil {
		return err
	}
	for state, n := range st.Findings.ByState {
		w.gauge("stanch_findings", float64(n), state)
	}
	for why, n := range st.Findings.Skipped {
		w.gauge("stanch_findings_skipped", float64(n), why)
	}
	w.gauge("stanch_findings_acknowledged", float64(st.Findings.Acknowledged))
	for _, t := range st.Targets {
		for state, n := range t.States {
			w.gauge("stanch_repositories", float64(n), t.Name, state)
		}
		w.gauge("stanch_repositories_due", float64(t.Due), t.Name)
		w.gauge("stanch_repositories_outdated", float64(t.Outdated), t.Name)
		w.gauge("stanch_sweep_begun_timestamp_seconds", unix(t.Begun), t.Name)
		w.gauge("stanch_sweep_ended_timestamp_seconds", unix(t.Ended), t.Name)
		w.gauge("stanch_target_wait_timestamp_seconds", unix(t.Wait), t.Name)
	}
	for _, worker := range st.Workers {
		w.gauge("stanch_worker_seen_timestamp_seconds", unix(worker.Seen), worker.Name)
	}
	return nil
}

// readBudgets reads until when GitHub has asked to wait. A budget is named by a part of the
// hash of its token.
func (s *state) readBudgets(ctx context.Context, w writer) error {
	return database.EachRow(ctx, s.Store.Read, func(scan func(...any) error) error {
		var name string
		var until int64
		if err := scan(&name, &until); err != nil {
			return err
		}
		left := database.Time(until)
		if !left.After(s.Store.Now()) {
			left = time.Time{}
		}
		w.gauge("stanch_github_wait_timestamp_seconds", unix(left), name)
		return nil
	}, `SELECT name, until FROM budget`)
}

func (s *state) readJobs(ctx context.Context, w writer) error {
	if s.Jobs == nil {
		return nil
	}
	jobs, err := s.Jobs(ctx)
	waits := map[string]time.Duration{}
	for _, j := range jobs {
		w.gauge("stanch_jobs", float64(j.Count), j.Kind, j.State)
		waits[j.Kind] = max(waits[j.Kind], j.Wait)
	}
	for kind, wait := range waits {
		w.gauge("stanch_job_wait_seconds", wait.Seconds(), kind)
	}
	return err
}

func (s *state) readReceivers(ctx context.Context, w writer) error {
	if s.Receivers == nil {
		return nil
	}
	receivers, err := s.Receivers(ctx)
	for _, r := range receivers {
		w.gauge("stanch_news_waiting", float64(r.Waiting), r.Name)
		w.gauge("stanch_news_oldest_timestamp_seconds", unix(r.Oldest), r.Name)
		w.gauge("stanch_news_digest", float64(r.Digest), r.Name)
		w.gauge("stanch_news_lost", float64(r.Lost), r.Name)
		w.counter("stanch_notifications_total", r.Deliveries, r.Name)
		w.counter("stanch_notification_failures_total", r.Failures, r.Name)
	}
	return err
}

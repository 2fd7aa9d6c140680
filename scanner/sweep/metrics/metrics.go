//go:build sweep

package metrics

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// The stages of the work on a repository and on what is found in it.
const (
	StageList   = "list"   // listing a target, all API pages
	StageFetch  = "fetch"  // asking git for refs, and fetching what is new
	StageScan   = "scan"   // searching what was fetched, questions to AWS included
	StageVerify = "verify" // asking AWS about one key, with the wait for its turn
	StageNotify = "notify" // telling a receiver
)

// buckets are upper bounds of seconds: a webhook's push should pass in three, and a clone
// may take hours.
func buckets() []float64 {
	return []float64{.01, .03, .1, .3, 1, 3, 10, 30, 100, 300, 1000, 3600, 10000}
}

// A Metrics counts what this process does, and reads the state of sweeps from the database
// when it is asked. Make one with New. Its methods may be called concurrently.
type Metrics struct {
	registry   *prometheus.Registry
	stages     *prometheus.HistogramVec
	jobs       *prometheus.HistogramVec
	deliveries *prometheus.CounterVec
	left       *prometheus.GaugeVec
}

// New returns metrics of a process of a version of stanch.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(), // not the global one
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "stanch_stage_seconds", Help: "How long the stages of the work take.", Buckets: buckets()}, []string{"stage"}),
		jobs: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "stanch_job_seconds", Help: "How long jobs take, by how they end: done, later (put off), failed, stopped (the process ends).", Buckets: buckets()}, []string{"kind", "outcome"}),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stanch_webhook_deliveries_total", Help: "Deliveries of GitHub's webhooks, by outcome."}, []string{"outcome"}),
	}
	m.left = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "stanch_github_requests_left", Help: "How many more requests of its REST API GitHub answered with a token, as of its last answer to this process."}, []string{"token"})
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "stanch_build_info", Help: "Always 1, with the version.", ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	m.registry.MustRegister(m.stages, m.jobs, m.deliveries, m.left, build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Stage notes how long a stage took.
func (m *Metrics) Stage(stage string, took time.Duration) {
	m.stages.WithLabelValues(stage).Observe(took.Seconds())
}

// Job notes how long a job took, and how it ended.
func (m *Metrics) Job(kind, outcome string, took time.Duration) {
	m.jobs.WithLabelValues(kind, outcome).Observe(took.Seconds())
}

// Delivery counts a delivery of a webhook.
func (m *Metrics) Delivery(outcome string) { m.deliveries.WithLabelValues(outcome).Inc() }

// RequestsLeft notes how many more requests GitHub answers with a token, which is named by
// its flags.
func (m *Metrics) RequestsLeft(token string, left int) {
	m.left.WithLabelValues(token).Set(float64(left))
}

// Handler returns the handler of requests for the metrics. While the database does not
// answer, those of the process are there all the same, and stanch_database_up is 0.
func (m *Metrics) Handler(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn), MaxRequestsInFlight: 4})
}

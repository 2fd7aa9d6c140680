package serve

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// metrics writes the status in the text format of Prometheus
// (prometheus.io/docs/instrumenting/exposition_formats).
func (s *Server) metrics(w http.ResponseWriter, r *http.Request) {
	st, err := s.Store.Status(r.Context())
	if err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	g := gauges{w}
	g.describe("stanch_findings", "Findings that are neither ignored nor acknowledged, by what is known of their state.")
	for _, state := range slices.Sorted(maps.Keys(st.Findings.ByState)) {
		g.value("stanch_findings", float64(st.Findings.ByState[state]), "state", state)
	}
	g.describe("stanch_findings_skipped", "Those of the state skipped, by whether there is a secret that AWS could be asked with.")
	for _, why := range slices.Sorted(maps.Keys(st.Findings.Skipped)) {
		g.value("stanch_findings_skipped", float64(st.Findings.Skipped[why]), "why", why)
	}
	g.describe("stanch_repositories", "Repositories by state.")
	for _, t := range st.Targets {
		for _, state := range slices.Sorted(maps.Keys(t.States)) {
			g.value("stanch_repositories", float64(t.States[state]), "target", t.Name, "state", state)
		}
	}
	g.describe("stanch_repositories_due", "Repositories that the sweep under way has yet to look at.")
	for _, t := range st.Targets {
		g.value("stanch_repositories_due", float64(t.Due), "target", t.Name)
	}
	g.describe("stanch_sweep_begun_timestamp_seconds", "When the last sweep began.")
	for _, t := range st.Targets {
		g.value("stanch_sweep_begun_timestamp_seconds", float64(max(0, t.Begun.Unix())), "target", t.Name)
	}
	g.describe("stanch_sweep_ended_timestamp_seconds", "When it ended, 0 while it runs.")
	for _, t := range st.Targets {
		g.value("stanch_sweep_ended_timestamp_seconds", float64(max(0, t.Ended.Unix())), "target", t.Name)
	}
}

// gauges writes gauges in the text format of Prometheus.
type gauges struct{ w io.Writer }

func (g gauges) describe(name, help string) {
	fmt.Fprintf(g.w, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
}

// value writes one gauge; labels are names and values in turn.
func (g gauges) value(name string, v float64, labels ...string) {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	var parts []string
	for l := range slices.Chunk(labels, 2) {
		parts = append(parts, l[0]+`="`+escape.Replace(l[1])+`"`)
	}
	fmt.Fprintf(g.w, "%s{%s} %v\n", name, strings.Join(parts, ","), v)
}

package ci

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/scanflags"
	"github.com/stanch-dev/stanch/detectors/catalog"
	"github.com/stanch-dev/stanch/scanner/ci/publish"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/report"
	"github.com/stanch-dev/stanch/verifier/assessment"
)

// attach makes j write every report that CI wants, beside the one that goes to the log.
func (c *ciScan) attach(j *scanflags.Job) error {
	j.Exposure = c.exposure()
	j.Wraps = append(j.Wraps, c.deactivate.Watch)
	handlers := []finding.Handler{j.Handler, &lastSummary{to: &c.publisher.Summary}}
	add := func(format string, w io.Writer) error {
		h, err := report.New(format, w, report.Options{
			Rules: append(catalog.Rules(), j.Config.Rules()...), Category: c.publisher.Category(), LineHash: publish.LineHash(c.dir),
			Now: time.Now, RefreshWith: j.Flags.Output.RefreshWith,
		})
		handlers = append(handlers, h)
		return err
	}
	wanted := map[string]io.Writer{}
	if c.sarif != "" || c.upload != publish.UploadNever {
		wanted["sarif"] = &c.sarifText
	}
	if c.json != "" {
		wanted["json"] = &c.jsonText
	}
	if c.junit != "" {
		wanted["junit"] = &c.junitText
	}
	if c.onGitHub() {
		wanted["github"], wanted["markdown"] = c.publisher.Runner, &c.publisher.Page
		j.Wraps = append(j.Wraps, c.publisher.Runner.Mask)
	}
	for _, format := range slices.Sorted(maps.Keys(wanted)) {
		if err := add(format, wanted[format]); err != nil {
			return err
		}
	}
	j.Handler = report.All(handlers...)
	if c.quiet() {
		j.Handler = report.Anonymous(j.Handler)
	}
	return nil
}

// exposure says who can read the findings, and since when, as far as CI knows.
func (c *ciScan) exposure() assessment.Exposure {
	e := assessment.Exposure{Visibility: c.publisher.Event.Visibility}
	if c.publisher.Event.Ref != "" && !c.publisher.Range.All { // its commits were pushed a moment ago
		e.Pushed = time.Now()
	}
	return e
}

// A lastSummary is a handler that keeps the summary.
type lastSummary struct{ to *finding.Summary }

func (*lastSummary) Scan(finding.Scan) error             { return nil }
func (*lastSummary) Finding(finding.Finding) error       { return nil }
func (*lastSummary) Repository(finding.Repository) error { return nil }
func (h *lastSummary) Summary(s finding.Summary) error {
	*h.to = s
	return nil
}

// writeFiles writes the reports that flags name.
func (c *ciScan) writeFiles() error {
	var errs []error
	for _, f := range []struct {
		flag, name string
		text       []byte
	}{{"--sarif", c.sarif, c.sarifText.Bytes()}, {"--json", c.json, c.jsonText.Bytes()}, {"--junit", c.junit, c.junitText.Bytes()}} {
		if f.name == "" {
			continue
		}
		if err := (&cli.OutputFlags{File: f.name}).Save(c.Stdout, f.text); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.flag, err))
		}
	}
	return errors.Join(errs...)
}

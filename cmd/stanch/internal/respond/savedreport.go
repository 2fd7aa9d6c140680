package respond

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// A SavedReport is a finding.Handler that keeps a report.
type SavedReport struct {
	Header       finding.Scan
	Findings     []finding.Finding
	Repositories []finding.Repository
	Totals       finding.Summary
}

// Scan implements finding.Handler.
func (r *SavedReport) Scan(s finding.Scan) error { r.Header = s; return nil }

// Finding implements finding.Handler.
func (r *SavedReport) Finding(f finding.Finding) error {
	r.Findings = append(r.Findings, f)
	return nil
}

// Repository implements finding.Handler.
func (r *SavedReport) Repository(x finding.Repository) error {
	r.Repositories = append(r.Repositories, x)
	return nil
}

// Summary implements finding.Handler.
func (r *SavedReport) Summary(s finding.Summary) error { r.Totals = s; return nil }

// Replay passes the report to h.
func (r *SavedReport) Replay(h finding.Handler) error {
	err := h.Scan(r.Header)
	for _, f := range r.Findings {
		if err == nil {
			err = h.Finding(f)
		}
	}
	for _, x := range r.Repositories {
		if err == nil {
			err = h.Repository(x)
		}
	}
	if err == nil {
		err = h.Summary(r.Totals)
	}
	return err
}

// readReport passes a saved report to h: that of a file or, if name is "-", of stdin. Of a
// report that was cut off, h gets the part that there is. Without secrets, those in the
// report are dropped.
func readReport(ctx context.Context, s *cli.Streams, name string, secrets bool, h finding.Handler) error {
	in := cli.Interruptible(ctx, s.Stdin)
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		in = file
	}
	if err := finding.Replay(in, h, secrets); err != nil && !errors.Is(err, finding.ErrTruncated) {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

package respond

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// readReport passes a saved report to h, from a file or, if name is "-", from stdin. If the
// report was cut off, h gets the part before the cut. Unless secrets is true, it drops the
// secrets in the report.
func readReport(ctx context.Context, s *cli.Streams, name string, secrets bool, h finding.Handler) error {
	var in io.Reader
	if name == "-" {
		in = s.Input(ctx)
	} else {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		in = file
	}
	if err := finding.Replay(in, h, secrets); err != nil && !errors.Is(err, finding.ErrTruncated) {
		if name == "-" {
			name = "standard input"
		}
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

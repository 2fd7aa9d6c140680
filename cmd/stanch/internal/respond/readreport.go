package respond

import (
	"context"
	"errors"
	"fmt"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// readReport passes a saved report to h, from a file or, if name is "-", from stdin. If the
// report was cut off, h gets the part before the cut. Unless secrets is true, it drops the
// secrets in the report.
func readReport(ctx context.Context, s *cli.Streams, name string, secrets bool, h finding.Handler) error {
	in, err := s.OpenOperand(ctx, name)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := finding.Replay(in, h, secrets); err != nil && !errors.Is(err, finding.ErrTruncated) {
		return fmt.Errorf("%s: %w", cli.OperandName(name), err)
	}
	return nil
}

package respond

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// sweepFlags say that a plan starts from the database of a sweep.
type sweepFlags struct {
	target  string
	onlyNew bool
}

func (f *sweepFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.target, "sweep", "", "plan for the live keys of a `TARGET` that \"stanch sweep\" keeps under watch")
	cmd.Flags().BoolVar(&f.onlyNew, "new", false, "with --sweep, leave out keys that were seen before the last sweep")
}

// check refuses flags that do not go together.
func (f *sweepFlags) check(cmd *cobra.Command, args []string) error {
	switch given := cmd.Flags().Changed("sweep"); {
	case given && f.target == "":
		return errors.New("--sweep is empty: name a target, as \"stanch sweep list\" shows them")
	case given && len(args) > 0:
		return fmt.Errorf("--sweep %s and %s do not go together: choose keys of a sweep with --key", f.target, args[0])
	case !given && f.onlyNew:
		return errors.New("--new is for --sweep: it leaves out keys that were seen before the last sweep")
	}
	return nil
}

// start reads the report of a sweep, or the start that args name.
func (f *sweepFlags) start(cmd *cobra.Command, s *cli.Streams, swept SweepReport, args []string) (start, error) {
	if f.target == "" {
		return readStart(cmd.Context(), s, args, true)
	}
	st := start{report: &finding.Saved{}, sweep: f.target}
	if err := swept(cmd.Context(), s.Version, f.target, st.report); err != nil {
		return start{}, fmt.Errorf("reading what a sweep has found: %w", err)
	}
	if f.onlyNew {
		st.report.Findings = newIn(st.report)
	}
	return st, nil
}

// newIn returns the findings that the last sweep was the first to see.
func newIn(r *finding.Saved) (found []finding.Finding) {
	for _, f := range r.Findings {
		if f.History != nil && f.History.New {
			found = append(found, f)
		}
	}
	return found
}

// Package report holds the commands that scan nothing: "stanch report", "stanch rules" and
// "stanch migrate".
package report

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// NewReport returns the command that converts a saved report, or makes one of several.
func NewReport(s *cli.Streams) *cobra.Command {
	f, showSecrets := &cli.OutputFlags{RefreshWith: "stanch verify"}, false
	cmd := &cobra.Command{
		Use:   "report [FILE...]",
		Short: "Turn saved scans (--format json) into any format, several into one",
		Long: `Read a scan that was saved with "--format json", from a file or standard input ("-"),
and write it in another format. Nothing is scanned or verified again: text says how old
the answers of AWS are.

Several files become one report: shards of a scan, or scans of several repositories.
A credential that is in more than one has the places of all, and the newest answer of
AWS. If one of the files ends too early, the report says so, and the exit code is 3.`,
		Example: `  stanch git -o scan.jsonl                        # save a scan
  stanch report scan.jsonl                        # read it again
  stanch report -o leaks.html scan.jsonl          # as a page for a browser
  stanch report -o all.html one.jsonl two.jsonl   # several reports in one
  stanch report -f sarif < scan.jsonl             # for code scanning`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if showSecrets {
				if err := f.CheckPrivate(s.Stdout); err != nil {
					return err
				}
			}
			if len(args) == 0 {
				args = []string{"-"}
			}
			if i := slices.Index(args, "-"); i >= 0 && slices.Contains(args[i+1:], "-") {
				return errors.New(`"-" is standard input, which can be read once: name it once`)
			}
			out, err := f.Open(s)
			if err != nil {
				return err
			}
			defer out.Discard()
			h, err := f.Handler(out)
			if err != nil {
				return err
			}
			r := reader{s, showSecrets}
			if len(args) == 1 {
				err = r.replay(cmd.Context(), args[0], h) // a large one is not kept in memory
			} else {
				err = r.merge(cmd.Context(), args, h)
			}
			if errors.Is(err, context.Canceled) {
				return err
			}
			if err != nil && !errors.Is(err, finding.ErrTruncated) {
				return cli.Failed(err)
			}
			// If a stream was cut off, the report holds everything before the cut.
			return cli.Failed(errors.Join(err, out.Commit()))
		},
	}
	f.Add(cmd)
	cmd.Flags().BoolVar(&showSecrets, "show-secrets", false, "print secrets that were saved: only to a terminal, or to a file that only you can read")
	return cmd
}

// A reader reads saved reports.
type reader struct {
	*cli.Streams
	secrets bool
}

// replay passes the report that name says on to h. An error names the file.
func (r reader) replay(ctx context.Context, name string, h finding.Handler) error {
	in, err := r.OpenOperand(ctx, name)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := finding.Replay(in, interruptible{h, ctx}, r.secrets); err != nil {
		return fmt.Errorf("%s: %w", cli.OperandName(name), err)
	}
	return nil
}

// interruptible is a Handler that refuses findings once ctx has ended: Ctrl-C must not wait for
// the end of large reports.
type interruptible struct {
	finding.Handler
	ctx context.Context
}

func (h interruptible) Finding(f finding.Finding) error {
	if err := h.ctx.Err(); err != nil {
		return err
	}
	return h.Handler.Finding(f)
}

// merge passes the reports that names say on to h, as one. If one cannot be read, h gets
// nothing: nobody is to take the rest for all. If one was cut off, h gets all that there is.
func (r reader) merge(ctx context.Context, names []string, h finding.Handler) error {
	var reports []*finding.Saved
	var cut error
	told := map[string]bool{} // of which targets
	for _, name := range names {
		saved := &finding.Saved{Name: cli.OperandName(name)}
		err := r.replay(ctx, name, saved)
		switch {
		case errors.Is(err, finding.ErrTruncated):
			cut = errors.Join(cut, err)
		case err != nil:
			return err
		}
		for i := range saved.Totals.Unread {
			if u := &saved.Totals.Unread[i]; err != nil && u.Why == finding.ErrTruncated.Error() {
				u.What = "the rest of " + saved.Name
			}
		}
		r.remark(reports, saved, told)
		reports = append(reports, saved)
	}
	r.missingShards(reports)
	return errors.Join(cut, finding.Merge(reports, interruptible{h, ctx}))
}

// oneRun is how long the shards of one scan may take to begin.
const oneRun = 12 * time.Hour

// remark says on standard error how the report that was read last stands to one of those before
// it, if people may not expect that of files that they put together. It says once of a target
// that there are several scans of it: there may be a file for each night.
func (r reader) remark(before []*finding.Saved, last *finding.Saved, told map[string]bool) {
	name := printable.Text(last.Name)
	b := &last.Header
	whole, _, _ := b.Shard()
	for _, other := range before {
		a := &other.Header
		otherWhole, _, _ := a.Shard()
		both := fmt.Sprintf("stanch: %s and %s are", printable.Text(other.Name), name)
		switch {
		case finding.SameScan(other, last):
			fmt.Fprintf(r.Stderr, "stanch: %s is of the same scan as %s: it counts once\n", name, printable.Text(other.Name))
			return
		case a.Source != b.Source || whole != otherWhole || told[whole]:
			continue
		case b.Anonymous():
			told[whole] = true
			fmt.Fprintf(r.Stderr, "%s both scans of %q: they count as scans of two places, and the report calls each place by its file\n", both, whole)
			return
		case b.Started.Sub(a.Started).Abs() > oneRun && !a.Started.IsZero() && !b.Started.IsZero():
			told[whole] = true
			scans := "two scans"
			if a.Target != b.Target {
				scans = "shards of two scans"
			}
			fmt.Fprintf(r.Stderr, "%s %s of %s, begun at %s and %s: what only one of them has is in the report, too\n",
				both, scans, printable.Text(whole), a.Started.Format(minute), b.Started.Format(minute))
			return
		}
	}
}

// missingShards says on standard error which shards of a scan there are no reports of.
func (r reader) missingShards(reports []*finding.Saved) {
	type scan struct {
		whole string
		of    int
	}
	var order []scan
	have := map[scan]map[int]bool{}
	for _, saved := range reports {
		whole, number, of := saved.Header.Shard()
		key := scan{whole, of}
		if have[key] == nil {
			have[key] = map[int]bool{}
			order = append(order, key)
		}
		have[key][number] = true
	}
	for _, key := range order {
		var missing []string
		for n := 1; n <= key.of; n++ {
			if !have[key][n] {
				missing = append(missing, fmt.Sprintf("%d/%d", n, key.of))
			}
		}
		if n := len(missing); n > maxMissing {
			missing = append(missing[:maxMissing], fmt.Sprintf("%d more", n-maxMissing))
		}
		if len(missing) > 0 {
			fmt.Fprintf(r.Stderr, "stanch: no report of %s has shard %s: there may be more leaks in there\n", printable.Text(key.whole), strings.Join(missing, ", "))
		}
	}
}

// maxMissing is how many missing shards are named.
const maxMissing = 10

const minute = "2006-01-02 15:04 UTC"

//go:build sweep

package sweep

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/catalog"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/riverqueue"
	"github.com/stanch-dev/stanch/scanner/sweep/triage"
)

func newSweepAck(s *cli.Streams, db *databaseFlags) *cobra.Command {
	f := &triageFlags{Streams: s, db: db}
	cmd := &cobra.Command{
		Use:   "ack FINGERPRINT...",
		Short: "Say that somebody knows of findings",
		Long: `Acknowledge findings, for good or until the end of a day: they do not count, and
reports name the person and the day. A live one is reported all the same. Another
acknowledgement replaces the first; "stanch sweep unack" takes it back.`,
		Example: `  stanch sweep ack 0123456789abcdef0123456789abcdef --until 2027-01-31 --note 'rotated with release 12'
  stanch sweep ack --repository acme/app --state unknown  # all of these, after a question`,
		RunE: func(cmd *cobra.Command, args []string) error {
			status := triage.Acknowledged
			return f.change(cmd, args, triage.Edit{Status: &status}, "acknowledged")
		},
	}
	f.addStatus(cmd)
	f.add(cmd)
	return cmd
}

func newSweepUnack(s *cli.Streams, db *databaseFlags) *cobra.Command {
	f := &triageFlags{Streams: s, db: db}
	cmd := &cobra.Command{
		Use:   "unack FINGERPRINT...",
		Short: "Open findings again: take an acknowledgement back",
		Long: `Open findings again that were acknowledged or closed: they count again. Owner and note
stay.`,
		Example: "  stanch sweep unack 0123456789abcdef0123456789abcdef",
		RunE: func(cmd *cobra.Command, args []string) error {
			status := triage.Open
			return f.change(cmd, args, triage.Edit{Status: &status}, "not acknowledged any more")
		},
	}
	f.add(cmd)
	return cmd
}

func newSweepClose(s *cli.Streams, db *databaseFlags) *cobra.Command {
	f, as := &triageFlags{Streams: s, db: db}, ""
	closed := []string{string(triage.Fixed), string(triage.ShutOff), string(triage.FalseAlarm)}
	cmd := &cobra.Command{
		Use:   "close FINGERPRINT... --as fixed|shut-off|false-alarm",
		Short: "Say that findings are done with",
		Long: `Close findings: they do not count any more, and reports name the person.

  fixed        the key is off, and its users have another one
  shut-off     the key is off
  false-alarm  it is no leak

A live key is reported, and counts, all the same. When a sweep finds that the key of a
closed finding is live again, it opens the finding.`,
		Example: `  stanch sweep close 0123456789abcdef0123456789abcdef --as fixed
  stanch sweep close --state invalid --as shut-off --yes`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if as == "" {
				return errors.New("--as is missing: say how they ended: " + strings.Join(closed, ", "))
			}
			if !slices.Contains(closed, as) {
				return fmt.Errorf("--as %s: must be one of %s", as, strings.Join(closed, ", "))
			}
			status := triage.Status(as)
			return f.change(cmd, args, triage.Edit{Status: &status}, "closed as "+as)
		},
	}
	cmd.Flags().StringVar(&as, "as", "", "how they ended: `WORD` is fixed, shut-off or false-alarm (required)")
	f.addStatus(cmd)
	f.add(cmd)
	return cmd
}

func newSweepAssign(s *cli.Streams, db *databaseFlags) *cobra.Command {
	f := &triageFlags{Streams: s, db: db}
	cmd := &cobra.Command{
		Use:   "assign OWNER FINGERPRINT...",
		Short: "Say who works on findings",
		Long:  `Give findings to an owner, a person or a team. The owner - is nobody.`,
		Example: `  stanch sweep assign payments-team 0123456789abcdef0123456789abcdef
  stanch sweep assign payments-team --repository acme/payments  # all of it, after a question`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 || strings.TrimSpace(args[0]) == "" { // a script's variable may be empty
				return errors.New("name the owner: stanch sweep assign OWNER FINGERPRINT... (- for nobody)")
			}
			owner, said := args[0], "given to "+printable.Text(args[0])
			if owner == "-" {
				owner, said = "", "given to nobody"
			}
			return f.change(cmd, args[1:], triage.Edit{Owner: &owner}, said)
		},
	}
	f.add(cmd)
	return cmd
}

// triageFlags select findings to change, and say who changes them.
type triageFlags struct {
	*cli.Streams
	db          *databaseFlags
	by          string
	note, until string
	consent     consent
	filter      triage.Filter
	state       []string
	status      []string
	owner       string
}

// addStatus adds the flags of a command that gives a status.
func (f *triageFlags) addStatus(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.until, "until", "", "the last `DAY`, in UTC, on which they do not count, such as 2027-01-31 (default: for good)")
	cmd.Flags().StringVar(&f.note, "note", "", "the `REASON`, for reports")
}

// add adds the flags of all commands.
func (f *triageFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.by, "by", "", "the `NAME` of the person who says so (default: the user who runs this)")
	flags.StringVar(&f.filter.Repository, "repository", "", "all findings of the repository `OWNER/NAME`")
	flags.StringVar(&f.filter.Target, "target", "", "all findings of the target `NAME`")
	flags.StringSliceVar(&f.state, "state", nil, "all findings whose key is in one of the `STATES`, as live,unknown")
	flags.StringSliceVar(&f.status, "status", nil, "all findings with one of the `STATUSES`, as open,acknowledged")
	flags.StringVar(&f.owner, "owner", "", "all findings of the owner `NAME` (-: of nobody)")
	flags.BoolVar(&f.consent.yes, "yes", false, "do not ask before findings are changed that flags select")
}

// edit adds to e what the flags say, and returns who says so.
func (f *triageFlags) edit(cmd *cobra.Command, e *triage.Edit) (triage.Author, error) {
	if flag := cmd.Flags().Lookup("until"); flag != nil && flag.Changed {
		end, err := lastDay(f.until, time.Now())
		if err != nil {
			return triage.Author{}, err
		}
		e.Until = &end
	}
	if flag := cmd.Flags().Lookup("note"); flag != nil && flag.Changed {
		e.Comment = &f.note
	}
	who, err := acknowledger(f.by, cmd.Flags().Changed("by"), userName)
	return triage.Author{Name: who, Via: "cli"}, err
}

// selects completes the filter, and reports whether a flag selects findings.
func (f *triageFlags) selects(cmd *cobra.Command) (bool, error) {
	selects := false
	for _, name := range []string{"repository", "target", "state", "status", "owner"} {
		flag := cmd.Flags().Lookup(name)
		selects = selects || flag.Changed
		if flag.Changed && (flag.Value.String() == "" || flag.Value.String() == "[]") {
			return false, fmt.Errorf("--%s is empty: name what it selects, or leave it out", name) // a script's variable may be empty
		}
	}
	for _, name := range f.status {
		status, err := triage.ParseStatus(name)
		if err != nil {
			return false, fmt.Errorf("--status: %w", err)
		}
		f.filter.Statuses = append(f.filter.Statuses, status)
	}
	for _, name := range f.state {
		state, err := triage.ParseState(name)
		if err != nil {
			return false, fmt.Errorf("--state: %w", err)
		}
		f.filter.States = append(f.filter.States, state)
	}
	if f.filter.Owner = f.owner; f.owner == "-" {
		f.filter.Owner, f.filter.Unowned = "", true
	}
	return selects, nil
}

// change makes an edit of the findings that args or the flags name, and says so.
func (f *triageFlags) change(cmd *cobra.Command, args []string, e triage.Edit, said string) error {
	ctx := cmd.Context()
	selects, err := f.selects(cmd)
	if err != nil {
		return err
	}
	switch {
	case selects && len(args) > 0:
		return errors.New("fingerprints and flags that select findings do not go together")
	case !selects && len(args) == 0:
		return fmt.Errorf("name findings: type \"%s FINGERPRINT...\", - for fingerprints from standard input, or flags such as --repository", cmd.CommandPath())
	case !selects && f.consent.yes:
		return errors.New("--yes answers the question about findings that flags select; there are fingerprints")
	}
	fingerprints, err := f.fingerprints(ctx, args)
	if err != nil {
		return err
	}
	by, err := f.edit(cmd, &e)
	if err != nil {
		return err
	}
	return f.db.with(ctx, func(store *sweep.Store, _ *riverqueue.Queue) error {
		t := triageStore(store)
		if selects {
			if fingerprints, err = f.selected(ctx, t, said); err != nil || len(fingerprints) == 0 {
				return err
			}
		}
		return f.apply(ctx, t, by, e, fingerprints, said)
	})
}

// apply makes an edit of findings, up to triage.MaxFindings in one transaction.
func (f *triageFlags) apply(ctx context.Context, t *triage.Store, by triage.Author, e triage.Edit, fingerprints []string, said string) error {
	changed := 0
	for part := range slices.Chunk(fingerprints, triage.MaxFindings) {
		items := make([]triage.Item, len(part))
		for i, fingerprint := range part {
			items[i].Fingerprint = fingerprint
		}
		done, err := t.Apply(ctx, by, e, items)
		var invalid *triage.InvalidError
		switch {
		case errors.As(err, &invalid):
			return err
		case errors.Is(err, triage.ErrNoFinding):
			return cli.Failed(fmt.Errorf("%w (reports in JSON and HTML have them); nothing was changed", err))
		case err != nil:
			return cli.Failed(fmt.Errorf("changing findings: %w", err))
		}
		changed += done.Changed
	}
	if e.Status != nil && *e.Status == triage.Open && changed == 0 {
		return cli.Failed(errors.New("nobody has acknowledged it"))
	}
	switch {
	case e.Status != nil && *e.Status == triage.Open:
	case e.Status != nil:
		said += " by " + printable.Text(by.Name)
	}
	if e.Until != nil {
		said += " until " + e.Until.Format(time.DateOnly)
	}
	if len(fingerprints) > 1 {
		said = fmt.Sprintf("%s: %s", printable.Plural(len(fingerprints), "finding"), said)
	}
	_, err := fmt.Fprintln(f.Stdout, said)
	return err
}

// selected returns the findings of the filter, none if the person does not want that.
func (f *triageFlags) selected(ctx context.Context, t *triage.Store, said string) ([]string, error) {
	fingerprints, live, err := t.Fingerprints(ctx, f.filter)
	switch {
	case err != nil:
		return nil, cli.Failed(err)
	case len(fingerprints) == 0:
		return nil, cli.Failed(errors.New("no finding is selected, and nothing was changed"))
	}
	return fingerprints, f.consent.ask(ctx, f.Streams, fmt.Sprintf("%s, %s live, will be %s", printable.Plural(len(fingerprints), "finding"), printable.Thousands(live), said))
}

// fingerprints returns the fingerprints that were typed, each once; those of standard input
// for "-".
func (f *triageFlags) fingerprints(ctx context.Context, args []string) (list []string, err error) {
	for _, arg := range args {
		typed := []string{arg}
		if arg == "-" {
			if typed, err = words(ctx, f.Streams); err != nil {
				return nil, err
			}
		}
		for _, one := range typed {
			fingerprint, err := checkFingerprint(one)
			if err != nil {
				return nil, err
			}
			list = append(list, fingerprint)
		}
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// words returns the words of standard input.
func words(ctx context.Context, s *cli.Streams) (list []string, err error) {
	in := bufio.NewScanner(s.Input(ctx))
	in.Split(bufio.ScanWords)
	for in.Scan() {
		list = append(list, in.Text())
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("reading fingerprints from standard input: %w", err)
	}
	if len(list) == 0 {
		return nil, errors.New("standard input holds no fingerprint")
	}
	return list, nil
}

// triageStore returns the store for the work of people. Text with a secret of a built-in
// detector is refused.
func triageStore(store *sweep.Store) *triage.Store {
	set := catalog.NewSet()
	return &triage.Store{Store: store, HoldsSecret: func(text []byte) bool {
		for _, m := range set.Detect(nil, text) {
			if !m.Credential.Secret.IsZero() || !m.Credential.Token.IsZero() {
				return true
			}
		}
		return false
	}}
}

// checkFingerprint returns a fingerprint as the store has it.
func checkFingerprint(typed string) (string, error) {
	fingerprint := strings.ToLower(strings.TrimSpace(typed))
	if hash, err := hex.DecodeString(fingerprint); err != nil || len(hash) != 16 {
		return "", fmt.Errorf("%q is not a fingerprint: one has 32 hexadecimal digits, as in reports", typed)
	}
	return fingerprint, nil
}

// lastDay returns the end of a day. Reports name days in UTC: in any other zone, some would
// name the day after.
func lastDay(day string, now time.Time) (end time.Time, err error) {
	if day == "" { // a script whose variable is not set must not acknowledge for good
		return time.Time{}, errors.New("--until is empty: name a day, such as 2027-01-31, or leave --until out")
	}
	end, err = triage.LastMoment(day)
	if err != nil {
		return time.Time{}, fmt.Errorf("--until %s: not a date such as 2027-01-31", day)
	}
	if end.Before(now) {
		return time.Time{}, fmt.Errorf("--until %s: that day is over; name a later one, or leave --until out", day)
	}
	return end, nil
}

// acknowledger returns the name that --by gives, or the name of the user without --by.
func acknowledger(by string, typed bool, userName func() string) (string, error) {
	if name := strings.TrimSpace(by); name != "" {
		return name, nil
	}
	if typed {
		return "", errors.New(`--by is empty: name a person; "stanch sweep unack" takes an acknowledgement back`)
	}
	name := strings.TrimSpace(userName())
	if name == "" {
		return "", errors.New("this process runs as a user without a name: say with --by who acknowledges the finding")
	}
	return name, nil
}

// userName returns the name of the user that runs this process. It is "" in a container
// without a list of users, if $USER is empty too.
func userName() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return os.Getenv("USER")
}

//go:build sweep

package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/githubflags"
	"github.com/stanch-dev/stanch/scanner/github"
	"github.com/stanch-dev/stanch/scanner/github/login"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/scanner/sweep/githubhub"
	"github.com/stanch-dev/stanch/scanner/sweep/riverqueue"
)

func newSweepAdd(s *cli.Streams, db *databaseFlags) *cobra.Command {
	f, api, every := githubflags.Flags{}, login.Login{}, time.Duration(0)
	cmd := &cobra.Command{
		Use:   "add ORG|USER|OWNER/REPO...",
		Short: "Keep targets under watch, or change how",
		Long: `Remember targets, which "stanch sweep run" sweeps, and, with --every, "stanch sweep
serve" and "work" do by themselves. Adding one again changes its flags. No token is
stored: each worker has its own.`,
		Example: `  stanch sweep add acme --every 1h                  # an organization
  stanch sweep add octocat/hello-world --every 24h  # a repository`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if every != 0 && every < time.Minute {
				return fmt.Errorf("--every %s: must be a minute or more", every)
			}
			for i := range args {
				var err error
				if args[i], err = github.ParseTarget(args[i], api.API); err != nil {
					return err
				}
			}
			if err := f.Check(); err != nil {
				return err
			}
			text, err := json.Marshal(githubhub.Options{Filter: f.Filter, Deleted: f.Deleted, Include: f.Include})
			if err != nil {
				return err
			}
			return db.with(cmd.Context(), func(store *sweep.Store, _ *riverqueue.Queue) error {
				target := sweep.Target{API: api.API, Options: text, Every: every}
				if err := putTargets(cmd.Context(), s, store, args, target); err != nil {
					return cli.Failed(err)
				}
				fmt.Fprintln(s.Stderr, "stanch: next: "+db.command("stanch sweep run"))
				return nil
			})
		},
	}
	githubflags.AddAPI(cmd.Flags(), &api)
	f.Add(cmd)
	cmd.Flags().DurationVar(&every, "every", 0, "begin a sweep each `PERIOD`, as 1h or 24h (0: never)")
	return cmd
}

// putTargets adds or changes the targets with these names to be as target is, and says so.
func putTargets(ctx context.Context, s *cli.Streams, store *sweep.Store, names []string, target sweep.Target) error {
	known, err := store.Targets(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		target.Name = name
		if err := store.PutTarget(ctx, target); err != nil {
			return err
		}
		done := "added"
		if i := slices.IndexFunc(known, func(t sweep.Target) bool { return strings.EqualFold(t.Name, name) }); i >= 0 {
			done, target.Name = "changed", known[i].Name
		} else {
			known = append(known, target)
		}
		fmt.Fprintf(s.Stderr, "stanch: %s: %s, %s\n", printable.Text(target.Name), done, how(&target))
	}
	return nil
}

// how says when and with which flags a target is swept.
func how(t *sweep.Target) string {
	parts := []string{schedule(t.Every)}
	if t.Every != 0 {
		parts[0] = "every " + parts[0]
	}
	if flags := githubhub.Flags(t); flags != "" {
		parts = append(parts, flags)
	}
	return strings.Join(parts, ", ")
}

// named returns args with the name of a target in place of each URL that means it.
func named(targets []sweep.Target, args []string) []string {
	names := slices.Clone(args)
	for i, arg := range args {
		for _, t := range targets {
			if name, err := github.ParseTarget(arg, t.API); err == nil && strings.EqualFold(name, t.Name) {
				names[i] = t.Name
			}
		}
	}
	return names
}

func newSweepRemove(s *cli.Streams, db *databaseFlags) *cobra.Command {
	asks := &consent{}
	cmd := &cobra.Command{
		Use:   "remove TARGET...",
		Short: "Forget targets, their repositories and findings",
		Long: `Forget targets, their repositories, and the findings that no other target has, with the
status, the owner and the comment that people gave them. The command asks before a
target goes that has any of these.`,
		Example: `  stanch sweep remove acme        # asks
  stanch sweep remove acme --yes  # in a script`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return db.with(cmd.Context(), func(store *sweep.Store, _ *riverqueue.Queue) error {
				names, err := targetNames(cmd.Context(), store, args)
				if err != nil {
					return cli.Unfinished(err)
				}
				var errs []error
				for _, name := range names {
					if err := removeTarget(cmd.Context(), s, store, asks, name); err != nil {
						errs = append(errs, fmt.Errorf("%s: %w", name, err))
					}
				}
				return errors.Join(errs...)
			})
		},
	}
	cmd.Flags().BoolVar(&asks.yes, "yes", false, "do not ask before a target is removed")
	return cmd
}

// removeTarget removes a target. If that loses anything, a person has to agree.
func removeTarget(ctx context.Context, s *cli.Streams, store *sweep.Store, asks *consent, name string) error {
	loss, err := store.Loss(ctx, name)
	if err != nil {
		return cli.Failed(err)
	}
	said := ""
	if loss != (sweep.Loss{}) {
		said = ", with " + loss.String()
		if err := asks.ask(ctx, s, printable.Text(name)+" will be removed"+said); err != nil {
			return err
		}
	}
	switch there, err := store.RemoveTarget(ctx, name); {
	case err != nil:
		return cli.Failed(err)
	case !there:
		return cli.Failed(fmt.Errorf("%s: %w", printable.Text(name), sweep.ErrNoTarget))
	}
	fmt.Fprintf(s.Stderr, "stanch: %s: removed%s\n", printable.Text(name), said)
	return nil
}

func newSweepList(s *cli.Streams, db *databaseFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the targets",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return db.read(cmd.Context(), func(store *sweep.Store) error {
				targets, err := store.Targets(cmd.Context())
				if err != nil {
					return cli.Failed(err)
				}
				return writeTargets(s.Stdout, targets, githubhub.Flags)
			})
		},
	}
}

func newSweepMigrate(s *cli.Streams, db *databaseFlags) *cobra.Command {
	down, asks := false, &consent{}
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the tables of the database up to date, or remove them",
		Long: `Commands that write bring the tables up to date before they begin; list, report and
status only read, and refuse tables of another version. --down removes the tables, with
all findings and the work of people on them, and asks before.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := db.open(cmd.Context(), !down)
			if err != nil {
				return err
			}
			defer store.Close()
			if !down {
				return nil
			}
			loss, err := lossOfAll(cmd.Context(), store)
			if err != nil {
				return cli.Failed(err)
			}
			if loss != "" {
				if err := asks.ask(cmd.Context(), s, "all tables will be removed, with "+loss); err != nil {
					return err
				}
				loss = ", with " + loss
			}
			if err := riverqueue.Remove(cmd.Context(), store); err != nil {
				return cli.Failed(err)
			}
			fmt.Fprintf(s.Stderr, "stanch: all tables are removed%s\n", loss)
			return nil
		},
	}
	cmd.Flags().BoolVar(&down, "down", false, "remove the tables, and all that is in them")
	cmd.Flags().BoolVar(&asks.yes, "yes", false, "do not ask before tables are removed")
	cli.Needs(cmd, []string{"yes"}, "down")
	return cmd
}

// lossOfAll describes the rows of all tables, "" if there are none.
func lossOfAll(ctx context.Context, store *sweep.Store) (string, error) {
	version, err := store.Installed(ctx)
	switch {
	case err != nil || version == 0:
		return "", err
	case version < database.Version(): // other columns
		return "all that an earlier stanch knows", nil
	}
	loss, err := store.Loss(ctx, "")
	if err != nil || loss == (sweep.Loss{}) {
		return "", err
	}
	return loss.String(), nil
}

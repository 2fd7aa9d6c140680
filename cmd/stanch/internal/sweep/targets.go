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
	return &cobra.Command{
		Use:     "remove TARGET...",
		Short:   "Forget targets, their repositories and findings",
		Example: "  stanch sweep remove acme",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return db.with(cmd.Context(), func(store *sweep.Store, _ *riverqueue.Queue) error {
				var errs []error
				names, err := targetNames(cmd.Context(), store, args)
				if err != nil {
					return cli.Unfinished(err)
				}
				for _, name := range names {
					there, err := store.RemoveTarget(cmd.Context(), name)
					if err == nil && !there {
						err = fmt.Errorf("%s: %w (see \"stanch sweep list\")", name, sweep.ErrNoTarget)
					}
					if err == nil {
						fmt.Fprintf(s.Stderr, "stanch: %s: removed, with its repositories and findings\n", printable.Text(name))
					}
					errs = append(errs, err)
				}
				if err := errors.Join(errs...); err != nil {
					return cli.Failed(err)
				}
				return nil
			})
		},
	}
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

func newSweepMigrate(db *databaseFlags) *cobra.Command {
	var down bool
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the tables of the database up to date, or remove them",
		Long: `Commands that write bring the tables up to date before they begin; list, report and
status only read, and refuse tables of another version. --down removes the tables, with
all findings.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := db.open(cmd.Context(), !down)
			if err != nil {
				return err
			}
			defer store.Close()
			if down {
				if err := riverqueue.Remove(cmd.Context(), store); err != nil {
					return cli.Failed(err)
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&down, "down", false, "remove the tables, and all that is in them")
	return cmd
}

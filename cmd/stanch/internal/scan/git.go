// Package scan is "stanch git", "stanch baseline", "stanch github", "stanch dir" and "stanch
// stdin".
package scan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/respond"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/scanflags"
	"github.com/stanch-dev/stanch/scanner/gitsource"
	"github.com/stanch-dev/stanch/scanner/gitsource/transport"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/project"
	"github.com/stanch-dev/stanch/scanner/run"
)

// NewGit returns the command that scans a repository.
func NewGit(s *cli.Streams) *cobra.Command {
	f := &gitFlags{}
	cmd := &cobra.Command{
		Use:   "git [PATH|URL]",
		Short: "Scan the whole history of a git repository",
		Long: `Scan the whole history of a git repository, and ask AWS which of the keys are live.
Each leaked key is used for one call at AWS, sts:GetCallerIdentity; --no-verify sends
nothing.

All objects are read: those of branches, tags and remotes, the stash, notes and pull
requests, and those that no ref leads to any more, such as amended commits, deleted
branches and files that were staged once. Messages of commits and tags, names of files
and refs, the repository's own configuration, its reflogs, and unstaged changes to
tracked files are read too. For files that git does not track, use "stanch dir".

PATH may be a work tree or a folder in one, a bare repository or a linked work
tree; the default is the current folder. Nothing is written to it. A URL is
cloned to a temporary folder, which is removed afterwards.

-f json and FILE.jsonl are a JSON object a line. To print the findings that may be live:

  stanch git -f json | jq 'select(.may_be_live == true)'`,
		Example: `  stanch git                              # this repository
  stanch git --no-verify                  # without asking AWS
  stanch git https://github.com/acme/app  # a clone
  stanch git -o leaks.html                # a page for a browser
  stanch git -o scan.jsonl                # for programs and "stanch respond"
  stanch git --since-state scan.state     # only what is new since the last time`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			operand := "."
			if len(args) > 0 {
				operand = args[0]
			}
			if f.sinceState != "" && f.reachableOnly {
				return errors.New("--since-state and --reachable-only do not go together: a branch may later lead to objects that were left out")
			}
			f.Config.Within = operand
			if transport.IsURL(operand) {
				f.Config.Within = "" // its files are a stranger's
			}
			if err := f.deactivate.Check(cmd.Context(), f.Verifies(), &f.Owner, &f.STS); err != nil {
				return err
			}
			job, err := f.Prepare(s)
			if err != nil {
				return err
			}
			job.Wraps = append(job.Wraps, f.deactivate.Watch)
			job.NoNext = f.deactivate.Wanted()
			scanErr := f.scan(cmd.Context(), job, operand)
			return f.deactivate.Run(cmd.Context(), s, job.Operator, scanErr)
		},
	}
	f.Add(cmd, true)
	f.deactivate.Add(cmd)
	cmd.Flags().BoolVar(&f.reachableOnly, "reachable-only", false, "leave out objects that no branch, tag or other ref leads to")
	cmd.Flags().StringVar(&f.sinceState, "since-state", "", "scan only what is new since the scan that wrote `FILE`, then update FILE")
	return cmd
}

// gitFlags are the flags of "stanch git".
type gitFlags struct {
	scanflags.Flags
	reachableOnly bool
	sinceState    string
	deactivate    respond.Deactivation
}

func (f *gitFlags) scan(ctx context.Context, j *scanflags.Job, operand string) error {
	s := j.Streams
	defer j.Out.Discard()
	repo, err := openGit(ctx, s, operand)
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return cli.Failed(err)
	}
	defer func() {
		if err := repo.Close(); err != nil {
			fmt.Fprintf(s.Loud().Stderr, "stanch: a temporary clone is left behind, remove it: %v\n", err)
		}
	}()
	if (transport.IsURL(operand) || gitsource.WorkTree(operand) == "") && !f.Config.NoIgnores {
		defer func() { // after the scan: a pack that has just been received gets its index from it
			if ctx.Err() == nil {
				sayUnheeded(s, repo, transport.Redact(operand))
			}
		}()
	}
	repo.MaxBlobSize, repo.ReachableOnly = j.Flags.MaxSize<<20, f.reachableOnly
	if repo.Empty() {
		fmt.Fprintf(s.Stderr, "stanch: %s has no commits and no other objects: there is nothing to scan\n", transport.Redact(operand))
	}
	if f.sinceState == "" {
		j.Whole = !f.reachableOnly && !repo.LacksSubmodules() && !transport.IsURL(operand)
		return cli.ScanEnded(j.Scan(ctx, repo, "git", targetOf(operand)))
	}
	return f.scanNew(ctx, j, repo, operand)
}

// sayUnheeded names the project's files at HEAD that a scan of a work tree would read.
func sayUnheeded(s *cli.Streams, repo *gitsource.Repository, url string) {
	var names []string
	for _, name := range project.Files() {
		if id, _ := repo.AtHead(name); id != "" {
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		fmt.Fprintf(s.Stderr, "stanch: %s: not heeded: %s: in a URL or a bare repository, a stranger may have written it. Scan a work tree to heed it\n", printable.Text(url), strings.Join(names, ", "))
	}
}

// scanNew scans the objects that are newer than the file of --since-state, and updates the
// file.
func (f *gitFlags) scanNew(ctx context.Context, j *scanflags.Job, repo *gitsource.Repository, operand string) error {
	build, err := run.Build(j.Streams.Version)
	if err != nil {
		return cli.Failed(fmt.Errorf("--since-state: %w", err))
	}
	// Another build or other rules may find more in the objects that were read, and a scan
	// with verification must see the findings of a scan without it.
	reader := fmt.Sprintf("%s verify=%v rules=%x", build, f.Verifies(), j.Config.RulesDigest())
	if repo.Seen, err = gitsource.ReadState(f.sinceState, reader); err != nil {
		return err
	}
	result, err := j.Scan(ctx, repo, "git", targetOf(operand))
	if repo.Next == nil || err != nil {
		return cli.ScanEnded(result, err) // findings may be missing in the report
	}
	err = cli.ScanEnded(result, nil)
	if saveErr := repo.Next.Write(f.sinceState); saveErr != nil {
		return cli.Incomplete(errors.Join(err, saveErr))
	}
	return err
}

// targetOf names the repository of operand in reports: as typed, but "." would name none where
// the report is read, so it is the name of the folder.
func targetOf(operand string) string {
	name := transport.Redact(operand)
	if strings.Trim(name, "./") != "" {
		return name
	}
	folder, err := filepath.Abs(cmp.Or(gitsource.WorkTree(operand), operand))
	if base := filepath.Base(folder); err == nil && len(base) > 1 {
		return base
	}
	return name
}

func openGit(ctx context.Context, s *cli.Streams, operand string) (repo *gitsource.Repository, err error) {
	if !transport.IsURL(operand) {
		repo, err = gitsource.Open(operand)
		_, statErr := os.Stat(operand)
		switch {
		case err == nil:
		case errors.Is(statErr, fs.ErrNotExist):
			err = fmt.Errorf("%w%s", err, cli.OnServer(operand))
		case statErr == nil && errors.Is(err, gitsource.ErrNotRepository):
			err = fmt.Errorf("%w: \"stanch dir %s\" scans files as they are, and archives", err, scanflags.Operand(operand))
		}
		return repo, err
	}
	if s.Line == nil {
		return gitsource.Clone(ctx, operand, nil)
	}
	progress := &cli.CloneProgress{}
	err = s.Line.During(progress.Text, func() error {
		repo, err = gitsource.Clone(ctx, operand, progress)
		return err
	})
	return repo, err
}

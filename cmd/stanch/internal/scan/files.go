package scan

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/scanflags"
	"github.com/stanch-dev/stanch/scanner/dirsource"
	"github.com/stanch-dev/stanch/scanner/gitsource/transport"
	"github.com/stanch-dev/stanch/scanner/project"
)

// NewDir returns the command that scans files and folders.
func NewDir(s *cli.Streams) *cobra.Command {
	f := &scanflags.Flags{}
	cmd := &cobra.Command{
		Use:   "dir [PATH...]",
		Short: "Scan files and directories as they are on disk",
		Long: `Scan files, and folders with all that is in them: also hidden files and those that git ignores, but
not the insides of .git. Symbolic links are not followed below a PATH. Nothing is sent
to AWS, unless --verify is given. Without a PATH, the current folder is scanned.

Rules and ignore files are those of the work tree that PATH is in, wherever stanch
runs. Without a work tree they are looked for in PATH, or in the folder of a file. If
PATHs of several projects are given, and one of these has such files, that is an error:
scan them one at a time, or with --no-ignores.`,
		Example: `  stanch dir                             # this folder, untracked files too
  stanch dir --verify ~/.aws deploy.zip  # ask AWS whether the keys are live
  stanch dir image.tar                   # an image that "docker save" wrote
  stanch dir . --no-ignores              # as if nothing were ignored`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"."}
			}
			for _, path := range args {
				if _, err := os.Lstat(path); err != nil && strings.Contains(path, "://") {
					return &cli.UsageError{
						Why:  fmt.Sprintf(`%s is a URL, and "stanch dir" reads files: "stanch git URL" scans a repository`, transport.Redact(path)),
						Help: cmd.CommandPath(),
					}
				}
			}
			if _, err := os.Lstat("-"); err != nil && slices.Contains(args, "-") {
				return &cli.UsageError{Why: `there is no file or folder "-": "stanch stdin" scans standard input`, Help: cmd.CommandPath()}
			}
			if !f.Config.NoIgnores {
				root, err := project.RootOf(args)
				if err != nil {
					return fmt.Errorf("%w: scan one project at a time, or all with --no-ignores", err)
				}
				f.Config.Within, f.Config.Root = "", root
			}
			job, err := f.Prepare(s)
			if err != nil {
				return err
			}
			src := &dirsource.Files{Paths: args, MaxSize: f.MaxSize << 20}
			return cli.ScanEnded(job.Scan(cmd.Context(), src, "dir", strings.Join(args, " ")))
		},
	}
	f.Add(cmd, false)
	return cmd
}

// NewStdin returns the command that scans standard input.
func NewStdin(s *cli.Streams) *cobra.Command {
	f := &scanflags.Flags{}
	cmd := &cobra.Command{
		Use:   "stdin",
		Short: "Scan standard input",
		Long:  "Scan standard input: text, an archive, an image. Nothing is sent to AWS, unless --verify\nis given.",
		Example: `  kubectl get secrets -A -o yaml | stanch stdin  # the secrets of a cluster
  docker save app | stanch stdin --verify        # an image; ask AWS`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			job, err := f.Prepare(s)
			if err != nil {
				return err
			}
			src := &dirsource.Stream{Reader: s.Input(cmd.Context()), Name: "stdin", MaxSize: f.MaxSize << 20}
			return cli.ScanEnded(job.Scan(cmd.Context(), src, "stdin", "stdin"))
		},
	}
	f.Add(cmd, false)
	return cmd
}

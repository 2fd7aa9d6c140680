// Package ci is "stanch ci".
package ci

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/respond"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/scanflags"
	"github.com/stanch-dev/stanch/scanner/ci"
	"github.com/stanch-dev/stanch/scanner/ci/checkout"
	"github.com/stanch-dev/stanch/scanner/ci/publish"
	"github.com/stanch-dev/stanch/scanner/gitsource"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// New returns the command.
func New(s *cli.Streams) *cobra.Command {
	f := &ciOptions{}
	cmd := &cobra.Command{
		Use:   "ci [PATH]",
		Short: "Scan what a push, pull request or merge brings, in CI",
		Long: `Scan the commits of the event that CI runs for. In GitHub Actions and GitLab CI
stanch knows them from the service; elsewhere name them with --base and --head. stanch
has git fetch the ones that a shallow checkout lacks. An event without commits of its
own, such as a schedule, is about the whole repository. Nothing is sent to AWS, unless
--verify is given.

An empty range never passes unseen: if no commit is new, the newest one is scanned
with all of its files. If the commits cannot be fetched, the exit code is 3.

In GitHub Actions there are annotations, a summary of the job, outputs for later
steps, and masks for the secrets. Each flag may be set by a variable too:
--fail-on by STANCH_FAIL_ON; if it may be given several times, one value a line.
The token is read from STANCH_TOKEN or GITHUB_TOKEN. The log of a public repository
names no account: everybody can read it.`,
		Example: `  stanch ci                                      # the commits of the event
  stanch ci --verify --fail-on live              # fail if a key is live
  stanch ci --base origin/main --head HEAD       # in another service
  stanch ci --scan history --sarif stanch.sarif  # the whole repository`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c := &ciScan{ciOptions: f, Streams: s, env: os.Getenv, dir: ".", publisher: publish.Publisher{Env: os.Getenv, Version: s.Version, Log: s.Stderr}}
			if len(args) > 0 {
				c.dir = args[0]
			}
			return c.run(cmd.Context(), fromEnvironment(cmd.Flags(), os.Getenv))
		},
	}
	f.Add(cmd, false)
	f.deactivate.Add(cmd)
	flags := cmd.Flags()
	_ = flags.MarkHidden("show-secrets") // it is an error, which says why
	flags.StringVar(&f.head, "head", "", "scan the commits that lead to `REVISION` (default: the event's, or HEAD with --base)")
	flags.StringVar(&f.base, "base", "", "leave out the commits that lead to `REVISION`")
	flags.StringVar(&f.scanWhat, "scan", "event", "scan this `PART`: event (the new commits), or history (the whole repository)")
	_ = cmd.RegisterFlagCompletionFunc("scan", cobra.FixedCompletions([]string{"event", "history"}, cobra.ShellCompDirectiveNoFileComp))
	flags.StringVar(&f.sarif, "sarif", "", "also write a SARIF report to `FILE`")
	flags.StringVar(&f.json, "json", "", "also write a JSON report to `FILE`")
	flags.StringVar(&f.junit, "junit", "", "also write a JUnit report to `FILE`")
	flags.StringVar(&f.upload, "upload-sarif", "false", "true, false or auto: `WHEN` to upload SARIF to code scanning (auto: not for pushes; if the token may)")
	_ = cmd.RegisterFlagCompletionFunc("upload-sarif", cobra.FixedCompletions([]string{"true", "false", "auto"}, cobra.ShellCompDirectiveNoFileComp))
	flags.BoolVar(&f.comment, "comment", false, "comment on the pull request if something is found")
	flags.BoolVar(&f.nameAccounts, "name-accounts", false, "name accounts and owners of keys, even in a log that everybody can read")
	return cmd
}

type ciOptions struct {
	scanflags.Flags
	head, base, scanWhat string
	sarif, json, junit   string
	upload               string
	comment              bool
	nameAccounts         bool
	deactivate           respond.Deactivation
}

// fromEnvironment sets flags that were not given from variables: --fail-on from
// STANCH_FAIL_ON. A flag that may be given several times is, once for each line of the
// variable. The action passes its inputs that way, so that no input is interpolated into a
// script.
func fromEnvironment(flags *pflag.FlagSet, env ci.Env) error {
	var errs []error
	flags.VisitAll(func(f *pflag.Flag) {
		name := "STANCH_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if f.Changed {
			return
		}
		values := []string{env(name)}
		list, many := f.Value.(pflag.SliceValue)
		if many {
			values = strings.Split(env(name), "\n")
		}
		for _, value := range values {
			if value = strings.TrimSpace(value); value == "" {
				continue
			}
			if err := flags.Set(f.Name, value); err != nil {
				errs = append(errs, fmt.Errorf("%s=%s: %w", name, value, err))
			}
		}
		if many && f.Changed { // "111122223333, 444455556666"
			elements := list.GetSlice()
			for i := range elements {
				elements[i] = strings.TrimSpace(elements[i])
			}
			errs = append(errs, list.Replace(elements))
		}
	})
	return errors.Join(errs...)
}

// A ciScan is one run of "stanch ci".
type ciScan struct {
	*ciOptions
	*cli.Streams
	env       ci.Env
	dir       string
	publisher publish.Publisher

	sarifText, jsonText, junitText bytes.Buffer
	written                        bool // to the files that flags name
}

func (c *ciScan) onGitHub() bool { return c.env("GITHUB_ACTIONS") == "true" }

// run is the command. flags says whether the flags could be read.
func (c *ciScan) run(ctx context.Context, flags error) error {
	if c.onGitHub() {
		// One stream, so that the runner sees commands and text in order.
		c.Streams = &cli.Streams{Stdin: c.Stdin, Stdout: c.Stdout, Stderr: c.Stdout, Version: c.Version}
		c.publisher.Runner = publish.NewRunner(c.Stdout)
		if err := c.publisher.Runner.Stop(); err != nil {
			return cli.Incomplete(err)
		}
	}
	c.publisher.Log = c.Stderr
	if flags != nil {
		return c.finish(flags)
	}
	job, err := c.job(ctx)
	if err != nil {
		return c.finish(err)
	}
	defer job.Out.Discard()
	err = c.scan(ctx, job)
	c.deactivate.Quiet = c.quiet()
	return c.finish(c.deactivate.Run(ctx, c.Streams, job.Operator, err))
}

// quiet reports whether the log must not name accounts.
func (c *ciScan) quiet() bool { return c.publisher.Event.Public && !c.nameAccounts }

// job checks the flags and returns the job that they ask for.
func (c *ciScan) job(ctx context.Context) (*scanflags.Job, error) {
	if c.scanWhat != "event" && c.scanWhat != "history" {
		return nil, fmt.Errorf("--scan %s: must be event or history", c.scanWhat)
	}
	switch c.upload = strings.ToLower(c.upload); c.upload {
	case publish.UploadAuto, publish.UploadAlways, publish.UploadNever:
	default:
		return nil, fmt.Errorf("--upload-sarif %s: must be auto, true or false", c.upload)
	}
	if c.ShowSecrets {
		return nil, errors.New("--show-secrets: not in CI, where logs and reports are kept")
	}
	if err := c.deactivate.Check(ctx, c.Verifies(), &c.Owner, &c.STS); err != nil {
		return nil, err
	}
	if err := c.deactivate.CheckCI(); err != nil {
		return nil, err
	}
	if len(c.STS.Accounts) > 0 && !c.Verifies() {
		return nil, errors.New("--accounts limits what AWS is asked about, and nothing is: add --verify (in the action: verify: true)")
	}
	c.WithoutLFS, c.InCI = true, true
	c.Config.Within = "" // configure reads the project, when the event says which files to trust
	job, err := c.Prepare(c.Streams)
	c.publisher.Log = c.Stderr // --quiet may have changed it
	if err == nil {
		job.NoNext = true
	}
	return job, err
}

// configure reads the configuration and the ignore files of the project. For a pull request
// it reads them from the commit that it is merged into: its author cannot change that.
func (c *ciScan) configure(ctx context.Context, j *scanflags.Job, tree *checkout.Checkout) (err error) {
	c.Config.Within = c.dir
	if commit := c.publisher.Event.Trusted; commit != "" {
		c.Config.Trusted = func(name string) ([]byte, error) {
			data, err := tree.File(ctx, commit, name)
			if errors.Is(err, fs.ErrNotExist) {
				return nil, nil
			}
			if err != nil {
				return nil, cli.Failed(fmt.Errorf("nothing was scanned: reading %s in the commit that the pull request will be merged into: %w", name, err))
			}
			return data, nil
		}
	}
	j.Config, err = c.Config.Read(c.Loud().Stderr)
	return err
}

// scan finds the commits of the event and scans them.
func (c *ciScan) scan(ctx context.Context, j *scanflags.Job) error {
	if err := c.findEvent(); err != nil {
		return err
	}
	if c.publisher.Event.Kind == ci.Nothing {
		c.publisher.Say(fmt.Sprintf("This %s deletes a ref, so there is nothing to scan.", c.publisher.Event.Name))
		return nil
	}
	repo, err := gitsource.Open(c.dir)
	if err != nil {
		return cli.Failed(fmt.Errorf("nothing was scanned: %w; check the repository out first, with git", err))
	}
	defer func() { _ = repo.Close() }() // it was only read from
	repo.MaxBlobSize = c.MaxSize << 20
	tree := &checkout.Checkout{
		Dir: c.dir, Token: c.publisher.Token(), Server: cmp.Or(c.env("GITHUB_SERVER_URL"), c.env("CI_SERVER_URL")),
		Log: func(s string) { fmt.Fprintln(c.Stderr, "stanch:", printable.Text(s)) },
	}
	if c.publisher.Range, err = tree.Resolve(ctx, &c.publisher.Event); err != nil {
		c.publisher.Range.Unread = nil // err says it
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return cli.Failed(fmt.Errorf("nothing was scanned: %w", err))
	}
	for _, note := range c.publisher.Range.Notes {
		c.publisher.Say(note)
	}
	c.publisher.Say(c.publisher.Range.Describe(&c.publisher.Event))
	if err := c.configure(ctx, j, tree); err != nil {
		return err
	}
	if err := c.attach(j); err != nil {
		return err
	}
	j.Whole = c.publisher.Event.Kind == ci.Everything && !repo.LacksSubmodules()
	err = cli.ScanEnded(j.Scan(ctx, c.publisher.Range.Source(repo), "git", cmp.Or(c.env("GITHUB_REPOSITORY"), c.env("CI_PROJECT_PATH"), c.dir)))
	return errors.Join(err, c.publish(ctx, err))
}

// findEvent sets the event: the revisions that the user names, or the event of the service.
func (c *ciScan) findEvent() error {
	service, err := ci.Find(c.env)
	switch {
	case c.scanWhat == "history":
		c.publisher.Event = service.Whole()
	case c.base != "" || c.head != "":
		c.publisher.Event = service.Given(c.base, cmp.Or(c.head, "HEAD"))
	case err != nil:
		return cli.Failed(fmt.Errorf("nothing was scanned: %w; use --base and --head, or --scan history", err))
	case service.Service == "":
		return errors.New("this is neither GitHub Actions nor GitLab CI: name the commits with --base and --head, or use --scan history")
	default:
		c.publisher.Event = service
	}
	return nil
}

// finish writes the summary and the outputs of the job in GitHub Actions.
func (c *ciScan) finish(err error) error {
	if !c.onGitHub() {
		return err
	}
	if errors.Is(err, context.Canceled) {
		return errors.Join(err, c.publisher.Runner.Resume())
	}
	failed := errors.Is(err, cli.ErrIncomplete) || cli.ExitCode(io.Discard, err) == cli.ExitUsage
	if failed && c.publisher.Summary.ElapsedMS == 0 && c.publisher.Summary.Objects == 0 {
		why := printable.Text(err.Error())
		c.publisher.Annotate("error", why)
		fmt.Fprintf(&c.publisher.Page, "### stanch: nothing was scanned\n\n    %s\n", strings.ReplaceAll(why, "\n", "\n    "))
	}
	err = errors.Join(err, c.tell("GITHUB_STEP_SUMMARY", c.publisher.Page.String()), c.publisher.Runner.Resume())
	sarif, json := c.sarif, c.json
	if !c.written {
		sarif, json = "", ""
	}
	return errors.Join(err, c.tell("GITHUB_OUTPUT", c.publisher.Outputs(cli.ExitCode(io.Discard, err), sarif, json)))
}

// tell appends text to the file that a variable of GitHub Actions names.
func (c *ciScan) tell(variable, text string) error {
	if err := c.publisher.Append(variable, text); err != nil {
		return cli.Incomplete(err)
	}
	return nil
}

// publish writes the files, and tells GitHub about the scan. scanned is the error with
// which the scan ended: a scan that was cut short must not close alerts.
func (c *ciScan) publish(ctx context.Context, scanned error) error {
	err := c.writeFiles()
	c.written = err == nil
	if c.onGitHub() && !errors.Is(scanned, context.Canceled) {
		err = errors.Join(err, c.publisher.UploadSARIF(ctx, c.upload, c.sarifText.Bytes(), errors.Is(scanned, cli.ErrIncomplete)))
		if c.comment {
			err = errors.Join(err, c.publisher.Comment(ctx))
		}
		if err != nil && ctx.Err() == nil {
			c.publisher.Annotate("error", err.Error())
		}
	}
	if err != nil {
		return cli.Incomplete(err)
	}
	return nil
}

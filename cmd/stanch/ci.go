package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
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
	"github.com/stanch-dev/stanch/scanner/ci/checkout"
	"github.com/stanch-dev/stanch/scanner/ci"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/report/annotations"
)

func newCI(s *cli.Streams) *cobra.Command {
	f := &ciFlags{}
	cmd := &cobra.Command{
		Use:   "ci [PATH]",
		Short: "Scan what a push, pull request or merge brings, in CI",
		Long: `Scan the commits of the event that CI runs for. In GitHub Actions and GitLab CI
they are worked out from what the service says; elsewhere name them with --base and
--head. What a shallow checkout lacks of them is fetched, with git. An event without
commits of its own, as a schedule, is about the whole repository.

An empty range never passes unseen: if no commit is new, the newest one is scanned
with all of its files. If the commits cannot be had, the exit code is 3.

In GitHub Actions there are annotations, a summary of the job, outputs for later
steps, and masks for what was found. Each flag may be set by a variable too:
--fail-on by STANCH_FAIL_ON. The token is read from STANCH_TOKEN or GITHUB_TOKEN.
What everybody can read, the log of a public repository, names no account.`,
		Example: "  stanch ci\n  stanch ci --base origin/main --head HEAD\n  stanch ci --scan history --sarif stanch.sarif",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := fromEnvironment(cmd.Flags(), os.Getenv); err != nil {
				return err
			}
			c := &ciRun{ciFlags: f, Streams: s, env: os.Getenv, dir: "."}
			if len(args) > 0 {
				c.dir = args[0]
			}
			return c.run(cmd.Context())
		},
	}
	f.Add(cmd, false)
	f.deactivate.Add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.head, "head", "", "scan what leads to this revision (default: that of the event, or HEAD with --base)")
	flags.StringVar(&f.base, "base", "", "leave out what leads to this revision")
	flags.StringVar(&f.scanWhat, "scan", "event", "event, or history for the whole repository")
	_ = cmd.RegisterFlagCompletionFunc("scan", cobra.FixedCompletions([]string{"event", "history"}, cobra.ShellCompDirectiveNoFileComp))
	flags.StringVar(&f.sarif, "sarif", "", "write a SARIF report to this file too")
	flags.StringVar(&f.json, "json", "", "write a JSON report to this file too")
	flags.StringVar(&f.junit, "junit", "", "write a JUnit report to this file too")
	flags.StringVar(&f.upload, "upload-sarif", "false", "upload SARIF to GitHub code scanning: true, false, or auto: for pull requests and whole repositories, if the token may")
	flags.BoolVar(&f.comment, "comment", false, "comment on the pull request if something is found")
	flags.BoolVar(&f.nameAccounts, "name-accounts", false, "name accounts and owners of keys although everybody can read the log")
	return cmd
}

type ciFlags struct {
	scanflags.Flags
	head, base, scanWhat string
	sarif, json, junit   string
	upload               string
	comment              bool
	nameAccounts         bool
	deactivate           respond.Deactivation
}

// fromEnvironment sets flags that were not given from variables, as the action
// does: the input fail-on is STANCH_FAIL_ON. Nothing is interpolated into a script
// that way.
func fromEnvironment(flags *pflag.FlagSet, env ci.Env) error {
	var errs []error
	flags.VisitAll(func(f *pflag.Flag) {
		name := "STANCH_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if value := strings.TrimSpace(env(name)); value != "" && !f.Changed {
			if err := flags.Set(f.Name, value); err != nil {
				errs = append(errs, fmt.Errorf("%s=%s: %w", name, value, err))
			}
		}
	})
	return errors.Join(errs...)
}

// A ciRun is one run of "stanch ci".
type ciRun struct {
	*ciFlags
	*cli.Streams
	env   ci.Env
	dir   string
	event ci.Event
	rng   checkout.Range

	sarifText, jsonText, junitText, summary bytes.Buffer
	counts                                  finding.Summary
	degraded                                bool
	commands                                *runnerCommands // nil outside of GitHub Actions
}

func (c *ciRun) onGitHub() bool { return c.env("GITHUB_ACTIONS") == "true" }

func (c *ciRun) run(ctx context.Context) error {
	job, err := c.job()
	if err != nil {
		return err
	}
	defer job.Out.Discard()
	if c.onGitHub() {
		// One stream, so that the runner sees all in this order.
		c.Streams = &cli.Streams{Stdin: c.Stdin, Stdout: c.Stdout, Stderr: c.Stdout, Version: c.Version}
		job.Streams = c.Streams
		c.commands = &runnerCommands{c.Stdout, rand.Text()}
		if err := c.commands.stop(); err != nil {
			return cli.Incomplete(err)
		}
	}
	err = c.scan(ctx, job)
	c.deactivate.Quiet = c.quiet()
	return c.finish(c.deactivate.Run(ctx, c.Streams, job.Operator, err))
}

// quiet reports whether the log is to name no account.
func (c *ciRun) quiet() bool { return c.event.Public && !c.nameAccounts }

// job checks the flags.
func (c *ciRun) job() (*scanflags.Job, error) {
	if c.scanWhat != "event" && c.scanWhat != "history" {
		return nil, fmt.Errorf("--scan %s: must be event or history", c.scanWhat)
	}
	switch c.upload = strings.ToLower(c.upload); c.upload {
	case "auto", "true", "false":
	default:
		return nil, fmt.Errorf("--upload-sarif %s: must be auto, true or false", c.upload)
	}
	if c.ShowSecrets {
		return nil, errors.New("--show-secrets: not in CI, where logs and reports are kept")
	}
	if err := c.deactivate.Check(c.Verifies(), c.Accounts, &c.Owner, &c.Cache); err != nil {
		return nil, err
	}
	if err := c.deactivate.CheckCI(); err != nil {
		return nil, err
	}
	c.Config.Within = "" // configure reads what the event lets count
	return c.Prepare(c.Streams)
}

// configure reads the configuration and the ignore files of the project: those of a
// pull request from what it is to be merged into, which its author cannot change.
func (c *ciRun) configure(ctx context.Context, j *scanflags.Job, tree *checkout.Checkout) (err error) {
	c.Config.Within = c.dir
	if commit := c.event.Trusted; commit != "" {
		c.Config.Trusted = func(name string) ([]byte, error) {
			data, err := tree.File(ctx, commit, name)
			if errors.Is(err, fs.ErrNotExist) {
				return nil, nil
			}
			if err != nil {
				return nil, cli.Incomplete(fmt.Errorf("nothing was scanned: reading %s of what the pull request is to be merged into: %w", name, err))
			}
			return data, nil
		}
	}
	j.Config, err = c.Config.Read(c.Stderr)
	return err
}

// scan works out what to scan, and does it.
func (c *ciRun) scan(ctx context.Context, j *scanflags.Job) error {
	if err := c.findEvent(); err != nil {
		return err
	}
	if c.event.Kind == ci.Nothing {
		c.say(fmt.Sprintf("A %s of a deleted ref brings no commits: there is nothing to scan.", c.event.Name))
		return nil
	}
	repo, err := gitsource.Open(c.dir)
	if err != nil {
		return cli.Incomplete(fmt.Errorf("nothing was scanned: %w; check the repository out first, with git", err))
	}
	defer func() { _ = repo.Close() }() // it is not a clone: there is nothing to remove
	repo.MaxBlobSize = c.MaxSize << 20
	tree := &checkout.Checkout{
		Dir: c.dir, Token: c.token(), Server: cmp.Or(c.env("GITHUB_SERVER_URL"), c.env("CI_SERVER_URL")),
		Log: func(s string) { fmt.Fprintln(c.Stderr, "stanch:", printable.Text(s)) },
	}
	if c.rng, err = tree.Resolve(ctx, &c.event); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return cli.Incomplete(fmt.Errorf("nothing was scanned: %w", err))
	}
	c.degraded = c.rng.Unread != nil
	for _, note := range c.rng.Notes {
		c.say(note)
	}
	c.say(c.scope())
	if err := c.configure(ctx, j, tree); err != nil {
		return err
	}
	if err := c.attach(j); err != nil {
		return err
	}
	err = cli.ScanEnded(j.Scan(ctx, c.source(repo), "git", cmp.Or(c.env("GITHUB_REPOSITORY"), c.env("CI_PROJECT_PATH"), c.dir)))
	return errors.Join(err, c.publish(ctx, err))
}

// findEvent says what CI runs for: what the user names, else what the service says.
func (c *ciRun) findEvent() error {
	var service ci.Event
	var err error
	switch {
	case c.onGitHub():
		service, err = ci.GitHub(c.env)
	case c.env("GITLAB_CI") != "":
		service, err = ci.GitLab(c.env)
	}
	switch {
	case c.scanWhat == "history":
		c.event = service.Whole()
	case c.base != "" || c.head != "":
		c.event = service.Given(c.base, cmp.Or(c.head, "HEAD"))
	case err != nil:
		return cli.Incomplete(fmt.Errorf("nothing was scanned: %w; use --base and --head, or --scan history", err))
	case service.Service == "":
		return errors.New("this is neither GitHub Actions nor GitLab CI: name the range with --base and --head, or use --scan history")
	default:
		c.event = service
	}
	return nil
}

// scope says in a sentence what is scanned.
func (c *ciRun) scope() string {
	e, r := &c.event, &c.rng
	if r.All {
		return "Scanning all branches, tags and other objects that the checkout holds."
	}
	commits := "1 commit"
	if r.Commits != 1 {
		commits = fmt.Sprintf("%d commits", r.Commits)
	}
	s := fmt.Sprintf("Scanning %s of %s: what leads to %s", commits, e.Name, r.Include[0])
	if len(r.Exclude) > 0 {
		s += " and not to " + strings.Join(r.Exclude[:min(3, len(r.Exclude))], ", ")
	}
	if more := len(r.Exclude) - 3; more > 0 {
		s += fmt.Sprintf(" or %d others", more)
	}
	return s + "."
}

// say tells people what is scanned and why, in the log and the summary.
func (c *ciRun) say(s string) {
	fmt.Fprintln(c.Stderr, "stanch:", printable.Text(s))
	fmt.Fprintf(&c.summary, "%s\n\n", s)
}

func (c *ciRun) token() string { return cmp.Or(c.env("STANCH_TOKEN"), c.env("GITHUB_TOKEN")) }

// finish tells GitHub how it ended: the summary of the job, and outputs.
func (c *ciRun) finish(err error) error {
	if !c.onGitHub() {
		return err
	}
	if errors.Is(err, context.Canceled) {
		return errors.Join(err, c.commands.resume())
	}
	if errors.Is(err, cli.ErrIncomplete) && c.counts.ElapsedMS == 0 && c.counts.Objects == 0 {
		why := printable.Text(err.Error())
		c.annotate("error", why)
		fmt.Fprintf(&c.summary, "### stanch: nothing was scanned\n\n    %s\n", strings.ReplaceAll(why, "\n", "\n    "))
	}
	err = errors.Join(err, c.tell("GITHUB_STEP_SUMMARY", c.summary.String()), c.commands.resume())
	return errors.Join(err, c.tell("GITHUB_OUTPUT", c.outputs(err)))
}

// annotate tells people something about the run in an annotation.
func (c *ciRun) annotate(level, text string) {
	if c.commands != nil {
		_, _ = io.WriteString(c.commands, annotations.Notice(level, "stanch", printable.Text(text)))
	}
}

// tell appends text to the file that a variable of GitHub Actions names.
func (c *ciRun) tell(variable, text string) error {
	name := c.env(variable)
	if name == "" {
		return nil
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err == nil {
		_, err = io.WriteString(file, text)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		return cli.Incomplete(fmt.Errorf("%s: %w", variable, err))
	}
	return nil
}

// outputs are those of the step. None can hold a newline.
func (c *ciRun) outputs(err error) string {
	var base, head string
	if len(c.rng.Include) > 0 {
		head = c.rng.Include[0]
	}
	if len(c.rng.Exclude) > 0 {
		base = c.rng.Exclude[0]
	}
	var b strings.Builder
	for _, o := range []struct {
		name  string
		value any
	}{
		{"findings", c.counts.Findings}, {"verified", c.counts.Live}, {"unread", len(c.counts.Unread)},
		{"scanned-commits", c.rng.Commits}, {"base", base}, {"head", head},
		{"sarif-file", c.sarif}, {"json-file", c.json}, {"degraded", c.degraded},
		{"exit-code", cli.ExitCode(io.Discard, err)},
	} {
		fmt.Fprintf(&b, "%s=%s\n", o.name, strings.NewReplacer("\n", "", "\r", "").Replace(fmt.Sprint(o.value)))
	}
	return b.String()
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/githubapi"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// publish writes the files, and tells GitHub what was found. scanned is how the scan
// ended: one that was cut short must not close alerts.
func (c *ciRun) publish(ctx context.Context, scanned error) error {
	err := c.writeFiles()
	if errors.Is(scanned, context.Canceled) || !c.onGitHub() {
		return err
	}
	return errors.Join(err, c.uploadSARIF(ctx, scanned), c.commentOn(ctx))
}

// uploadSARIF uploads to code scanning, or says why not.
func (c *ciRun) uploadSARIF(ctx context.Context, scanned error) error {
	if c.upload == "false" {
		return nil
	}
	why := c.noUpload(scanned)
	if why != "" {
		c.notice("notice", "SARIF was not uploaded: "+why)
		return nil
	}
	client, err := c.client()
	if err == nil {
		ref, commit := c.analysed()
		err = client.Upload(ctx, githubapi.Analysis{
			SARIF: c.sarifText.Bytes(), Commit: commit, Ref: ref,
			Started: time.Now().Add(-time.Duration(c.counts.ElapsedMS) * time.Millisecond),
		})
	}
	switch {
	case err == nil && len(c.counts.Unread) > 0:
		c.say("SARIF was uploaded to code scanning, in a category of its own: the scan is incomplete, and closes no alert of a complete one.")
		return nil
	case err == nil:
		c.say("SARIF was uploaded to code scanning.")
		return nil
	case errors.Is(err, githubapi.ErrPending):
		c.notice("warning", err.Error())
		return nil
	case c.upload == "auto" && errors.Is(err, githubapi.ErrDenied):
		c.notice("warning", "SARIF was not uploaded: "+err.Error()+". "+permissionHint)
		return nil
	}
	if errors.Is(err, githubapi.ErrDenied) {
		return cli.Incomplete(fmt.Errorf("%w. The scan itself is above. %s", err, permissionHint))
	}
	return cli.Incomplete(fmt.Errorf("%w. The scan itself is above. To go without code scanning, set upload-sarif to false", err))
}

const permissionHint = `The job needs "security-events: write" (in private repositories "actions: read" and a licence for code security too); or set upload-sarif to false.`

// noUpload returns why there is nothing to upload, or "".
func (c *ciRun) noUpload(scanned error) string {
	push := !c.rng.All && c.event.PullRequest == 0
	switch {
	case c.event.Service == "" && !c.rng.All:
		return "a range of the user's own is of no ref."
	case c.counts.Stopped:
		return "the scan ended early, and GitHub refuses the results of such a run."
	case (c.degraded || errors.Is(scanned, cli.ErrIncomplete)) && c.counts.Findings == 0:
		return "the scan is incomplete, and found nothing: that is not to be called clean."
	case c.upload == "true" && push && c.counts.Findings == 0:
		return "nothing was found in the commits of this push."
	case c.upload == "true":
		return ""
	case push:
		return "the commits of a push say nothing of those before. Alerts come from pull requests and from scans of the whole repository; upload-sarif: true uploads all the same."
	case c.event.Fork:
		return "the token of a pull request from a fork may not."
	case c.token() == "":
		return "there is no token."
	}
	return ""
}

// analysed returns the ref and commit that code scanning is told about.
func (c *ciRun) analysed() (ref, commit string) {
	switch {
	case c.event.PullRequest > 0: // its head is scanned, not the merge that GitHub made
		return fmt.Sprintf("refs/pull/%d/head", c.event.PullRequest), c.rng.Include[0]
	case c.rng.All:
		return c.env("GITHUB_REF"), c.env("GITHUB_SHA")
	}
	return cmp.Or(c.event.Ref, c.env("GITHUB_REF")), c.rng.Include[0]
}

// commentOn comments on the pull request.
func (c *ciRun) commentOn(ctx context.Context) error {
	if !c.comment || c.event.PullRequest == 0 {
		return nil
	}
	client, err := c.client()
	if err == nil {
		text := c.summary.String()
		if len(text) > 60_000 {
			text = text[:strings.LastIndexByte(text[:60_000], '\n')] + "\n\nMore is in the summary of the job.\n"
		}
		err = client.Comment(ctx, c.event.PullRequest, text, c.counts.Findings > 0)
	}
	if err != nil && errors.Is(err, githubapi.ErrDenied) {
		c.notice("warning", err.Error()+`. The job needs "pull-requests: write"; pull requests from forks never have it.`)
		return nil
	}
	if err != nil {
		return cli.Incomplete(err)
	}
	return nil
}

func (c *ciRun) client() (*githubapi.Client, error) {
	return githubapi.New(cmp.Or(c.env("GITHUB_API_URL"), "https://api.github.com"), c.env("GITHUB_REPOSITORY"), c.token(), c.Version)
}

// notice tells people something about the run, not about a finding.
func (c *ciRun) notice(level, text string) {
	c.annotate(level, text)
	fmt.Fprintf(&c.summary, "%s\n\n", printable.Text(text))
}

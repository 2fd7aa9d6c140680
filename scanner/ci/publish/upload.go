package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/github"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// The values of --upload-sarif.
const (
	UploadAlways = "true"
	UploadNever  = "false"
	UploadAuto   = "auto" // for pull requests and whole repositories, if the token may
)

// UploadSARIF uploads to code scanning, or says why not. incomplete says that the scan has
// not read everything.
func (p *Publisher) UploadSARIF(ctx context.Context, upload string, sarif []byte, incomplete bool) error {
	if upload == UploadNever {
		return nil
	}
	why := p.noUpload(upload, incomplete)
	if why != "" {
		// In the log alone: GitHub would show it with each push.
		fmt.Fprintln(p.Log, "stanch: SARIF was not uploaded:", why)
		return nil
	}
	client, err := p.client()
	if err == nil {
		ref, commit := p.analysed()
		err = client.Upload(ctx, github.Analysis{
			SARIF: sarif, Commit: commit, Ref: ref,
			Started: time.Now().Add(-time.Duration(p.Summary.ElapsedMS) * time.Millisecond),
		})
	}
	switch {
	case err == nil && len(p.Summary.Unread) > 0:
		p.Say("SARIF was uploaded to code scanning, in a category of its own: the scan is incomplete, so it must not close alerts of a complete one.")
		return nil
	case err == nil:
		p.Say("SARIF was uploaded to code scanning.")
		return nil
	case errors.Is(err, github.ErrPending):
		p.notice("warning", err.Error())
		return nil
	case upload == UploadAuto && errors.Is(err, github.ErrDenied):
		p.notice("warning", "SARIF was not uploaded: "+err.Error()+". "+permissionHint)
		return nil
	}
	if errors.Is(err, github.ErrDenied) {
		return fmt.Errorf("%w. The findings are in the log above. %s", err, permissionHint)
	}
	return fmt.Errorf("%w. The findings are in the log above. To do without code scanning, set upload-sarif to false", err)
}

const permissionHint = `The job needs "security-events: write" (in private repositories "actions: read" and a licence for code security too); or set upload-sarif to false.`

// noUpload returns why there is nothing to upload, or "".
func (p *Publisher) noUpload(upload string, incomplete bool) string {
	push := !p.Range.All && p.Event.PullRequest == 0
	switch {
	case p.Event.Service == "" && !p.Range.All:
		return "a range from --base and --head belongs to no branch or pull request."
	case p.Summary.Stopped:
		return "the scan ended early, and GitHub refuses such results."
	case (p.Range.Unread != nil || incomplete) && p.Summary.Findings == 0:
		return "the scan is incomplete and found nothing, which code scanning would show as clean."
	case upload == UploadAlways && push && p.Summary.Findings == 0:
		return "nothing was found in the commits of this push."
	case upload == UploadAlways:
		return ""
	case push:
		return "an upload for one push would close the alerts of earlier commits. Alerts come from pull requests and from scans of the whole repository; upload-sarif: true uploads anyway."
	case p.Event.Fork:
		return "the token of a pull request from a fork has no permission to."
	case p.Token() == "":
		return "there is no token."
	}
	return ""
}

// analysed returns the ref and the commit that SARIF is uploaded for.
func (p *Publisher) analysed() (ref, commit string) {
	switch {
	case p.Event.PullRequest > 0: // its head is scanned, not the merge that GitHub made
		return fmt.Sprintf("refs/pull/%d/head", p.Event.PullRequest), p.Range.Include[0]
	case p.Range.All:
		return p.Env("GITHUB_REF"), p.Env("GITHUB_SHA")
	}
	return cmp.Or(p.Event.Ref, p.Env("GITHUB_REF")), p.Range.Include[0]
}

// Comment comments on the pull request of the event, if it has one.
func (p *Publisher) Comment(ctx context.Context) error {
	if p.Event.PullRequest == 0 {
		return nil
	}
	client, err := p.client()
	if err == nil {
		text := p.Page.String()
		if len(text) > 60_000 {
			text = text[:strings.LastIndexByte(text[:60_000], '\n')] + "\n\nMore is in the summary of the job.\n"
		}
		err = client.Comment(ctx, p.Event.PullRequest, text, p.Summary.Findings > 0)
	}
	if err != nil && errors.Is(err, github.ErrDenied) {
		p.notice("warning", err.Error()+`. The job needs "pull-requests: write"; pull requests from forks never have it.`)
		return nil
	}
	return err
}

func (p *Publisher) client() (*github.Client, error) {
	return github.New(cmp.Or(p.Env("GITHUB_API_URL"), "https://api.github.com"), p.Env("GITHUB_REPOSITORY"), p.Token(), p.Version)
}

// notice tells people something about the run, not about a finding.
func (p *Publisher) notice(level, text string) {
	p.Annotate(level, text)
	fmt.Fprintf(&p.Page, "%s\n\n", printable.Text(text))
}

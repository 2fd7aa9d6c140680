// Package publish tells people and services about a scan in CI: the log and the annotations
// of GitHub Actions, the summary and the outputs of a job, code scanning, and a comment on a
// pull request.
//
// It is public for the commands of stanch, and no contract.
package publish

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/stanch-dev/stanch/scanner/ci"
	"github.com/stanch-dev/stanch/scanner/ci/checkout"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/report/annotations"
	"github.com/stanch-dev/stanch/scanner/report/sarif"
)

// A Publisher tells about one scan. Env is the environment of the job.
type Publisher struct {
	Event   ci.Event
	Range   checkout.Range
	Env     ci.Env
	Version string
	Log     io.Writer
	Runner  *Runner         // nil outside of GitHub Actions
	Page    bytes.Buffer    // Markdown: the summary of the job
	Summary finding.Summary // of the report, when the scan is over
}

// Say explains the range of the scan to people, in the log and the summary of the job.
func (p *Publisher) Say(s string) {
	fmt.Fprintln(p.Log, "stanch:", printable.Text(s))
	fmt.Fprintf(&p.Page, "%s\n\n", s)
}

// Token returns the token of the job, "" if it has none.
func (p *Publisher) Token() string { return cmp.Or(p.Env("STANCH_TOKEN"), p.Env("GITHUB_TOKEN")) }

// Category returns the category of SARIF in code scanning. An upload to a category closes
// all alerts of the previous upload that it does not hold itself. That is right for a pull
// request and for a whole repository. The commits of one push say nothing about earlier
// commits, so each push has a category of its own.
func (p *Publisher) Category() string {
	if p.Range.All || p.Event.PullRequest > 0 || len(p.Range.Include) == 0 {
		return "stanch/"
	}
	return "stanch/push/" + p.Range.Include[0] + "/" // without the slash it would be the id of a run
}

// Annotate tells people something about the run in an annotation of GitHub Actions.
func (p *Publisher) Annotate(level, text string) {
	if p.Runner != nil {
		_, _ = io.WriteString(p.Runner, annotations.Notice(level, "stanch", printable.Text(text)))
	}
}

// Append appends text to the file that a variable of GitHub Actions names, such as
// GITHUB_STEP_SUMMARY.
func (p *Publisher) Append(variable, text string) error {
	name := p.Env(variable)
	if name == "" {
		return nil
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err == nil {
		_, err = io.WriteString(file, text)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		return fmt.Errorf("%s: %w", variable, err)
	}
	return nil
}

// Outputs returns the outputs of the step, for GITHUB_OUTPUT. None can hold a newline.
func (p *Publisher) Outputs(exitCode int, sarifFile, jsonFile string) string {
	var base, head string
	if len(p.Range.Include) > 0 {
		head = p.Range.Include[0]
	}
	if len(p.Range.Exclude) > 0 {
		base = p.Range.Exclude[0]
	}
	var b strings.Builder
	for _, o := range []struct {
		name  string
		value any
	}{
		{"findings", p.Summary.Findings}, {"verified", p.Summary.Live}, {"unread", len(p.Summary.Unread)},
		{"scanned-commits", p.Range.Commits}, {"base", base}, {"head", head},
		{"sarif-file", sarifFile}, {"json-file", jsonFile}, {"degraded", p.Range.Unread != nil},
		{"exit-code", exitCode},
	} {
		fmt.Fprintf(&b, "%s=%s\n", o.name, strings.NewReplacer("\n", "", "\r", "").Replace(fmt.Sprint(o.value)))
	}
	return b.String()
}

// LineHash returns a function that hashes a line of a file in dir, for SARIF; "" for a line
// that it cannot read.
func LineHash(dir string) func(string, int) string {
	root, err := os.OpenRoot(dir) // no path and no link leads out of it
	if err != nil {
		return nil
	}
	return func(path string, line int) string {
		name := filepath.FromSlash(path)
		info, err := root.Lstat(name)
		if err != nil || !info.Mode().IsRegular() || info.Size() > 16<<20 {
			return ""
		}
		text, err := root.ReadFile(name)
		if err != nil {
			return ""
		}
		return sarif.LineHash(string(text), line)
	}
}

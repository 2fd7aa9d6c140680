// Package leakissues tells a team of leaked keys by issues in a private repository of its own:
// one for each live key, with a comment whenever the key's state changes, closed when the key is
// off.
//
// An issue is found again by a marker in its text, which has the fingerprint of the finding, and
// by the label "stanch", which strangers cannot give. So no second one is opened.
package leakissues

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/github"
)

// Label is the label of the issues.
const Label = "stanch"

// maxIssues is the most issues that one alert opens. GitHub takes 80 a minute
// (docs.github.com, "Rate limits for the REST API"); the other keys stand in an issue together.
const maxIssues = 20

// A Repository gets issues. Its fields must not change; Send may be called concurrently.
type Repository struct {
	Name string // owner/name
	API  string
	// Token returns the token to ask with: it may be short-lived.
	Token   func(ctx context.Context) (detectors.Secret, error)
	Version string
}

// A LimitError says that GitHub asks to wait.
type LimitError struct {
	err   error
	until time.Time
}

func (e *LimitError) Error() string { return e.err.Error() }
func (e *LimitError) Unwrap() error { return e.err }

// RetryAfter returns how long to wait.
func (e *LimitError) RetryAfter() time.Duration { return max(time.Second, time.Until(e.until)) }

// Send tells of an alert. An alert that is sent again opens and comments what is missing.
func (r *Repository) Send(ctx context.Context, a *finding.Alert) error {
	err := r.send(ctx, a)
	var limited *github.RateLimited
	if errors.As(err, &limited) {
		return &LimitError{err, limited.Until}
	}
	return err
}

func (r *Repository) send(ctx context.Context, a *finding.Alert) error {
	token, err := r.Token(ctx)
	if err != nil {
		return err
	}
	c, err := github.New(r.API, r.Name, token.Reveal(), r.Version)
	if err != nil {
		return err
	}
	c.MaxWait = time.Second // the queue waits
	private, err := c.IsPrivate(ctx)
	if err != nil {
		return err
	}
	if !private {
		return fmt.Errorf("everybody can see %s: alerts name live keys and where they are, so use a private repository", r.Name)
	}
	s := &sending{Alert: a, client: c, issues: map[string]github.Issue{}}
	if err := s.find(ctx); err != nil {
		return err
	}
	if a.Kind != finding.AlertNews {
		return s.together(ctx)
	}
	for i := range a.Findings {
		if err := s.one(ctx, &a.Findings[i]); err != nil {
			return err
		}
	}
	if len(s.rest) > 0 {
		return s.together(ctx)
	}
	return nil
}

// A sending is one call of Send.
type sending struct {
	*finding.Alert
	client *github.Client
	issues map[string]github.Issue // by marker
	opened int
	rest   []string // lines of findings that got no issue of their own
}

// markerOf returns the marker of a finding, or of a delivery. Markdown does not show it.
func markerOf(what, id string) string { return "<!-- stanch " + what + "=" + id + " -->" }

// find finds the issues that there are of the findings and of this delivery.
func (s *sending) find(ctx context.Context) error {
	wanted := map[string]bool{markerOf("delivery", s.Delivery): true}
	for i := range s.Findings {
		wanted[markerOf("finding", s.Findings[i].Fingerprint)] = true
	}
	return s.client.EachIssue(ctx, Label, func(i github.Issue) bool {
		first, _, _ := strings.Cut(i.Body, "\n")
		if first = strings.TrimSpace(first); wanted[first] {
			s.issues[first] = i // the oldest, if somebody has copied it
		}
		return true
	})
}

// one tells of one finding in an issue of its own.
func (s *sending) one(ctx context.Context, f *finding.AlertFinding) error {
	marker := markerOf("finding", f.Fingerprint)
	issue, there := s.issues[marker]
	live := f.Event != finding.EventOff
	switch {
	case !there && !live: // it was never told, or in an issue with others
		return nil
	case !there && s.opened >= maxIssues:
		s.rest = append(s.rest, f.Text)
		return nil
	case !there:
		s.opened++
		body := strings.Join([]string{marker, markerOf("delivery", s.Delivery), describe(f), s.link()}, "\n")
		issue, err := s.client.OpenIssue(ctx, title(f), body, Label)
		s.issues[marker] = issue
		return err
	}
	told := markerOf("delivery", s.Delivery+" "+f.Event)
	if strings.Contains(issue.Body, markerOf("delivery", s.Delivery)) && live { // it was sent before
		return nil
	}
	done, err := s.client.IssueHasComment(ctx, issue.Number, func(body string) bool { return strings.HasPrefix(body, told) })
	if err != nil {
		return err
	}
	if !done {
		if err := s.client.CommentIssue(ctx, issue.Number, told+"\n"+describe(f)); err != nil {
			return err
		}
	}
	if issue.Open == live {
		return nil
	}
	issue.Open = live
	s.issues[marker] = issue
	return s.client.SetIssue(ctx, issue.Number, live)
}

// together tells of all that got no issue of its own in one issue.
func (s *sending) together(ctx context.Context) error {
	marker := markerOf("delivery", s.Delivery)
	issue, there := s.issues[marker]
	if !there {
		text := s.Text
		if len(s.rest) > 0 {
			text = strings.Join(s.rest, "\n")
		}
		var err error
		issue, err = s.client.OpenIssue(ctx, s.Title, marker+"\n"+block(text)+"\n"+s.link(), Label)
		if err != nil {
			return err
		}
	}
	if s.Kind == finding.AlertTest && issue.Open {
		return s.client.SetIssue(ctx, issue.Number, false)
	}
	return nil
}

func (s *sending) link() string {
	if s.Page == "" {
		return ""
	}
	return "\nAll findings: " + s.Page
}

// title is the title of the issue of a finding. It stays when the key's state changes.
func title(f *finding.AlertFinding) string {
	name := f.KeyID
	if name == "" {
		name = f.Title
	}
	text := "Leaked key " + name
	if f.Repository != "" {
		text += " in " + f.Repository
	}
	return cut(text, 250)
}

// describe returns the news of a finding in Markdown. All that a stranger may have named is in a
// block of code, where it mentions nobody and links nowhere.
func describe(f *finding.AlertFinding) string {
	text := block(f.Text)
	if f.URL != "" {
		text += "\n<" + f.URL + ">\n"
	}
	if f.Command != "" {
		text += "\nDo now:\n" + block(f.Command)
	}
	return text
}

// block returns text as a block of code.
func block(text string) string {
	return "```text\n" + cut(strings.ReplaceAll(text, "```", "'''"), 60_000) + "\n```\n"
}

func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

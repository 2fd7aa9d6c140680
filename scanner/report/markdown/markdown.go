// Package markdown writes reports as GitHub-flavoured Markdown: the summary of a job, or a
// comment.
package markdown

import (
	"fmt"
	"io"
	"strings"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/report/internal/wording"
)

// maxMarkdown bounds a summary: GitHub drops one of more than 1 MiB as a whole.
const maxMarkdown = 900_000

// New returns the Handler that writes GitHub-flavoured Markdown: the summary of
// a job, or a comment. The worst comes first; findings that do not fit are counted. Text of
// strangers is spelt in character references, so that it makes no link, mentions
// nobody and ends no table. It writes at Summary, in one call.
func New(w io.Writer, r wording.Reading) finding.Handler { return &handler{w: w, reading: r} }

type handler struct {
	wording.Collector
	w       io.Writer
	reading wording.Reading
	age     wording.Age
}

func (m *handler) Summary(s finding.Summary) error {
	ignored := m.DropIgnored()
	wording.WorstFirst(m.Findings)
	m.age = wording.NewAge(m.Header, s, m.reading)
	verdict := wording.Verdict(m.Findings, len(s.Unread) > 0)
	var b strings.Builder
	fmt.Fprintf(&b, "### stanch: %s\n\n", verdict)
	fmt.Fprintf(&b, "%s, %s read in %s", wording.Plural(int(s.Objects), "object"), wording.Size(s.Bytes), wording.Elapsed(s.ElapsedMS))
	if ignored > 0 {
		fmt.Fprintf(&b, ", %s ignored", wording.Thousands(int64(ignored)))
	}
	b.WriteString(".\n\n")
	m.unread(&b, s.Unread)
	for i := range m.Findings {
		part := m.finding(&m.Findings[i])
		if b.Len()+len(part) > maxMarkdown {
			fmt.Fprintf(&b, "**%s** not listed here: see the log, or the JSON report.\n", wording.Plural(len(m.Findings)-i, "more finding"))
			break
		}
		b.WriteString(part)
	}
	if _, err := io.WriteString(m.w, b.String()); err != nil {
		return fmt.Errorf("writing the Markdown report: %w", err)
	}
	return nil
}

func (m *handler) unread(b *strings.Builder, list []finding.Unread) {
	if len(list) == 0 {
		return
	}
	b.WriteString("**Not read**, so that there may be more:\n\n")
	for i, u := range list {
		if i == wording.MaxUnread {
			fmt.Fprintf(b, "- %s more\n", wording.Thousands(int64(len(list)-i)))
			break
		}
		fmt.Fprintf(b, "- %s: %s\n", escape(u.What), escape(u.Why))
	}
	b.WriteString("\n")
}

func (m *handler) finding(f *finding.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "#### %s %s\n\n", wording.Word(f), escape(strings.TrimSpace(f.Match.Credential.ID+" "+f.Match.Rule.Title+wording.Doubt(f))))
	if f.Verdict.Reason != "" {
		fmt.Fprintf(&b, "- why: %s\n", escape(f.Verdict.Reason))
	}
	if when := m.age.Describe(f); when != "" {
		fmt.Fprintf(&b, "- when: %s\n", escape(when))
	}
	if who := wording.Owner(f); len(who) > 0 {
		fmt.Fprintf(&b, "- whose: %s\n", escape(strings.Join(who, "; ")))
	}
	shown := wording.FirstLocations(f.Locations, wording.MaxLocations)
	for i := range shown {
		fmt.Fprintf(&b, "- where: %s\n", escape(wording.Location(&shown[i])))
	}
	if more := len(f.Locations) - len(shown) + f.Omitted; more > 0 {
		fmt.Fprintf(&b, "- and in %s\n", wording.Plural(more, "more place"))
	}
	if also := wording.Candidates(f); also != "" {
		fmt.Fprintf(&b, "- also: %s\n", escape(also))
	}
	for _, step := range wording.Advice(f) {
		step, cmd, _ := strings.Cut(step, "\n")
		fmt.Fprintf(&b, "- now: %s\n", escape(step))
		if cmd != "" { // from a pattern that has no backquote (wording.Advice)
			fmt.Fprintf(&b, "  ```\n  %s\n  ```\n", cmd)
		}
	}
	fmt.Fprintf(&b, "- id: %s\n\n", escape(f.Match.Rule.ID+" "+f.Fingerprint()))
	return b.String()
}

// escape spells all that may mean something to Markdown, HTML or GitHub, mentions
// and links included, as character references.
func escape(s string) string {
	var b strings.Builder
	for _, r := range printable.Quoted(s) {
		switch {
		case r >= 0x80, '0' <= r && r <= '9', 'A' <= r && r <= 'Z', 'a' <= r && r <= 'z', strings.ContainsRune(" ,;", r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "&#%d;", r)
		}
	}
	return b.String()
}

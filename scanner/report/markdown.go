package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// maxMarkdown bounds a summary: GitHub drops one of more than 1 MiB as a whole.
const maxMarkdown = 900_000

// Markdown returns the Handler that writes GitHub-flavoured Markdown: the summary of
// a job, or a comment. The worst comes first; what does not fit is counted. Text of
// strangers is spelt in character references, so that it makes no link, mentions
// nobody and ends no table. It writes at Summary, in one call.
func Markdown(w io.Writer) finding.Handler { return &markdown{w: w} }

type markdown struct {
	w        io.Writer
	o        Options
	scan     finding.Scan
	age      age
	findings []finding.Finding
	ignored  int
}

func (m *markdown) Scan(s finding.Scan) error {
	m.scan = s
	return nil
}

func (m *markdown) Finding(f finding.Finding) error {
	if f.Ignored != "" {
		m.ignored++
		return nil
	}
	m.findings = append(m.findings, f)
	return nil
}

func (*markdown) Repository(finding.Repository) error { return nil }

func (m *markdown) Summary(s finding.Summary) error {
	worstFirst(m.findings)
	m.age = newAge(m.scan, s, m.o)
	_, verdict := (&text{findings: m.findings}).verdict(len(m.findings), len(s.Unread) > 0)
	var b strings.Builder
	fmt.Fprintf(&b, "### stanch: %s\n\n", verdict)
	fmt.Fprintf(&b, "%s, %s read in %s", plural(int(s.Objects), "object"), size(s.Bytes), elapsed(s.ElapsedMS))
	if m.ignored > 0 {
		fmt.Fprintf(&b, ", %s ignored", thousands(int64(m.ignored)))
	}
	b.WriteString(".\n\n")
	m.unread(&b, s.Unread)
	for i := range m.findings {
		part := m.finding(&m.findings[i])
		if b.Len()+len(part) > maxMarkdown {
			fmt.Fprintf(&b, "**%s** not listed here: see the log, or the JSON report.\n", plural(len(m.findings)-i, "more finding"))
			break
		}
		b.WriteString(part)
	}
	if _, err := io.WriteString(m.w, b.String()); err != nil {
		return fmt.Errorf("writing the Markdown report: %w", err)
	}
	return nil
}

func (m *markdown) unread(b *strings.Builder, list []finding.Unread) {
	if len(list) == 0 {
		return
	}
	b.WriteString("**Not read**, so that there may be more:\n\n")
	for i, u := range list {
		if i == maxUnread {
			fmt.Fprintf(b, "- %s more\n", thousands(int64(len(list)-i)))
			break
		}
		fmt.Fprintf(b, "- %s: %s\n", inert(u.What), inert(u.Why))
	}
	b.WriteString("\n")
}

func (m *markdown) finding(f *finding.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "#### %s %s\n\n", word(f), inert(strings.TrimSpace(f.Match.Credential.ID+" "+f.Match.Rule.Title+doubt(f))))
	if f.Verdict.Reason != "" {
		fmt.Fprintf(&b, "- why: %s\n", inert(f.Verdict.Reason))
	}
	if when := m.age.of(f); when != "" {
		fmt.Fprintf(&b, "- when: %s\n", inert(when))
	}
	if who := whose(f); len(who) > 0 {
		fmt.Fprintf(&b, "- whose: %s\n", inert(strings.Join(who, "; ")))
	}
	shown := firstPlaces(f.Locations, maxPlaces)
	for i := range shown {
		fmt.Fprintf(&b, "- where: %s\n", inert(place(&shown[i])))
	}
	if more := len(f.Locations) - len(shown) + f.Omitted; more > 0 {
		fmt.Fprintf(&b, "- and in %s\n", plural(more, "more place"))
	}
	for _, step := range advice(f) {
		step, cmd, _ := strings.Cut(step, "\n")
		fmt.Fprintf(&b, "- now: %s\n", inert(step))
		if cmd != "" { // from a pattern that has no backquote (class.go)
			fmt.Fprintf(&b, "  ```\n  %s\n  ```\n", cmd)
		}
	}
	fmt.Fprintf(&b, "- id: %s\n\n", inert(f.Match.Rule.ID+" "+f.Fingerprint()))
	return b.String()
}

// inert spells all that may mean something to Markdown, HTML or GitHub, mentions
// and links included, as character references.
func inert(s string) string {
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

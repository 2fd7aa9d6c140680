// Package markdown writes reports as GitHub-flavoured Markdown: the summary of a job, or a
// comment.
package markdown

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/report/internal/wording"
)

// maxMarkdown bounds a report: GitHub refuses a comment of more than 65,536 characters, and
// "stanch ci" puts the range of the scan and notices around it.
const maxMarkdown = 55_000

// open is how many findings can be read without unfolding the others.
const open = 3

// New returns the Handler that writes GitHub-flavoured Markdown: the summary of
// a job, or a comment. The worst come first, and the others are folded; findings that do not
// fit are counted. Text of strangers is in code spans, so that it makes no link, mentions
// nobody and ends no list. It writes at Summary, in one call.
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
	var b strings.Builder
	fmt.Fprintf(&b, "### stanch: %s\n\n", wording.Verdict(m.Findings, len(s.Unread) > 0))
	fmt.Fprintf(&b, "%s, %s read in %s", printable.Plural(int(s.Objects), "object"), wording.Size(s.Bytes), wording.Elapsed(s.ElapsedMS))
	b.WriteString(m.repositories())
	if ignored > 0 {
		fmt.Fprintf(&b, ", %s ignored", printable.Thousands(int64(ignored)))
	}
	b.WriteString(".\n\n")
	m.findings(&b, m.Findings[:min(open, len(m.Findings))])
	m.unread(&b, s.Unread)
	m.folded(&b)
	if _, err := io.WriteString(m.w, b.String()); err != nil {
		return fmt.Errorf("writing the Markdown report: %w", err)
	}
	return nil
}

// repositories says how many repositories were read, if there were several to read.
func (m *handler) repositories() string {
	var swept wording.Swept
	for _, r := range m.Repositories {
		swept.Add(r)
	}
	switch read, counts := swept.Read(), swept.Counts(); {
	case read != "":
		return " " + text(read)
	case counts != "":
		return ", repositories: " + counts
	}
	return ""
}

// folded writes the findings after the first few, to be unfolded.
func (m *handler) folded(b *strings.Builder) {
	if len(m.Findings) <= open {
		return
	}
	rest := m.Findings[open:]
	_, counts, _ := strings.Cut(wording.Verdict(rest, false), ": ")
	fmt.Fprintf(b, "<details>\n<summary>%s more: %s</summary>\n\n", printable.Thousands(int64(len(rest))), counts)
	left := m.findings(b, rest)
	b.WriteString("</details>\n")
	if left > 0 {
		fmt.Fprintf(b, "\n**%s not listed here**, none worse than those above: see the log, or the JSON report.\n", printable.Plural(left, "more finding"))
	}
}

// findings writes as many of list as there is room for, and returns how many are left.
func (m *handler) findings(b *strings.Builder, list []finding.Finding) (left int) {
	for i := range list {
		part := m.finding(&list[i])
		if b.Len()+len(part) > maxMarkdown {
			return len(list) - i
		}
		b.WriteString(part)
	}
	return 0
}

func (m *handler) unread(b *strings.Builder, list []finding.Unread) {
	if len(list) == 0 {
		return
	}
	b.WriteString("**Not read**, so that there may be more leaks:\n\n")
	for i, u := range list {
		if i == wording.MaxUnread {
			fmt.Fprintf(b, "- %s more\n", printable.Thousands(int64(len(list)-i)))
			break
		}
		fmt.Fprintf(b, "- %s: %s\n", text(u.What), text(u.Why))
	}
	b.WriteString("\n")
}

func (m *handler) finding(f *finding.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "#### %s", wording.Word(f))
	for _, s := range []string{f.Match.Credential.ID, f.Match.Rule.Title + wording.Doubt(f)} {
		if s != "" {
			b.WriteString(" " + text(s))
		}
	}
	b.WriteString("\n\n")
	field := func(label string, values ...string) {
		switch {
		case len(values) > 1:
			fmt.Fprintf(&b, "- **%s:**\n", label)
			for _, v := range values {
				fmt.Fprintf(&b, "  - %s\n", text(v))
			}
		case len(values) == 1:
			fmt.Fprintf(&b, "- **%s:** %s\n", label, text(values[0]))
		}
	}
	field("why", wording.NonEmpty(f.Verdict.Reason)...)
	field("when", wording.NonEmpty(m.age.Describe(f))...)
	field("whose", wording.Owner(f)...)
	field("where", m.locations(f)...)
	field("also", wording.NonEmpty(wording.Candidates(f))...)
	field("known", facts(f)...)
	steps(&b, wording.Advice(f))
	fmt.Fprintf(&b, "- **fingerprint:** %s (%s)\n\n", text(f.Fingerprint()), text(f.Match.Rule.ID))
	return b.String()
}

// locations lists the first locations of f, and counts the others.
func (m *handler) locations(f *finding.Finding) (lines []string) {
	shown := wording.FirstLocations(f.Locations, wording.MaxLocations)
	for i := range shown {
		lines = append(lines, wording.LocationIn(&m.Header, &shown[i]))
	}
	if more := len(f.Locations) - len(shown) + f.Omitted; more > 0 {
		lines = append(lines, "and "+printable.Plural(more, "more place"))
	}
	return lines
}

// facts lists the facts about f that are worth knowing.
func facts(f *finding.Finding) (lines []string) {
	for _, x := range f.Facts() {
		if x.Risk >= 1 {
			lines = append(lines, x.Name+": "+x.Value)
		}
	}
	return lines
}

// steps writes a step, or a numbered list of steps. They hold no text of strangers that could
// mean something to Markdown (wording.Advice).
func steps(b *strings.Builder, list []string) {
	b.WriteString("- **do:**")
	for i, step := range list {
		step, cmd, _ := strings.Cut(step, "\n")
		indent := "  "
		if len(list) > 1 {
			fmt.Fprintf(b, "\n  %d.", i+1)
			indent = "     "
		}
		b.WriteString(" " + step)
		if cmd != "" {
			fmt.Fprintf(b, "\n%[1]s```\n%[1]s%[2]s\n%[1]s```", indent, cmd)
		}
	}
	b.WriteString("\n")
}

// text writes s as it is, or as a code span if it has anything that may mean something to
// Markdown, HTML or GitHub. References of characters are no help against GitHub: it looks for
// mentions and links after it has decoded them. It looks for none in code.
func text(s string) string {
	s = shorten(printable.Quoted(s))
	lower := strings.ToLower(s)
	emoji := func(word string) bool { return strings.Count(word, ":") > 1 } // or ARN
	link := func(sign string) bool { return strings.Contains(lower, sign) }
	if !strings.ContainsFunc(s, special) && !slices.ContainsFunc(strings.Fields(s), emoji) && !slices.ContainsFunc([]string{":/", "www.", "gh-"}, link) {
		return s
	}
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + s + fence
}

// maxText is how many bytes of one text are shown. A path may have thousands.
const maxText = 500

func shorten(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + "…"
}

// special reports whether r may mean something within a line.
func special(r rune) bool {
	switch {
	case r >= 0x80, '0' <= r && r <= '9', 'A' <= r && r <= 'Z', 'a' <= r && r <= 'z', strings.ContainsRune(" ,;.:()'/+=-", r):
		return false
	}
	return true
}

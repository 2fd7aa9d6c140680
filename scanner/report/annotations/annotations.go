// Package annotations writes reports as workflow commands of GitHub Actions, which annotate
// lines of a pull request.
package annotations

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/report/internal/wording"
)

// maxAnnotations is how many annotations of a level GitHub shows for a step. GitHub drops
// the others without a word, however serious they are.
const maxAnnotations = 10

// New returns the Handler that writes workflow commands of GitHub Actions
// (docs.github.com, "Workflow commands"): one annotation a finding, at its first
// place, the worst first. Where there are more than GitHub shows, the last one that
// it does show says how many. It writes at Summary, in one call.
func New(w io.Writer, r wording.Reading) finding.Handler { return &handler{w: w, reading: r} }

type handler struct {
	wording.Collector
	w       io.Writer
	reading wording.Reading
}

func (a *handler) Summary(s finding.Summary) error {
	a.DropIgnored()
	wording.WorstFirst(a.Findings)
	age := wording.NewAge(a.Header, s, a.reading)
	byLevel := map[string][]string{}
	for i := range a.Findings {
		f := &a.Findings[i]
		l := level(f)
		byLevel[l] = append(byLevel[l], a.annotation(f, &age))
	}
	for _, u := range s.Unread {
		byLevel["error"] = append(byLevel["error"], command("error", [][2]string{{"title", "stanch: not read"}}, printable.Quoted(u.What)+": "+printable.Quoted(u.Why)))
	}
	var b strings.Builder
	for _, level := range []string{"error", "warning", "notice"} {
		list := byLevel[level]
		if over := len(list) - maxAnnotations; over > 0 {
			rest := fmt.Sprintf("%s in all: the others are in the log and in the summary of the job.", printable.Plural(len(list), "annotation"))
			list = append(list[:maxAnnotations-1:maxAnnotations-1], command(level, [][2]string{{"title", fmt.Sprintf("stanch: %d more", over+1)}}, rest))
		}
		b.WriteString(strings.Join(list, ""))
	}
	if _, err := io.WriteString(a.w, b.String()); err != nil {
		return fmt.Errorf("writing annotations: %w", err)
	}
	return nil
}

func level(f *finding.Finding) string {
	if l := wording.Level(f); l != "note" {
		return l
	}
	return "notice"
}

// annotation tells about one finding: the key and its owner in the first line, which GitHub
// shows in lists, then the steps, then the place.
func (a *handler) annotation(f *finding.Finding, age *wording.Age) string {
	var props [][2]string
	text := append([]string{wording.Headline(f, age)}, wording.Steps(f)...)
	if len(f.Locations) > 0 {
		l := &f.Locations[0]
		if file, _, _ := strings.Cut(l.Path, "!"); l.Kind == finding.KindBlob && file != "" && printable.Quoted(file) == file {
			props = append(props, [2]string{"file", file})
			if file == l.Path && l.Line > 0 {
				props = append(props, lines(l)...)
			}
		}
		text = append(text, "Found in "+wording.LocationIn(&a.Header, l))
	}
	props = append(props, [2]string{"title", wording.Word(f) + ": " + printable.Quoted(f.Match.Rule.Title)})
	return command(level(f), props, strings.Join(text, "\n"))
}

// lines are the region of l. GitHub refuses columns that span lines, and ours never do.
func lines(l *finding.Location) [][2]string {
	n := strconv.Itoa(l.Line)
	props := [][2]string{{"line", n}, {"endLine", n}}
	if l.Column > 0 && l.EndColumn > l.Column {
		props = append(props, [2]string{"col", strconv.Itoa(l.Column)}, [2]string{"endColumn", strconv.Itoa(l.EndColumn)})
	}
	return props
}

// command writes a workflow command. It escapes text as @actions/core does: a text cannot
// end the command or begin another one.
func command(name string, props [][2]string, text string) string {
	var b strings.Builder
	b.WriteString("::" + name)
	for i, p := range props {
		b.WriteByte(" ,"[min(i, 1)])
		b.WriteString(p[0] + "=" + escapedProperty.Replace(p[1]))
	}
	return b.String() + "::" + escapedText.Replace(text) + "\n"
}

// Mask returns the workflow commands that make GitHub's runner replace secret by
// *** in all that is logged from then on. They hold the secret: they are for the
// runner only.
func Mask(secret string) string {
	var b strings.Builder
	for line := range strings.Lines(secret) { // the runner masks line by line
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			b.WriteString(command("add-mask", nil, line))
		}
	}
	return b.String()
}

// Notice returns the workflow command that annotates the run with text.
func Notice(level, title, text string) string {
	return command(level, [][2]string{{"title", title}}, text)
}

var (
	escapedText     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	escapedProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

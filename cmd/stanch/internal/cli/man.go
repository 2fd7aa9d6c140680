package cli

import (
	"io"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// NewMan returns the hidden command that prints the manual page, for people who package
// stanch. The generator of cobra would add two modules to each build, and writes a page
// for each command.
func NewMan(s *Streams) *cobra.Command {
	return &cobra.Command{
		Use:    "man",
		Short:  "Print the manual page, in roff",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(s.Stdout, manPage(cmd.Root(), s.Version))
			return Failed(err)
		},
	}
}

func manPage(root *cobra.Command, version string) string {
	page := &roff{}
	page.WriteString(`.TH STANCH 1 "` + commitDay() + `" "stanch ` + version + "\"\n") // a date with escapes is none
	page.line(".SH", "NAME")
	page.text(root.Name() + " - " + root.Short)
	page.line(".SH", "SYNOPSIS")
	page.text(root.Name() + " COMMAND [ARGUMENT...]")
	page.line(".SH", "DESCRIPTION")
	page.text(root.Long)
	page.line(".SH", "COMMANDS")
	page.commands(root)
	page.line(".SH", "SEE ALSO")
	page.text("https://github.com/stanch-dev/stanch/tree/main/docs")
	return page.String()
}

// commitDay is empty in a build that knows no commit.
func commitDay() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.time" {
				day, _, _ := strings.Cut(s.Value, "T")
				return day
			}
		}
	}
	return ""
}

// roff builds a page of man(7).
type roff struct{ strings.Builder }

// line writes a request with its arguments.
func (r *roff) line(request string, args ...string) {
	r.WriteString(request)
	for _, a := range args {
		r.WriteString(` "` + strings.ReplaceAll(escapeRoff(a), `"`, `\(dq`) + `"`)
	}
	r.WriteByte('\n')
}

// text writes paragraphs. One with an indented line is a table or an example, and keeps its lines.
func (r *roff) text(s string) {
	for i, paragraph := range strings.Split(strings.Trim(s, "\n"), "\n\n") {
		if i > 0 {
			r.line(".PP")
		}
		lines := strings.Split(strings.Trim(paragraph, "\n"), "\n")
		keep := slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, " ") || strings.HasPrefix(l, "\t") })
		if keep {
			r.line(".nf")
		}
		for _, l := range lines {
			l = escapeRoff(strings.ReplaceAll(l, "\t", "    "))
			if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
				l = `\&` + l // else it would be a request
			}
			r.WriteString(strings.TrimRight(l, " ") + "\n")
		}
		if keep {
			r.line(".fi")
		}
	}
}

// commands writes a section for each command below c.
func (r *roff) commands(c *cobra.Command) {
	for _, sub := range c.Commands() {
		if !sub.IsAvailableCommand() {
			continue
		}
		r.line(".SS", UsageLine(sub))
		if sub.Long != "" {
			r.text(sub.Long)
		} else {
			r.text(sub.Short + ".")
		}
		if sub.Example != "" {
			r.line(".PP")
			r.text("Examples:\n\n" + sub.Example)
		}
		for _, group := range FlagGroups(sub) {
			r.line(".PP")
			r.WriteString(`\fB` + escapeRoff(group.Heading) + "\\fR\n")
			for _, f := range group.Flags {
				r.flag(f)
			}
		}
		r.commands(sub)
	}
}

func (r *roff) flag(f *pflag.Flag) {
	typed, usage := FlagText(f)
	for i, word := range strings.Fields(typed) { // "-f,", "--format", "FORMAT"
		if i == 0 {
			r.WriteString(".TP\n")
		} else {
			r.WriteString(" ")
		}
		name, comma := strings.CutSuffix(word, ",")
		font := `\fI`
		if strings.HasPrefix(word, "-") {
			font = `\fB`
		}
		r.WriteString(font + escapeRoff(name) + `\fR`)
		if comma {
			r.WriteString(",")
		}
	}
	r.WriteString("\n")
	r.text(usage)
}

// escapeRoff keeps s as it is: a plain "-" would be printed as a hyphen, which no shell takes.
func escapeRoff(s string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
}

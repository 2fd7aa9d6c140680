package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
)

const commandsPage = "../../docs/commands.md"

const commandsPageHead = `<!-- go test -tags sweep ./cmd/stanch -run CommandsPage -update writes this page from the help. -->

# Commands

` + "`stanch COMMAND --help` prints the same for one command, and `stanch man` the man page." + `
A repeatable flag is given once for each value. In CI,
` + "`stanch ci`" + ` takes each flag from a variable too ([ci.md](ci.md)).

`

// TestCommandsPage keeps docs/commands.md in step with the help of each command. A build without
// the tag sweep leaves those of sweeps out of the comparison.
func TestCommandsPage(t *testing.T) {
	commands := allCommands(t)
	sweeps := slices.ContainsFunc(commands, func(c *cobra.Command) bool { return c.CommandPath() == "stanch sweep run" })
	var page strings.Builder
	page.WriteString(commandsPageHead)
	for _, cmd := range inOrder(commands[0]) {
		writeCommand(&page, cmd)
	}
	want := page.String()
	if *update {
		if !sweeps {
			t.Fatal("-update needs -tags sweep: the page has all commands")
		}
		if err := os.WriteFile(commandsPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(commandsPage)
	if err != nil {
		t.Fatal(err)
	}
	got := string(text)
	if !sweeps {
		ofSweep := regexp.MustCompile(`(?m)^## stanch sweep\b`)
		got, want = withoutSections(got, ofSweep), withoutSections(want, ofSweep)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/commands.md is not what the help says; go test -tags sweep ./cmd/stanch -run CommandsPage -update (-help +docs):\n%s", diff)
	}
}

// inOrder returns cmd and those below it that the help shows, each above its subcommands.
func inOrder(cmd *cobra.Command) []*cobra.Command {
	list := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "help" && cmd.Name() != "completion" { // those of cobra are long
			list = append(list, inOrder(sub)...)
		}
	}
	return list
}

// withoutSections returns page without the sections whose heading matches.
func withoutSections(page string, heading *regexp.Regexp) string {
	sections := regexp.MustCompile(`(?m)^## `).FindAllStringIndex(page, -1)
	var kept strings.Builder
	for i, at := range sections {
		end := len(page)
		if i+1 < len(sections) {
			end = sections[i+1][0]
		}
		if i == 0 {
			kept.WriteString(page[:at[0]])
		}
		if section := page[at[0]:end]; !heading.MatchString(section) {
			kept.WriteString(section)
		}
	}
	return kept.String()
}

// writeCommand writes the section of a command; that of stanch itself has no heading.
func writeCommand(page *strings.Builder, cmd *cobra.Command) {
	if cmd.HasParent() {
		page.WriteString("## " + cmd.CommandPath() + "\n\n")
		writeBlock(page, cli.UsageLine(cmd))
	}
	if cmd.Long != "" {
		writeText(page, cmd.Long)
	} else {
		writeText(page, cmd.Short+".")
	}
	if cmd.Example != "" {
		writeBlock(page, cmd.Example)
	}
	for _, group := range cli.FlagGroups(cmd) {
		page.WriteString("| " + group.Heading + " | |\n|---|---|\n")
		for _, f := range group.Flags {
			typed, usage := cli.FlagText(f)
			page.WriteString("| `" + strings.Replace(typed, ", ", "`, `", 1) + "` | " + escapeMarkdown(usage) + " |\n")
		}
		page.WriteString("\n")
	}
}

// writeText writes paragraphs, and indented lines as a block.
func writeText(page *strings.Builder, text string) {
	for paragraph := range strings.SplitSeq(strings.Trim(text, "\n"), "\n\n") {
		var prose, block []string
		for line := range strings.Lines(paragraph) {
			line = strings.TrimSuffix(line, "\n")
			if line != strings.TrimLeft(line, " \t") {
				block = append(block, line)
			} else {
				prose = append(prose, strings.TrimLeft(line, "# "))
			}
		}
		if len(prose) > 0 {
			page.WriteString(escapeMarkdown(strings.Join(prose, " ")) + "\n\n")
		}
		if len(block) > 0 {
			writeBlock(page, strings.Join(block, "\n"))
		}
	}
}

// writeBlock writes lines as they are, without the indentation of the first.
func writeBlock(page *strings.Builder, text string) {
	page.WriteString("```\n")
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		page.WriteString(strings.TrimPrefix(strings.TrimPrefix(line, "\t"), "  "))
	}
	page.WriteString("\n```\n\n")
}

func escapeMarkdown(s string) string {
	return strings.NewReplacer("|", `\|`, "*", `\*`, "<", `\<`, "[", `\[`).Replace(s)
}

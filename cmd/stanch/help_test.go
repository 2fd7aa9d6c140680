package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
)

// allCommands returns stanch and all of its commands that the help shows, the root first.
func allCommands(t *testing.T) []*cobra.Command {
	t.Helper()
	for _, v := range []string{"GITHUB_API_URL", "STANCH_APP_ID", "STANCH_APP_KEY"} {
		t.Setenv(v, "") // defaults of flags
	}
	root := newRoot(&cli.Streams{Version: "0.0.0"}, nil)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	list := []*cobra.Command{root}
	for i := 0; i < len(list); i++ {
		for _, sub := range list[i].Commands() {
			if sub.IsAvailableCommand() && sub.Name() != "help" {
				list = append(list, sub)
			}
		}
	}
	return list
}

// helpOf returns the help of a command, as a user asks for it.
func helpOf(t *testing.T, cmd *cobra.Command, width int) string {
	t.Helper()
	t.Setenv("COLUMNS", fmt.Sprint(width))
	return printed(t, cli.ExitClean, "", append(strings.Fields(cmd.CommandPath())[1:], "--help")...)
}

// TestHelp: at each width, no line of a help is longer, unless it is a single word; each flag
// stands once, with its whole text; and nothing is for a terminal or beyond ASCII.
// With STANCH_HELP=FOLDER it writes the pages there, to be looked at.
func TestHelp(t *testing.T) {
	for _, cmd := range allCommands(t) {
		for _, width := range []int{40, 60, 80, 120} {
			help := helpOf(t, cmd, width)
			name := fmt.Sprintf("%s at %d columns", cmd.CommandPath(), width)
			for line := range strings.Lines(help) {
				line = strings.TrimSuffix(line, "\n")
				if n := utf8.RuneCountInString(line); n > min(width, 100) && len(strings.Fields(strings.TrimSuffix(line, ` \`))) > 1 {
					t.Errorf("%s: %d columns: %q", name, n, line)
				}
				if i := strings.IndexFunc(line, func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 {
					t.Errorf("%s: not ASCII: %q", name, line)
				}
				if strings.TrimRight(line, " ") != line {
					t.Errorf("%s: blanks at the end of %q", name, line)
				}
			}
			checkFlags(t, name, help, cmd)
			if dir := os.Getenv("STANCH_HELP"); dir != "" {
				file := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s.%d.txt", file, width)), []byte(help), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// checkFlags holds that help has each flag of cmd once, with all of its text, and none that is
// hidden.
func checkFlags(t *testing.T, name, help string, cmd *cobra.Command) {
	t.Helper()
	words := " " + strings.Join(strings.Fields(help), " ") + " "
	cmd.InheritedFlags() // adds those of the parents to cmd.Flags
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		typed, usage := cli.FlagText(f)
		switch n := strings.Count(words, " "+typed+" "+strings.Join(strings.Fields(usage), " ")+" "); {
		case f.Name == "help":
		case f.Hidden && strings.Contains(words, "--"+f.Name):
			t.Errorf("%s: --%s is hidden, and there", name, f.Name)
		case !f.Hidden && n != 1:
			t.Errorf("%s: %s is there %d times: %s", name, typed, n, usage)
		}
	})
}

// TestFlagGroups: commands with many flags have them in groups with headings of their own, and
// every usage is short.
func TestFlagGroups(t *testing.T) {
	for _, cmd := range allCommands(t) {
		groups := cli.FlagGroups(cmd)
		seen := map[string]bool{}
		for _, g := range groups {
			if g.Heading == "Flags" && len(groups) > 1 {
				t.Errorf("%s has flags in no group: give them a row in cli/helpflags.go", cmd.CommandPath())
			}
			for _, f := range g.Flags {
				if seen[f.Name] {
					t.Errorf("%s: --%s is in two groups", cmd.CommandPath(), f.Name)
				}
				seen[f.Name] = true
				typed, _ := cli.FlagText(f)
				_, usage := pflag.UnquoteUsage(f)
				if n := len(usage); n > 120 {
					t.Errorf("%s: the usage of --%s has %d characters, more than 120: %s", cmd.CommandPath(), f.Name, n, usage)
				}
				if value := typed[strings.LastIndex(typed, " ")+1:]; f.Value.Type() != "bool" && strings.ToUpper(value) != value {
					t.Errorf("%s: %s: name the value by a word in backquotes, in capitals", cmd.CommandPath(), typed)
				}
			}
		}
	}
}

// TestHelpNamesPagesByURL: whoever installed a release has no folder docs.
func TestHelpNamesPagesByURL(t *testing.T) {
	for _, cmd := range allCommands(t) {
		if rest := strings.ReplaceAll(cmd.Long, "https://github.com/stanch-dev/stanch/blob/main/docs/", ""); strings.Contains(rest, "docs/") {
			t.Errorf("%s names a page by its path: %s", cmd.CommandPath(), rest)
		}
	}
}

// TestHelpOfStanch: the first page fits on a screen, begins with the table of jobs, and names
// each command there is.
func TestHelpOfStanch(t *testing.T) {
	commands := allCommands(t)
	help := helpOf(t, commands[0], 80)
	if n := strings.Count(help, "\n"); n < 24 || n > 42 {
		t.Errorf("it has %d lines, not 24 to 42", n)
	}
	if i := strings.Index(help, "\nScan\n  stanch git "); i < 0 || strings.Count(help[:i], "\n") > 3 {
		t.Error("it does not begin with the jobs")
	}
	for _, c := range commands[1:] {
		if c.Parent() == commands[0] && !strings.Contains(help, "\n  "+c.CommandPath()+" ") {
			t.Errorf("%s has no row in doc.go", c.CommandPath())
		}
	}
}

// TestHelpSaysThatKeysAreUsed: commands that ask AWS by default say so in their first lines,
// and how not to.
func TestHelpSaysThatKeysAreUsed(t *testing.T) {
	for _, cmd := range allCommands(t) {
		verify := cmd.Flags().Lookup("verify")
		if verify == nil || verify.DefValue != "true" {
			continue
		}
		lines := strings.SplitAfter(helpOf(t, cmd, 80), "\n")
		if cmd.Name() == "serve" { // its page comes first
			continue
		}
		first := strings.Join(strings.Fields(strings.Join(lines[:6], "")), " ")
		for _, want := range []string{"for one call at AWS, sts:GetCallerIdentity", "--no-verify sends nothing"} {
			if !strings.Contains(first, want) {
				t.Errorf("%s --help does not say %q in its first lines", cmd.CommandPath(), want)
			}
		}
	}
}

// TestHelpShows: what people look for in the help is there.
func TestHelpShows(t *testing.T) {
	for _, tt := range []struct{ command, shows string }{
		{"", "saved image"},
		{"dir", "stanch dir image.tar "},
		{"git", "stanch git -f json | jq 'select(.may_be_live == true)'"},
	} {
		if help := printed(t, cli.ExitClean, "", append(strings.Fields(tt.command), "--help")...); !strings.Contains(help, tt.shows) {
			t.Errorf("stanch %s --help: %q is missing:\n%s", tt.command, tt.shows, help)
		}
	}
}

// TestExamples: each command but those of the shell and of lists has an example, and what an
// example types is a command with flags that there are.
func TestExamples(t *testing.T) {
	for _, cmd := range allCommands(t) {
		if path := strings.Fields(cmd.CommandPath()); len(path) > 1 && path[1] == "completion" {
			continue // of cobra
		}
		for line := range strings.Lines(cmd.Example) {
			line, _, _ = strings.Cut(line, "  #")
			line, _, _ = strings.Cut(line, " >")
			line, _, _ = strings.Cut(line, " <")
			for part := range strings.SplitSeq(line, "|") {
				words := strings.Fields(strings.ReplaceAll(part, "'", ""))
				if len(words) < 2 || words[0] != "stanch" {
					continue
				}
				root := newRoot(&cli.Streams{}, nil)
				sub, rest, err := root.Find(words[1:])
				if err == nil && !sub.DisableFlagParsing {
					err = sub.ParseFlags(rest)
				}
				if err != nil {
					t.Errorf("%s: the example %q: %v", cmd.CommandPath(), line, err)
				}
			}
		}
		if first := []string{"git", "github", "dir", "ci", "hook"}; slices.Contains(first, cmd.Name()) && strings.Contains(helpOf(t, cmd, 80), "\n  # ") {
			t.Errorf("%s: at 80 columns the words of the examples are not beside the commands", cmd.CommandPath())
		}
		if cmd.Example == "" && cmd.Runnable() && cmd.HasParent() && len(cli.FlagGroups(cmd)) > 0 && !slices.Contains([]string{"list", "log", "status", "uninstall", "migrate"}, cmd.Name()) {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
	}
}

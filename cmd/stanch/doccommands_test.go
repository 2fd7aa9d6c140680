package main

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
)

var (
	// inText and inBlock match commands in the text of a page and in its fenced blocks.
	inText  = regexp.MustCompile("`stanch ([^`\n]*)`")
	inBlock = regexp.MustCompile(`(?m)(?:^[ $]*(?:[A-Z_]+=\S+ )*|[|&;(] *|[a-z-]+: +"?|")stanch ([a-z-][^\n]*)`)
	// endOfCommand is where a shell or a comment ends the words of a command.
	endOfCommand = regexp.MustCompile(` ( |#|<|>|\||&|;|2>)|[|&;]\s|[)}]|"(,|$)|\\$`)
	pageWord     = regexp.MustCompile(`(?:'[^']*'|"[^"]*"|[^\s'"])+`)
)

// TestDocumentedCommands: each command in the documentation is one, and has the flags that
// stand behind it. A flag that was renamed would be in the way of every reader.
func TestDocumentedCommands(t *testing.T) {
	withSweep := !strings.Contains(printed(t, cli.ExitClean, "", "sweep", "--help"), "-tags sweep")
	seen := 0
	for _, name := range append(pages(t), "docs/deploy/README.md") {
		page := strings.ReplaceAll(readPage(t, name), `\|`, "|")
		found := inText.FindAllStringSubmatch(fenced.ReplaceAllString(page, ""), -1)
		for _, block := range fenced.FindAllString(page, -1) {
			found = append(found, inBlock.FindAllStringSubmatch(block, -1)...)
		}
		for _, m := range found {
			line := m[1]
			if at := endOfCommand.FindStringIndex(line); at != nil {
				line = line[:at[0]]
			}
			args := documentedWords(line)
			if len(args) == 0 || args[0] == "sweep" && !withSweep {
				continue
			}
			seen++
			if err := checkDocumented(t, args); err != "" {
				t.Errorf("%s: stanch %s: %s", name, m[1], err)
			}
		}
	}
	if seen < 150 { // today 214, and 30 more with sweep
		t.Errorf("%d commands were found in the pages", seen)
	}
}

// documentedWords returns the words of a command. It leaves out what stands for another word,
// as [PATH|URL] and COMMAND do.
func documentedWords(line string) (words []string) {
	for _, word := range pageWord.FindAllString(line, -1) {
		switch {
		case strings.ContainsAny(word[:1], "[(<"), word == "COMMAND":
		case len(words) == 0 && !regexp.MustCompile(`^(-|[a-z]+$)`).MatchString(word):
			return nil
		default:
			words = append(words, strings.Trim(word, `'",`))
		}
	}
	return words
}

// checkDocumented returns why stanch does not take args, or "". With --help, nothing is run.
func checkDocumented(t *testing.T, args []string) string {
	t.Helper()
	var out, log bytes.Buffer
	at := slices.IndexFunc(args, func(word string) bool { return strings.HasPrefix(word, "-") })
	if at < 0 {
		at = len(args)
	}
	if code := cli.ExitCode(&log, run(t.Context(), slices.Insert(slices.Clone(args), at, "--help"), strings.NewReader(""), &out, &log)); code != cli.ExitClean {
		if strings.HasPrefix(args[len(args)-1], "--") && strings.Contains(log.String(), "needs a value after it") {
			return "" // the text names the flag
		}
		return log.String()
	}
	command := args[:min(at, 1)]
	if at > 1 && slices.Contains([]string{"hook", "respond", "sweep"}, args[0]) {
		command = args[:2]
	}
	if !regexp.MustCompile(`stanch ` + regexp.QuoteMeta(strings.Join(command, " ")) + `\b`).MatchString(out.String()) {
		return "unknown command"
	}
	return ""
}

// TestUndocumentedCommands: the check above finds what is not there.
func TestUndocumentedCommands(t *testing.T) {
	for _, line := range []string{"gti", "hook instal", "git --formt json", "respond plan --jornal x"} {
		if checkDocumented(t, documentedWords(line)) == "" {
			t.Errorf("stanch %s passes", line)
		}
	}
}

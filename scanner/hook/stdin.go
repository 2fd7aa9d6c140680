package hook

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// swallowed says why refs may be pushed although standard input was empty: another program
// may have read them before. It returns "" if nothing is pushed. git gives pre-push a pipe,
// and the name and the URL of the remote as arguments. file is that of pushHook.
func (h *Hook) swallowed(file string) string {
	const why = "no refs came in on standard input"
	if len(h.Args) == 0 || h.NoPipe {
		return why
	}
	switch {
	case h.lefthookSwallows(file):
		return why + ", which lefthook passes on with use_stdin: true only"
	case lfsSwallows(file):
		return why + ", which git lfs has read before stanch"
	}
	return ""
}

// pushHook returns the text of the pre-push hook that git runs, with that of the user's hook
// if it is husky's. It returns "" if each hook gets standard input for itself: from git's
// configuration, or from a hook of stanch.
func pushHook(ctx context.Context) string {
	// An older git knows no "hook list", and runs no hook that its configuration names.
	if list, err := git(ctx, "hook", "list", PrePush); err == nil && slices.Contains(strings.Split(list, "\n"), hookName(PrePush)) {
		return ""
	}
	file, _ := git(ctx, "rev-parse", "--git-path", "hooks/pre-push") // none is ""
	text, _ := os.ReadFile(file)
	if dir := filepath.Dir(file); filepath.Base(dir) == "_" {
		users, _ := os.ReadFile(filepath.Join(filepath.Dir(dir), PrePush))
		text = slices.Concat(text, users)
	}
	if isOurs(text) { // it gives standard input to each hook that it runs
		return ""
	}
	return string(text)
}

// lfsSwallows reports whether a hook runs git lfs, which reads standard input, before
// stanch. A line with a pipe or a redirection gives git lfs another input.
func lfsSwallows(hook string) bool {
	before, _, found := strings.Cut(hook, "stanch hook run")
	for line := range strings.Lines(before) {
		line = strings.ReplaceAll(line, "||", "")
		if found && strings.Contains(line, "lfs pre-push") && !strings.ContainsAny(line, "|<#") {
			return true
		}
	}
	return false
}

// lefthookSwallows reports whether lefthook runs stanch without passing standard input on: it
// gives an empty pipe then. If git runs lefthook and no configuration of lefthook names
// stanch, a script or another file may run it: that counts as well.
func (h *Hook) lefthookSwallows(hook string) bool {
	runsAtPush := regexp.MustCompile(`^[^#]*\bstanch hook run\b.*\bpre-push\b`)
	named := false
	for _, pattern := range []string{"lefthook*", ".lefthook*", filepath.Join(".config", "lefthook*")} {
		files, _ := filepath.Glob(filepath.Join(h.Root, pattern)) // the pattern is right
		for _, file := range files {
			text, _ := os.ReadFile(file) // a folder has no text
			lines := strings.Split(string(bytes.ReplaceAll(text, []byte("\r"), nil)), "\n")
			for i, line := range lines {
				if !runsAtPush.MatchString(line) {
					continue
				}
				if named = true; !usesStdin(lines, i) {
					return true
				}
			}
		}
	}
	return !named && strings.Contains(hook, "lefthook")
}

// usesStdin reports whether the command of lefthook in lines[i] has use_stdin: true in the
// same braces, or in a line of the same block with the same indentation.
func usesStdin(lines []string, i int) bool {
	key := regexp.MustCompile(`^(- )?["']?use_stdin["']? *[:=] *true\b`)
	// braces is for {use_stdin: true, run: "stanch hook run {1}"}, in any order.
	braces := regexp.MustCompile(`\{[^{}]*\buse_stdin["']?: *true,[^{}]*\bstanch hook run|\bstanch hook run([^{}]|\{\d\})*,[^{}]*\buse_stdin["']?: *true\b`)
	own := column(lines[i])
	inside := func(line string) bool {
		text := strings.TrimSpace(line)
		return column(line) >= own || text == "" || text[0] == '#'
	}
	begins := func(line string) bool { // an item of a list, or a table of TOML
		text := strings.TrimSpace(line)
		return column(line) == own && (strings.HasPrefix(text, "- ") || strings.HasPrefix(text, "["))
	}
	from, to := i, i+1
	for from > 0 && !begins(lines[from]) && inside(lines[from-1]) {
		from--
	}
	for to < len(lines) && !begins(lines[to]) && inside(lines[to]) {
		to++
	}
	return braces.MatchString(lines[i]) || slices.ContainsFunc(lines[from:to], func(line string) bool {
		return column(line) == own && key.MatchString(strings.TrimSpace(line))
	})
}

// column returns where the text of a line begins; in "- run: x", after the dash.
func column(line string) int { return len(line) - len(strings.TrimLeft(line, " \t-")) }

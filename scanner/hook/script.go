package hook

import (
	"bytes"
	"fmt"
	"strings"
)

// marker is a line in each hook that stanch has written, and in no other.
const marker = "# written by stanch hook install; stanch hook uninstall removes it"

// chained is the suffix of a hook that was there before.
const chained = ".before-stanch"

func isOurs(text []byte) bool { return bytes.Contains(text, []byte(marker)) }

// globalHooks are the files that "stanch hook install --global" once made, for git before
// 2.54, in a folder that core.hooksPath named.
var globalHooks = []string{
	"applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit", "prepare-commit-msg", "commit-msg",
	"post-commit", "pre-rebase", "post-checkout", "post-merge", "pre-push", "pre-auto-gc", "post-rewrite", "sendemail-validate",
	"post-index-change", "reference-transaction", "push-to-checkout",
}

// script returns the text of a hook, for the shell that comes with git (POSIX sh). It runs
// the hook that was there before, and then stanch. Both get the input that git writes.
func (i *Installer) script(name string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "#!/bin/sh\n%s\n", marker)
	from := ""
	if name == PrePush || name == PreReceive {
		b.WriteString("input=$(cat; echo .)\n")
		from = `printf '%s' "${input%.}" | `
	}
	before := `"$0` + chained + `"`
	fmt.Fprintf(&b, "if [ -x %s ]; then\n\t%s%s \"$@\" || exit\nfi\n", before, from, before)
	fmt.Fprintf(&b, "%s\n%s%s \"$@\"\n", i.find("remove $0"), from, runStage(name))
	return []byte(b.String())
}

// command returns the hook of a stage for the configuration of git. git adds the arguments
// at its end. It is one line, so that a list of the configuration can be read.
func (i *Installer) command(stage string) string {
	return i.find("run git config "+i.scope()+" --remove-section "+section(stage)) + "; " + runStage(stage)
}

// find returns shell code that sets $stanch: to the program that installs or, if that is
// gone after an upgrade, to the one on PATH. Without either it exits with 3 and says how to
// mend that: install stanch, or remove the hook.
func (i *Installer) find(remove string) string {
	return fmt.Sprintf(`stanch=%s; [ -x "$stanch" ] || stanch=$(command -v stanch) || { `+
		`echo "stanch is not installed any more, and nothing was scanned: install it, or %s" >&2; exit 3; }`, quoted(i.executable), remove)
}

func runStage(stage string) string { return `"$stanch" hook run --stage ` + stage }

// section returns the section of git's configuration for the hook of a stage.
func section(stage string) string { return "hook.stanch-" + stage }

// program returns the program that a command in git's configuration names: its first quoted
// word.
func program(command string) string {
	_, rest, _ := strings.Cut(command, "'")
	word, _, _ := strings.Cut(strings.ReplaceAll(rest, `'\''`, "\x00"), "'")
	return strings.ReplaceAll(word, "\x00", "'")
}

// quoted returns s as one word of the shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

package main

import (
	"bytes"
	"fmt"
	"strings"
)

// marker is in each hook that stanch has written, and in no other.
const marker = "# written by stanch hook install; stanch hook uninstall removes it"

// chained is what is added to the name of a hook that was there before.
const chained = ".before-stanch"

func isOurs(text []byte) bool { return bytes.Contains(text, []byte(marker)) }

// globalHooks are the files that "stanch hook install --global" once made, for git before
// 2.54, in a folder that core.hooksPath named.
var globalHooks = []string{
	"applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit", "prepare-commit-msg", "commit-msg",
	"post-commit", "pre-rebase", "post-checkout", "post-merge", "pre-push", "pre-auto-gc", "post-rewrite", "sendemail-validate",
	"post-index-change", "reference-transaction", "push-to-checkout",
}

// script is the text of a hook, for the shell that git brings along (POSIX sh). It
// runs the hook that was there before, and then stanch. What git writes to a hook is
// read once and given to both.
func (i *installer) script(name string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "#!/bin/sh\n%s\n", marker)
	from := ""
	if name == prePush || name == preReceive {
		b.WriteString("input=$(cat; echo .)\n")
		from = `printf '%s' "${input%.}" | `
	}
	before := `"$0` + chained + `"`
	fmt.Fprintf(&b, "if [ -x %s ]; then\n\t%s%s \"$@\" || exit\nfi\n", before, from, before)
	fmt.Fprintf(&b, `stanch=%s
[ -x "$stanch" ] || stanch=$(command -v stanch) || {
	echo "stanch is not installed any more, and nothing was scanned: install it, or remove $0" >&2
	exit 3
}
%s"$stanch" hook run --stage %s "$@"
`, quoted(i.executable), from, name)
	return []byte(b.String())
}

// section is where the configuration of git has the hook of a stage.
func section(stage string) string { return "hook.stanch-" + stage }

// quoted is s as one word of the shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

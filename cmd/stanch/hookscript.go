package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// marker is in each hook that stanch has written, and in no other.
const marker = "# written by stanch hook install; stanch hook uninstall removes it"

// chained is what is added to the name of a hook that was there before.
const chained = ".before-stanch"

func isOurs(text []byte) bool { return bytes.Contains(text, []byte(marker)) }

// clientHooks are the hooks that git runs on a developer's machine (githooks(5)).
// With core.hooksPath, git looks for all of them in one folder.
var clientHooks = []string{
	"applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit", "prepare-commit-msg", "commit-msg",
	"post-commit", "pre-rebase", "post-checkout", "post-merge", "pre-push", "pre-auto-gc", "post-rewrite", "sendemail-validate",
	"post-index-change", "reference-transaction", "push-to-checkout",
}

// script is the text of a hook, for the shell that git brings along (POSIX sh). It
// runs the hook that was there before, in a global hook that of the repository, and
// then stanch. What git writes to a hook is read once and given to both.
func (i *installer) script(name string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "#!/bin/sh\n%s\n", marker)
	before := `"$0` + chained + `"`
	scans := slices.Contains(i.stages, name)
	if i.global {
		// While git init runs, its reference-transaction finds no repository yet.
		otherwise := "2>/dev/null) || exit 0"
		if scans {
			otherwise = ") || exit"
		}
		b.WriteString("dir=$(git rev-parse --git-common-dir " + otherwise + "\n")
		before = `"$dir/hooks/` + name + `"`
	}
	reads := name == prePush || name == preReceive
	from := ""
	if reads {
		b.WriteString("input=$(cat; echo .)\n")
		from = `printf '%s' "${input%.}" | `
	}
	fmt.Fprintf(&b, "if [ -x %s ]; then\n\t%s%s \"$@\" || exit\nfi\n", before, from, before)
	if scans {
		fmt.Fprintf(&b, `stanch=%s
[ -x "$stanch" ] || stanch=$(command -v stanch) || {
	echo "stanch is not installed any more, and nothing was scanned: install it, or remove $0" >&2
	exit 3
}
%s"$stanch" hook run --stage %s "$@"
`, quoted(i.executable), from, name)
	}
	return []byte(b.String())
}

// quoted is s as one word of the shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

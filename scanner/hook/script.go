package hook

import (
	"bytes"
	"fmt"
	"strings"
)

// marker is a line in each hook that stanch has written, and in no other.
const marker = "# written by stanch hook install; stanch hook uninstall removes it"

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
//
// git 2.54 and later has run stanch from its configuration if it is there. The file asks
// the git that runs it: the parent, where /proc tells it, or else GIT_EXEC_PATH/git, which a
// git may have inherited from another. The one on PATH is none of them: a GUI may bring one of
// its own, or none. If in doubt, stanch runs twice rather than not at all. It also runs
// again if a hook from before has changed what is committed.
//
// A pre-commit or prek that was installed again runs this file as NAME.legacy; their hook
// from before would refuse to be called by its successor. The one that it ran runs instead.
func (i *Installer) script(name string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "#!/bin/sh\n%s\n", marker)
	from, runBefore := "", `seen=$(committed "$@")
	"$before" "$@" || exit
	[ "$GIT_INDEX_FILE" ] && [ "$seen" = "$(committed "$@")" ] || again=true`
	if name == PrePush || name == PreReceive {
		b.WriteString("input=$(cat; echo .)\n")
		from = `printf '%s' "${input%.}" | `
		runBefore = from + `"$before" "$@" || exit`
	} else { // the index, and the message if the stage has one
		b.WriteString("committed() { cat \"$GIT_INDEX_FILE\" \"$@\" 2>/dev/null | cksum; }\n")
	}
	fmt.Fprintf(&b, `hooks=$(cd -P "${0%%/*}" && pwd -P)
before=$hooks%s/%s
case $0 in *%[3]s) grep -q %[4]s "$before" 2>/dev/null && before=$before%[3]s ;; esac
again=false
if [ -x "$before" ]; then
	%[5]s
fi
# git 2.54 and later has run stanch already, if its configuration names it.
if [ $again = false ]; then
	git=$(readlink "/proc/$PPID/exe" 2>/dev/null)
	case ${git##*/} in git|git-*) ;; *) git=$GIT_EXEC_PATH/git ;; esac
	case "
$("$git" hook list %[2]s 2>/dev/null)
" in *[[:space:]]%[6]s[[:space:]]*) exit 0 ;; esac
fi
`, keptSuffix, name, legacySuffix, hookImpl, runBefore, hookName(name))
	b.WriteString(`undo="run: rm '$hooks/${0##*/}'"
[ ! -e "$before" ] || undo="run: mv '$before' '$hooks/${0##*/}'"
`)
	fmt.Fprintf(&b, "%s\n%s%s \"$@\"\n", i.find("$undo"), from, runStage(name))
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

// hookName is the name of a stage's hook in the configuration of git.
func hookName(stage string) string { return "stanch-" + stage }

// section returns the section of git's configuration for the hook of a stage.
func section(stage string) string { return "hook." + hookName(stage) }

// program returns the program that the code of a hook names: the quoted word after "stanch=",
// at the beginning, or else the word before "hook run".
func program(code string) string {
	_, rest, found := strings.Cut(code, "stanch='")
	if !found {
		rest, found = strings.CutPrefix(code, "'")
	}
	if !found {
		before, _, _ := strings.Cut(code, " hook run")
		return before[strings.LastIndexAny(before, " \t\n")+1:]
	}
	word, _, _ := strings.Cut(strings.ReplaceAll(rest, `'\''`, "\x00"), "'")
	return strings.ReplaceAll(word, "\x00", "'")
}

// quoted returns s as one word of the shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

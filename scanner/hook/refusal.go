package hook

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// maxNamed is how many files a command names; of more, it names one.
const maxNamed = 5

// Refusal says that git's operation is refused for keys in the places found, and how to go
// on. Commands in it can be pasted where the user called git.
func (h *Hook) Refusal(ctx context.Context, s *Subject, found []finding.Location) string {
	const refused = "the commit is refused. Rotate a key only if it was ever shared."
	allTheSame := [2]string{"commit anyway", "SKIP=stanch git commit …, or git commit --no-verify"}
	switch h.Stage {
	case PrePush:
		return page("the push is refused. Deactivate each key that was ever pushed or shared.", [][2]string{
			{"take the keys out", "git rebase -i, or git commit --amend"},
			{"", "(a commit on top does not remove them)"},
			{"push anyway", "SKIP=stanch-push git push, or git push --no-verify"},
		})
	case PreReceive:
		return "the push is refused. Take the keys out of the commits that add them: a commit on\ntop does not remove them. Deactivate each key that was ever pushed or shared."
	case CommitMsg:
		return page(refused, append(h.again(), allTheSame))
	}
	files := h.stagedFiles(ctx, s, found)
	rows := append(h.stagedRows(s, files), falseAlarm(found)...)
	switch {
	case h.Stage == byHand, h.AllFiles, len(files.committed) > 0: // in a commit, files that have not changed are not read
		return page("keys are in these files. Deactivate each one that was ever pushed or shared.", rows)
	case h.Stage == PreMerge:
		return page("the merge is refused. Rotate a key only if it was ever shared.", append(rows, allTheSame))
	}
	return page(refused, append(rows, allTheSame))
}

// again says how to edit a message that was refused. With -v, git drops the comments of the
// message, and the diff below it if there is one; with -F alone it would keep the diff.
func (h *Hook) again() [][2]string {
	const label = "take the key out"
	if filepath.Base(h.Args[0]) == "MERGE_MSG" { // of "git merge"; git commit goes on from there
		return [][2]string{{label, "git commit, and edit the message"}}
	}
	return [][2]string{{label, "git commit -v -e -F " + h.shellPath(h.Args[0])}, {"", "(repeat -a, --amend and the like, but not -m)"}}
}

// stagedRows say how keys get out of staged files.
func (h *Hook) stagedRows(s *Subject, files stagedFiles) (rows [][2]string) {
	add := func(label, command string, words []string, argument string) {
		switch {
		case len(words) == 0:
		case len(words) > maxNamed:
			rows = append(rows, [2]string{label, command + words[0] + argument}, [2]string{"", fmt.Sprintf("(the same for each of the %d files)", len(words))})
		case argument != "": // the command takes one file
			for _, word := range words {
				rows = append(rows, [2]string{label, command + word + argument})
				label = ""
			}
		default:
			rows = append(rows, [2]string{label, command + strings.Join(words, " ")})
		}
	}
	add("take the key out, then", "git add ", files.texts, "")
	add("rename the file", "git mv ", files.names, " NEW-NAME")
	if len(files.texts)+len(files.names) == 0 {
		rows = append(rows, [2]string{"take the key out, then", "git add the files again"})
	}
	if !h.underWay() { // a commit without the file would drop what the other side did to it
		// Without -f, git refuses if the file has been edited since.
		add("or .gitignore it, then", "git rm --cached -f ", files.added, "")
		add("or leave the change out", "git restore --staged ", files.edited, "")
		if staged, ok := s.Source.(*gitsource.Staged); ok && len(files.edited) > 0 && strings.HasSuffix(staged.Index, ".lock") {
			rows = append(rows, [2]string{"", "(and commit without -a, and without naming the file)"})
		}
	}
	if n := len(files.committed); n > 0 {
		names := strings.Join(files.committed[:min(n, maxNamed)], " ")
		if n > maxNamed {
			names += fmt.Sprintf(" and %d more", n-maxNamed)
		}
		rows = append(rows, [2]string{"already committed", names + ": deactivate the key, and run stanch git"})
	}
	return rows
}

// underWay reports whether the commit goes on with a merge, cherry-pick, revert or rebase.
func (h *Hook) underWay() bool {
	for _, name := range []string{"MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"} {
		if id, err := h.Repo.Resolve(name); err != nil || id != "" {
			return true
		}
	}
	for _, name := range []string{"rebase-merge", "rebase-apply"} {
		if _, err := os.Stat(filepath.Join(h.Repo.GitDir(), name)); err == nil {
			return true
		}
	}
	return h.Stage == PreMerge
}

// falseAlarm says how to allow keys that stand in found. A line of text may have a comment; a
// file name, an archive and a binary file may not.
func falseAlarm(found []finding.Location) [][2]string {
	isText := func(l finding.Location) bool {
		return l.Kind != finding.KindPath && !strings.Contains(l.Path, "!") && l.Around != nil && !strings.ContainsFunc(l.Around.Line.Reveal(), func(r rune) bool {
			return unicode.IsControl(r) && !unicode.IsSpace(r)
		})
	}
	const comment, entry = "a comment on the line: stanch:allow REASON", "stanch allow FINGERPRINT --reason REASON"
	some := slices.ContainsFunc(found, isText)
	all := !slices.ContainsFunc(found, func(l finding.Location) bool { return !isText(l) })
	switch {
	case some && all:
		return [][2]string{{"a false alarm", comment}}
	case some:
		return [][2]string{{"a false alarm", comment}, {"", "or " + entry}}
	}
	return [][2]string{{"a false alarm", entry}}
}

// stagedFiles are the files that keys are in, as words of a shell.
type stagedFiles struct {
	texts, names             []string // that hold a key in their text, and in their name
	added, edited, committed []string // that HEAD lacks, has in another version, and has as they are
}

// stagedFiles returns the files that locations are in. A location may be within an archive.
func (h *Hook) stagedFiles(ctx context.Context, s *Subject, found []finding.Location) (files stagedFiles) {
	staged, ok := s.Source.(*gitsource.Staged)
	if !ok {
		return files
	}
	for _, l := range found {
		_ = staged.Locate(ctx, []finding.BlobID{l.Blob}, func(_ finding.BlobID, at finding.Location) error {
			if l.Path != at.Path && !strings.HasPrefix(l.Path, at.Path+"!") {
				return nil
			}
			file, head := filepath.Join(h.Root, filepath.FromSlash(at.Path)), staged.BlobInHead(at.Path)
			word := h.pathspec(file)
			add := func(list *[]string) {
				if !slices.Contains(*list, word) {
					*list = append(*list, word)
				}
			}
			if at.Kind == finding.KindPath {
				if name := h.shellPath(file); !slices.Contains(files.names, name) { // git mv takes no pathspec
					files.names = append(files.names, name)
				}
				if head != "" {
					add(&files.committed)
				}
				return nil
			}
			add(&files.texts)
			switch head {
			case "":
				add(&files.added)
			case l.Blob: // all files are read, not only those that have changed
				add(&files.committed)
			default:
				add(&files.edited)
			}
			return nil
		}) // an error is that the user has interrupted
	}
	return files
}

// page returns a line and, below it, rows of a label and a text.
func page(line string, rows [][2]string) string {
	width := 0
	for _, r := range rows {
		width = max(width, len(r[0]))
	}
	var b strings.Builder
	b.WriteString(line)
	for _, r := range rows {
		fmt.Fprintf(&b, "\n  %-*s  %s", width, r[0], r[1])
	}
	return b.String()
}

// shellPath returns the name of a file as a word of a command that the user types.
func (h *Hook) shellPath(file string) string { return printable.ShellWord(h.fromHere(file)) }

// pathspec is shellPath for commands of git that take patterns: "*.env" would be all such files
// (gitglossary(7), pathspec).
func (h *Hook) pathspec(file string) string {
	name := h.fromHere(file)
	if strings.ContainsAny(name, `*?[\`) {
		name = ":(literal)" + name
	}
	return printable.ShellWord(name)
}

// fromHere returns the name of a file relative to the folder in which the user called git,
// which git tells its hooks in GIT_PREFIX.
func (h *Hook) fromHere(file string) string {
	name := file
	if here, err := filepath.Abs(filepath.FromSlash(os.Getenv("GIT_PREFIX"))); err == nil {
		if abs, err := filepath.Abs(file); err == nil {
			if rel, err := filepath.Rel(resolved(here), filepath.Join(resolved(filepath.Dir(abs)), filepath.Base(abs))); err == nil {
				name = filepath.ToSlash(rel)
			}
		}
	}
	if strings.HasPrefix(name, "-") || strings.HasPrefix(name, ":") { // no option, and no magic of git
		name = "./" + name
	}
	return name
}

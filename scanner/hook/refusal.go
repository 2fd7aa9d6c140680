package hook

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource"
)

// maxNamed is how many files a command names.
const maxNamed = 5

// Refusal says that git's operation is refused for keys in the places found, and how to go
// on. Commands in it can be pasted where the user called git.
func (h *Hook) Refusal(ctx context.Context, s *Subject, found []finding.Location) string {
	const commit = "SKIP=stanch git commit …, or git commit --no-verify"
	switch h.Stage {
	case PrePush:
		return page("the push is refused. Deactivate each key that was ever pushed or shared.", [][2]string{
			{"take the keys out", "git rebase -i, or git commit --amend"},
			{"", "(a commit on top does not remove them)"},
			{"push all the same", "SKIP=stanch-push git push, or git push --no-verify"},
		})
	case PreReceive:
		return "the push is refused. Take the keys out of the commits that bring them: a commit on\ntop does not remove them. Deactivate each key that was ever pushed or shared."
	case CommitMsg:
		return page("the commit is refused. Rotate a key only if it was ever shared.", [][2]string{
			{"take the key out", "git commit -e -F " + h.shellPath(h.Args[0])},
			{"commit all the same", commit},
		})
	}
	rows := append(h.stagedRows(ctx, s, found),
		[2]string{"a false alarm", "a comment on the line: stanch:allow REASON"}, [2]string{"commit all the same", commit})
	what := "commit"
	if h.Stage == PreMerge {
		what = "merge"
	}
	return page("the "+what+" is refused. Rotate a key only if it was ever shared.", rows)
}

// stagedRows say how keys get out of staged files.
func (h *Hook) stagedRows(ctx context.Context, s *Subject, found []finding.Location) [][2]string {
	var all, added, edited, committed []string
	staged, ok := s.Source.(*gitsource.Staged)
	if ok {
		for _, file := range stagedFiles(ctx, staged, found) {
			word := h.shellPath(filepath.Join(h.Root, filepath.FromSlash(file.path)))
			all = append(all, word)
			switch staged.BlobInHead(file.path) {
			case "":
				added = append(added, word)
			case file.content: // all files are read, not only those that have changed
				committed = append(committed, word)
			default:
				edited = append(edited, word)
			}
		}
	}
	rows := [][2]string{{"take the key out, then", "git add " + some(all)}}
	if len(added) > 0 {
		rows = append(rows, [2]string{"or .gitignore it, then", "git rm --cached " + some(added)})
	}
	switch {
	case len(edited) == 0:
	case strings.HasSuffix(staged.Index, ".lock"): // of this "git commit -a" or "git commit FILE" alone
		rows = append(rows, [2]string{"or leave the change out", "git commit without -a, and without the name of the file"})
	default:
		rows = append(rows, [2]string{"or leave the change out", "git restore --staged " + some(edited)})
	}
	if len(committed) > 0 {
		rows = append(rows, [2]string{"committed before", some(committed) + ": deactivate the key, and see stanch git"})
	}
	return rows
}

type stagedFile struct {
	path    string
	content finding.BlobID
}

// stagedFiles returns the staged files that locations are in, each once. A location may be
// within an archive.
func stagedFiles(ctx context.Context, staged *gitsource.Staged, found []finding.Location) (files []stagedFile) {
	for _, l := range found {
		_ = staged.Locate(ctx, []finding.BlobID{l.Blob}, func(_ finding.BlobID, at finding.Location) error {
			file := stagedFile{at.Path, l.Blob}
			if (l.Path == at.Path || strings.HasPrefix(l.Path, at.Path+"!")) && !slices.Contains(files, file) {
				files = append(files, file)
			}
			return nil
		}) // an error is that the user has interrupted
	}
	return files
}

// some returns words in a line, the first of them if there are many.
func some(words []string) string {
	switch {
	case len(words) == 0:
		return "the files again"
	case len(words) > maxNamed:
		return strings.Join(words[:maxNamed], " ") + " …"
	}
	return strings.Join(words, " ")
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

// shellPath returns the name of a file for a command that the user types: relative to the
// folder in which they called git, which git tells its hooks in GIT_PREFIX.
func (h *Hook) shellPath(file string) string {
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
	return shellWord(name)
}

// isPlain reports whether a shell takes s as it is. It is no regexp, which takes time at each
// start to compile.
func isPlain(s string) bool {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./@%+=:,-"
	return s != "" && strings.Trim(s, plain) == ""
}

// shellWord returns s as one word of a shell, and of a line that cannot move the cursor: a
// name with odd characters in the form $'…', which bash, zsh and ksh read.
func shellWord(s string) string {
	switch {
	case isPlain(s):
		return s
	case utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0:
		return quoted(s)
	}
	var b strings.Builder
	b.WriteString("$'")
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == '\'' || r == '\\':
			b.WriteString(`\` + s[:size])
		case r == utf8.RuneError && size == 1 || !unicode.IsPrint(r):
			for i := range size {
				fmt.Fprintf(&b, `\%03o`, s[i])
			}
		default:
			b.WriteString(s[:size])
		}
		s = s[size:]
	}
	return b.String() + "'"
}

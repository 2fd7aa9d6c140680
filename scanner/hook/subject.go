package hook

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner/dirsource"
	"github.com/stanch-dev/stanch/scanner/gitsource"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// ErrUsage marks an error of usage. Every other error means that nothing could be read.
var ErrUsage = errors.New("wrong usage")

// FindStage returns h.Stage or, if it is "", the stage that the environment and the arguments
// tell.
func (h *Hook) FindStage() string {
	switch {
	case h.Stage != "":
		return h.Stage
	case os.Getenv("PRE_COMMIT_REMOTE_NAME") != "" || os.Getenv("PRE_COMMIT_TO_REF") != "":
		return PrePush
	case os.Getenv("GIT_QUARANTINE_PATH") != "":
		return PreReceive
	case len(h.Args) == 1 && h.isMessage(h.Args[0]):
		return CommitMsg
	}
	return PreCommit
}

// isMessage reports whether a file is the message of a commit. git keeps that in the git
// directory, from which no file is committed.
func (h *Hook) isMessage(file string) bool {
	abs, err := filepath.Abs(file)
	if err != nil {
		return false
	}
	rel, err := filepath.Rel(h.Repo.GitDir(), abs)
	return err == nil && filepath.IsLocal(rel) && h.Root != ""
}

// Subject returns the source that the hook scans in its stage.
func (h *Hook) Subject(ctx context.Context) (s *Subject, err error) {
	switch h.Stage {
	case CommitMsg:
		s, err = h.message()
	case PrePush:
		s, err = h.push(ctx)
	case PreReceive:
		s, err = h.received()
	default:
		s, err = h.staged()
	}
	if err != nil {
		return nil, err
	}
	s.Note = h.note
	return s, nil
}

// staged returns the index that git is about to commit. That is not always the index of the
// work tree: "git commit -a" and "git commit FILE" make their own (githooks(5),
// GIT_INDEX_FILE).
func (h *Hook) staged() (*Subject, error) {
	src := &gitsource.Staged{Repo: h.Repo, Index: os.Getenv("GIT_INDEX_FILE"), Whole: h.AllFiles, CountLines: h.CountLines}
	if h.Root == "" && src.Index == "" && len(h.Args) == 0 {
		return nil, errors.New(`there is no index here, as in a bare repository: on a server, use --stage pre-receive, and for the history "stanch git"`)
	}
	head, err := h.Repo.Resolve("HEAD")
	if err != nil {
		return nil, err
	}
	if head != "" {
		src.Parents = append([]string{head}, h.merged(head)...)
	}
	for _, file := range h.Args {
		p, err := h.inTree(file)
		if err != nil {
			return nil, err
		}
		src.Paths = append(src.Paths, p)
	}
	return &Subject{Source: src, Name: "the staged changes", Looked: func() string { return src.Looked.String() }}, nil
}

// merged returns the other parents of the next commit. In the middle of "git merge",
// MERGE_HEAD is not written yet, but git names the parents in the environment
// (builtin/merge.c, GITHEAD_<id>).
func (h *Hook) merged(head string) (ids []string) {
	text, _ := os.ReadFile(filepath.Join(h.Repo.GitDir(), "MERGE_HEAD")) // absent unless merging
	ids = strings.Fields(string(text))
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if id, ok := strings.CutPrefix(name, "GITHEAD_"); ok && id != head && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// inTree returns the path of a file relative to the top of the work tree.
func (h *Hook) inTree(file string) (string, error) {
	if h.Root == "" {
		return "", fmt.Errorf("%w: %s: there is no work tree here to find it in", ErrUsage, file)
	}
	abs, err := filepath.Abs(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	for _, root := range []string{h.Root, resolved(h.Root)} {
		for _, path := range []string{abs, filepath.Join(resolved(filepath.Dir(abs)), filepath.Base(abs))} {
			if rel, err := filepath.Rel(root, path); err == nil && filepath.IsLocal(rel) {
				return filepath.ToSlash(rel), nil
			}
		}
	}
	return "", fmt.Errorf("%w: %s: not in the work tree %s", ErrUsage, file, h.Root)
}

// resolved returns path without symbolic links; path itself if it does not exist.
func resolved(path string) string {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target
	}
	return path
}

// message returns the message of a commit, without the diff that "git commit --verbose" shows
// below it.
func (h *Hook) message() (*Subject, error) {
	if len(h.Args) != 1 {
		return nil, fmt.Errorf("%w: --stage commit-msg takes the file with the message", ErrUsage)
	}
	text, err := os.ReadFile(h.Args[0])
	if err != nil {
		return nil, fmt.Errorf("reading the message: %w", err)
	}
	text = aboveScissors(text)
	src := &dirsource.Stream{Reader: bytes.NewReader(text), Name: filepath.ToSlash(h.Args[0])}
	lines := printable.Plural(bytes.Count(text, []byte("\n")), "line")
	return &Subject{Source: src, Name: "the message", Looked: func() string { return lines }}, nil
}

// aboveScissors returns the part of a message that git keeps: the text above the scissors.
// Below them, git writes comments and a diff, which holds removed lines as well. Scissors
// without a comment below were typed by a person, and end nothing.
func aboveScissors(text []byte) []byte {
	const scissors = " ------------------------ >8 ------------------------\n"
	at := bytes.Index(text, []byte(scissors))
	if at > 1 && text[at-2] != '\n' {
		return text
	}
	if below := at + len(scissors); at > 0 && below < len(text) && text[below] == text[at-1] {
		return text[:at-1]
	}
	return text
}

// push returns the commits that a push sends. git names them on standard input, a line for
// each ref: "<local ref> <local id> <remote ref> <remote id>", and no line if nothing is
// pushed. pre-commit and prek read these lines and name only the first ref; other managers
// may not pass them on. Then the subject is all local branches and tags.
func (h *Hook) push(ctx context.Context) (*Subject, error) {
	src := &gitsource.Range{Repo: h.Repo}
	remote := os.Getenv("PRE_COMMIT_REMOTE_NAME")
	from, to := os.Getenv("PRE_COMMIT_FROM_REF"), os.Getenv("PRE_COMMIT_TO_REF")
	managed := remote != "" || to != ""
	if !managed && len(h.Args) > 0 {
		remote = h.Args[0]
	}
	var err error
	switch {
	case managed && remote == "": // pre-commit run --from-ref --to-ref
		return h.between(ctx, src, from, to)
	case managed:
		src.Include, src.Exclude = ids(to), ids(from)
		err = h.allLocal(src, "the hook manager names only the first ref of a push")
	default:
		var updates []refUpdate
		if updates, err = readUpdates(h.Stdin, 4); err != nil {
			return nil, err
		}
		for _, u := range updates {
			src.Include, src.Exclude = append(src.Include, ids(u.local)...), append(src.Exclude, ids(u.remote)...)
			src.Names = append(src.Names, u.name)
		}
		if len(updates) == 0 {
			file := pushHook(ctx)
			if why := h.swallowed(file); why != "" {
				err = h.allLocal(src, why)
			} else if file != "" {
				h.note = "git named no ref on standard input, so nothing is being pushed. If something is, a program that ran before stanch has read the input (https://github.com/stanch-dev/stanch/blob/main/docs/hooks.md)"
			}
		}
	}
	if err == nil && len(src.Include) > 0 {
		err = h.known(ctx, src, remote)
	}
	if len(src.Include) == 1 {
		src.Head = src.Include[0]
	} else if err == nil {
		src.Head, err = h.Repo.Resolve("HEAD")
	}
	return &Subject{Source: src, Name: "the commits to push", Looked: func() string { return src.Looked.String() }}, err
}

// known excludes the commits that any remote has, as far as this repository knows: they have
// left this machine, or came from elsewhere, and are not new.
//
// All remotes count, not only the one that is pushed to. A fork lacks commits of the original
// repository. And for a URL, or a remote that was never fetched, nothing is known at all.
// The note says how many commits are left out because of another remote, which may be private.
func (h *Hook) known(ctx context.Context, src *gitsource.Range, remote string) error {
	refs, err := h.Repo.Refs("refs/remotes/")
	if refs == nil { // git calls it broken, too: it leaves out no commit
		return err
	}
	own, all, others := slices.Clone(src.Exclude), src.Exclude, 0
	for name, id := range refs {
		all = append(all, id)
		if strings.HasPrefix(name, "refs/remotes/"+remote+"/") {
			own = append(own, id)
		} else {
			others++
		}
	}
	src.Exclude = all
	switch {
	case others == 0 || h.note != "":
		return nil
	case others == len(refs):
		h.note = "this clone does not know what the remote already has, so the commits that any other remote has were left out"
		return nil
	}
	lacking, err := h.Repo.CountCommits(ctx, src.Include, own)
	if err != nil {
		return err
	}
	looked, err := h.Repo.CountCommits(ctx, src.Include, all)
	if more := lacking - looked; err == nil && more > 0 {
		h.note = printable.Plural(more, "commit") + " left out, on another remote and, as far as this clone knows, not on " + remote
	}
	return err
}

// allLocal adds all local branches and tags to src, and notes why.
func (h *Hook) allLocal(src *gitsource.Range, why string) error {
	for _, prefix := range []string{"refs/heads/", "refs/tags/"} {
		refs, err := h.Repo.Refs(prefix)
		if err != nil {
			return err
		}
		src.Include = slices.AppendSeq(src.Include, maps.Values(refs))
		src.Names = slices.AppendSeq(src.Names, maps.Keys(refs))
	}
	h.note = why + ", so all local branches and tags were scanned, except for what a remote has"
	return nil
}

// between returns the commits from one revision to another. git resolves the revisions:
// nothing else knows all forms of them.
func (h *Hook) between(ctx context.Context, src *gitsource.Range, from, to string) (*Subject, error) {
	for _, end := range []struct {
		revision string
		ids      *[]string
	}{{from, &src.Exclude}, {to, &src.Include}} {
		if end.revision == "" {
			continue
		}
		id, err := git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", end.revision+"^{commit}")
		if err != nil {
			return nil, fmt.Errorf("finding commit %s: %w", end.revision, err)
		}
		*end.ids = append(*end.ids, id)
	}
	return &Subject{Source: src, Name: "the commits from " + from + " to " + to, Looked: func() string { return src.Looked.String() }}, nil
}

// received returns the commits that a server has received and not accepted yet. git names
// them on standard input, "<old id> <new id> <ref>" a line (githooks(5), pre-receive).
func (h *Hook) received() (*Subject, error) {
	updates, err := readUpdates(h.Stdin, 3)
	if err != nil {
		return nil, err
	}
	if len(updates) == 0 {
		return nil, errors.New("no refs came in on standard input, where git names them to a pre-receive hook")
	}
	src := &gitsource.Range{Repo: h.Repo}
	for _, u := range updates {
		src.Include, src.Exclude = append(src.Include, ids(u.local)...), append(src.Exclude, ids(u.remote)...)
		src.Names = append(src.Names, u.name)
	}
	known, err := h.Repo.Refs("refs/")
	src.Exclude = slices.AppendSeq(src.Exclude, maps.Values(known))
	return &Subject{Source: src, Name: "the received commits", Looked: func() string { return src.Looked.String() }}, err
}

// A refUpdate is a ref that is about to change: from the id remote, which the receiver has,
// to local, which the sender has.
type refUpdate struct{ name, local, remote string }

// readUpdates reads lines of three fields (received) or four (push).
func readUpdates(r io.Reader, fields int) (updates []refUpdate, err error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		switch {
		case len(f) == 0:
			continue
		case len(f) != fields:
			return nil, fmt.Errorf("standard input: a line has %d words instead of %d", len(f), fields)
		case fields == 4:
			updates = append(updates, refUpdate{f[2], f[1], f[3]})
		default:
			updates = append(updates, refUpdate{f[2], f[1], f[0]})
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading standard input: %w", err)
	}
	return updates, nil
}

// ids returns id; nothing if it is empty or all zeros, as for a ref that does not exist.
func ids(id string) []string {
	if strings.Trim(id, "0") == "" {
		return nil
	}
	return []string{id}
}

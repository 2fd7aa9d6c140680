package repo

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/reftable"
)

// hasReftables reports whether refs are kept in reftables, and not in files of their own. The
// error says that they are kept in another way, or elsewhere (git-config(1),
// extensions.refStorage; git(1), GIT_REFERENCE_BACKEND).
func (d Dir) hasReftables() (bool, error) {
	value := cmp.Or(os.Getenv("GIT_REFERENCE_BACKEND"), ReadConfig(d.CommonDir).Section("extensions").Option("refStorage"))
	format, place, _ := strings.Cut(value, ":")
	known := format == "" || strings.EqualFold(format, "files")
	tables := strings.EqualFold(format, "reftable")
	switch {
	case !known && !tables:
		return false, fmt.Errorf("refs are kept as %s, which stanch cannot read; git refs migrate --ref-format=files changes that", format)
	case place != "":
		return false, fmt.Errorf("refs are kept in %s, outside of the repository, where stanch does not read them", value)
	}
	return tables, nil
}

// stack opens the reftables of a git directory: that of the repository or of a linked work
// tree, which has its own for HEAD and the like.
func (d Dir) stack(gitDir string) (*reftable.Stack, []error) {
	return reftable.Open(filepath.Join(gitDir, "reftable"), d.HashSize())
}

// A Reflog is a reflog that is in no file.
type Reflog struct {
	Name string // of the file that it would be in: logs/HEAD, worktrees/x/logs/HEAD
	Text []byte
}

// addReftables is Refs for a repository with reftables.
func (s *RefSet) addReftables(d Dir) {
	prefixes := []string{""}
	worktrees, _ := os.ReadDir(filepath.Join(d.CommonDir, "worktrees"))
	for _, w := range worktrees {
		prefixes = append(prefixes, "worktrees/"+w.Name()+"/")
	}
	var pseudo []Ref // after the reflogs, as where they are files
	for _, prefix := range prefixes {
		stack, unread := d.stack(filepath.Join(d.CommonDir, filepath.FromSlash(prefix)))
		refs, noRefs := stack.Refs()
		entries, noLogs := stack.Logs()
		pseudo = append(pseudo, s.addTabled(refs, prefix, slices.Concat(unread, noRefs, noLogs))...)
		s.addEntries(entries, prefix)
	}
	s.reflogs = append(s.reflogs, pseudo...)
	if head, err := d.tabledRefs()("HEAD"); err == nil {
		s.Head = s.resolve(head)
	}
}

// addTabled adds the refs of a stack, and the parts of it that could not be read. It returns the
// pseudo refs, such as ORIG_HEAD, which count as earlier ids.
func (s *RefSet) addTabled(refs []reftable.Ref, prefix string, unread []error) (pseudo []Ref) {
	for _, err := range unread {
		s.addBroken(prefix+"reftable", prefix+"reftable", err)
	}
	s.Refs = slices.Grow(s.Refs, len(refs))
	for _, r := range refs {
		ref := Ref{Name: prefix + r.Name, ID: r.ID, target: r.Target}
		if r.Name == "HEAD" || strings.HasPrefix(r.Name, "refs/") {
			s.add(ref)
		} else {
			pseudo = append(pseudo, ref)
		}
	}
	return pseudo
}

// addEntries adds the entries of the reflogs of a stack. They are sorted by ref, the latest
// first.
func (s *RefSet) addEntries(entries []reftable.Entry, prefix string) {
	for len(entries) > 0 {
		ref, n := entries[0].Ref, 0
		for n < len(entries) && entries[n].Ref == ref {
			n++
		}
		var text []byte
		for i, e := range entries[:n] {
			at := func(i int) string { return fmt.Sprintf("%s%s@{%d}", prefix, ref, i) }
			if prefix+ref == "refs/stash" {
				s.add(Ref{Name: at(i), ID: e.New})
			}
			s.reflogs = append(s.reflogs, Ref{Name: at(i), ID: e.New}, Ref{Name: at(i + 1), ID: e.Old})
			text = append(append(text, entries[n-1-i].Line...), '\n') // in a file, the latest is the last
		}
		s.Tabled = append(s.Tabled, Reflog{prefix + "logs/" + ref, text})
		entries = entries[n:]
	}
}

// tabledRefs returns a function that finds refs by name in the reftables of d. All work trees
// share the refs below refs, except for a few.
func (d Dir) tabledRefs() func(name string) (Ref, error) {
	own, _ := d.stack(d.GitDir) // each look-up returns the errors
	shared := own
	if d.GitDir != d.CommonDir {
		shared, _ = d.stack(d.CommonDir)
	}
	return func(name string) (Ref, error) {
		if name == "MERGE_HEAD" || name == "FETCH_HEAD" { // have more than an id: always files
			return ReadRef(filepath.Join(d.GitDir, name))
		}
		ref, ok, err := own.Ref(name)
		if err == nil && !ok && strings.HasPrefix(name, "refs/") {
			ref, ok, err = shared.Ref(name)
		}
		if err == nil && !ok {
			err = fs.ErrNotExist
		}
		return Ref{ID: ref.ID, target: ref.Target}, err
	}
}

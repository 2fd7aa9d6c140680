package gitsource

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// A root is a place where reading starts.
type root struct {
	name   string  // refs/heads/main, HEAD, worktrees/x/HEAD, refs/stash@{1}
	id     pack.ID // empty for a symbolic ref
	target string  // of a symbolic ref, itself a root unless it dangles
}

// named reports whether r is a ref that someone chose the name of.
func (r root) named() bool {
	return strings.HasPrefix(r.name, "refs/") && !strings.Contains(r.name, "@{")
}

func (r root) kind() scanner.Kind {
	if strings.HasPrefix(r.name, "refs/notes/") {
		return scanner.KindNote
	}
	return scanner.KindBlob
}

// refSet is what the refs of a repository say.
//
// go-git's own reader is not used: it gives up at the first ref that it cannot
// parse, and it knows neither linked work trees nor the reflog of the stash.
type refSet struct {
	roots  []root
	byName map[string]int // index in roots
	broken []scanner.Blob // refs that could not be read
	head   pack.ID        // of the work tree that was opened; empty if unborn
	logged []root         // where refs were before, by the reflogs, the latest first
}

// of returns the roots that lead to content of the kind.
func (s *refSet) of(kind scanner.Kind) []root {
	return slices.DeleteFunc(slices.Clone(s.roots), func(r root) bool { return r.id == "" || r.kind() != kind })
}

// refs reads packed and loose refs, those of linked work trees, HEADs, and the
// older stash entries, which only the reflog of refs/stash holds.
func (d Dir) refs() *refSet {
	s := d.readRefs("refs")
	s.readLoose(filepath.Join(d.CommonDir, "HEAD"), "HEAD")
	worktrees, _ := os.ReadDir(filepath.Join(d.CommonDir, "worktrees"))
	for _, w := range worktrees {
		dir, name := filepath.Join(d.CommonDir, "worktrees", w.Name()), "worktrees/"+w.Name()
		s.readLoose(filepath.Join(dir, "HEAD"), name+"/HEAD")
		s.readTree(filepath.Join(dir, "refs"), name+"/refs")
	}
	s.readStashLog(filepath.Join(d.CommonDir, "logs", "refs", "stash"))
	s.readLogs(filepath.Join(d.CommonDir, "logs"), "")
	for _, w := range worktrees {
		s.readLogs(filepath.Join(d.CommonDir, "worktrees", w.Name(), "logs"), "worktrees/"+w.Name()+"/")
	}
	s.readPseudo(d.GitDir)
	if ref, err := readRef(filepath.Join(d.GitDir, "HEAD")); err == nil {
		s.head = s.resolve(ref)
	}
	return s
}

// readRefs reads the refs below dir that are in files of their own, and all packed ones.
// git pack-refs writes packed-refs before it removes the files: read after them, it has
// each ref whose file has gone.
func (d Dir) readRefs(dir string) *refSet {
	loose := &refSet{byName: map[string]int{}}
	loose.readTree(filepath.Join(d.CommonDir, filepath.FromSlash(dir)), dir)
	s := &refSet{}
	s.readPacked(filepath.Join(d.CommonDir, "packed-refs"))
	s.broken = append(s.broken, loose.broken...)
	for _, ref := range loose.roots {
		s.add(ref)
	}
	return s
}

// add adds ref, in place of one of the same name.
func (s *refSet) add(ref root) {
	if i, ok := s.byName[ref.name]; ok {
		s.roots[i] = ref
		return
	}
	s.byName[ref.name] = len(s.roots)
	s.roots = append(s.roots, ref)
}

func (s *refSet) fail(file, name string, err error) {
	s.broken = append(s.broken, scanner.Blob{
		ID: scanner.BlobID(file), Kind: scanner.KindRefName, Name: name,
		Err: fmt.Errorf("reading ref %s: %w", name, err),
	})
}

// readPacked reads packed-refs: "<id> SP <name>" a line, with "#" for a header
// and "^" for what the tag above peels to (git's refs/packed-backend.c).
func (s *refSet) readPacked(file string) {
	text, err := readSmall(file, maxList)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.fail(file, "packed-refs", err)
	}
	// There may be tens of thousands: one text that all names are parts of, and no
	// growing in between.
	lines := bytes.Count(text, []byte("\n")) + 1
	s.byName, s.roots = make(map[string]int, lines), make([]root, 0, lines)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' || line[0] == '^' {
			continue
		}
		hash, name, _ := strings.Cut(line, " ")
		id, ok := pack.ParseID([]byte(hash))
		if !ok || name == "" {
			s.fail(file, "packed-refs", errMalformed)
			continue
		}
		s.add(root{name: name, id: id})
	}
}

// readTree reads the loose refs below dir. They override packed ones.
func (s *refSet) readTree(dir, name string) {
	_ = filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(dir, file)
		ref := name + "/" + filepath.ToSlash(rel)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			s.fail(file, ref, err)
		case !d.IsDir() && isRefName(ref):
			s.readLoose(file, ref)
		}
		return nil
	})
}

// isRefName tells refs from the locks and the .DS_Store that lie beside them
// (git-check-ref-format(1), rule 1).
func isRefName(name string) bool {
	return !strings.HasSuffix(name, ".lock") && !strings.HasPrefix(path.Base(name), ".")
}

func (s *refSet) readLoose(file, name string) {
	ref, err := readRef(file)
	if _, gone := os.Lstat(file); err != nil && strings.Contains(name, "refs/") && errors.Is(gone, fs.ErrNotExist) {
		return // git has packed it
	}
	if err != nil {
		s.fail(file, name, err)
		return
	}
	ref.name = name
	s.add(ref)
}

// readRef reads a loose ref: an id, or "ref: " and the name of another ref.
func readRef(file string) (root, error) {
	text, err := readSmall(file, maxSmall)
	if err != nil {
		return root{}, err
	}
	text = bytes.TrimSpace(text)
	if name, ok := bytes.CutPrefix(text, []byte("ref:")); ok {
		return root{target: string(bytes.TrimSpace(name))}, nil
	}
	id, ok := pack.ParseID(text)
	if !ok {
		// The text stays out of the message: by a symlink it may be any file.
		return root{}, errMalformed
	}
	return root{id: id}, nil
}

// resolve follows symbolic refs, no further than git does. It returns zero for
// one that dangles, as HEAD does before the first commit.
func (s *refSet) resolve(ref root) pack.ID {
	for range 5 {
		i, ok := s.byName[ref.target]
		if ref.target == "" || !ok {
			break
		}
		ref = s.roots[i]
	}
	return ref.id
}

// readStashLog adds each entry of the stash: "<old> <new> <who> TAB <message>"
// a line, the newest last.
func (s *refSet) readStashLog(file string) {
	text, err := readSmall(file, maxList)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.fail(file, "refs/stash@{}", err)
	}
	lines := bytes.Split(bytes.TrimRight(text, "\n"), []byte("\n"))
	for i, line := range lines {
		name := fmt.Sprintf("refs/stash@{%d}", len(lines)-1-i)
		fields := bytes.SplitN(line, []byte(" "), 3)
		if len(fields) < 3 {
			if len(line) > 0 {
				s.fail(file, name, errMalformed)
			}
			continue
		}
		if id, ok := pack.ParseID(fields[1]); ok {
			s.add(root{name: name, id: id})
		} else {
			s.fail(file, name, errMalformed)
		}
	}
}

// readLogs notes where the refs were that have a reflog below dir. What cannot be
// read is passed over: it is no more than a name for what is read anyway.
func (s *refSet) readLogs(dir, prefix string) {
	_ = filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // yieldFiles says so
		}
		rel, _ := filepath.Rel(dir, file)
		text, _ := readSmall(file, maxList)
		lines := bytes.Split(bytes.TrimRight(text, "\n"), []byte("\n"))
		for i := len(lines) - 1; i >= 0; i-- {
			old, rest, _ := bytes.Cut(lines[i], []byte(" "))
			now, _, _ := bytes.Cut(rest, []byte(" "))
			name := prefix + filepath.ToSlash(rel)
			s.logs(fmt.Sprintf("%s@{%d}", name, len(lines)-1-i), now)
			s.logs(fmt.Sprintf("%s@{%d}", name, len(lines)-i), old)
		}
		return nil
	})
}

func (s *refSet) logs(name string, hash []byte) {
	if id, ok := pack.ParseID(hash); ok {
		s.logged = append(s.logged, root{name: name, id: id})
	}
}

// readPseudo notes what git remembers in the middle of things: ORIG_HEAD,
// MERGE_HEAD, FETCH_HEAD … (gitrevisions(7)).
func (s *refSet) readPseudo(gitDir string) {
	files, _ := filepath.Glob(filepath.Join(gitDir, "*_HEAD"))
	for _, file := range files {
		text, _ := readSmall(file, maxSmall)
		for line := range bytes.Lines(text) {
			hash, _, _ := bytes.Cut(bytes.TrimSpace(line), []byte("\t"))
			s.logs(filepath.Base(file), hash)
		}
	}
}

// readShallow reads the commits that a shallow clone cut off the parents of
// (git's Documentation/technical/shallow): an id a line. At an error, there is
// none: the parents show up as missing.
func readShallow(file string) (map[pack.ID]bool, error) {
	text, err := readSmall(file, maxList)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the shallow boundary: %w", err)
	}
	shallow := map[pack.ID]bool{}
	for word := range bytes.FieldsSeq(text) {
		id, ok := pack.ParseID(word)
		if !ok {
			return nil, fmt.Errorf("reading %s: %w", file, errMalformed)
		}
		shallow[id] = true
	}
	return shallow, nil
}

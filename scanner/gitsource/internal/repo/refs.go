package repo

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/boundedfile"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// A Ref is a name for an object, or for another ref.
type Ref struct {
	Name   string  // refs/heads/main, HEAD, worktrees/x/HEAD, refs/stash@{1}
	ID     pack.ID // empty for a symbolic ref
	target string  // of a symbolic ref, itself a root unless it dangles
}

// IsNamed reports whether someone chose the name of r.
func (r Ref) IsNamed() bool {
	return strings.HasPrefix(r.Name, "refs/") && !strings.Contains(r.Name, "@{")
}

// Kind returns the kind of the blobs that r leads to.
func (r Ref) Kind() finding.Kind {
	if strings.HasPrefix(r.Name, "refs/notes/") {
		return finding.KindNote
	}
	return finding.KindBlob
}

// A RefSet holds the refs of a repository.
//
// go-git's own reader is not used: it gives up at the first ref that it cannot parse, and it
// knows neither linked work trees nor the reflog of the stash.
type RefSet struct {
	Refs   []Ref
	ByName map[string]int // index in roots
	Broken []scanner.Blob // refs that could not be read
	Head   pack.ID        // of the work tree that was opened; empty if unborn
	Tabled []Reflog       // reflogs in reftables, which are in no file

	reflogs  []Ref
	readLogs func() // adds those that are in files to reflogs; nil once it has run
}

// Reflogs returns where refs were before, by the reflogs, the latest first. It reads the files
// of reflogs when it is called first: there may be one for each ref, and a scan without
// findings needs none.
func (s *RefSet) Reflogs() []Ref {
	if s.readLogs != nil {
		s.readLogs()
		s.readLogs = nil
	}
	return s.reflogs
}

// OfKind returns the roots that lead to content of the kind.
func (s *RefSet) OfKind(kind finding.Kind) []Ref {
	return slices.DeleteFunc(slices.Clone(s.Refs), func(r Ref) bool { return r.ID == "" || r.Kind() != kind })
}

// Refs reads packed and loose refs, the refs of linked work trees, HEADs, and the older
// stash entries, which only the reflog of refs/stash holds.
func (d Dir) Refs() *RefSet {
	s := &RefSet{ByName: map[string]int{}}
	s.readLogs = func() { s.readPseudoRefs(d.GitDir) }
	tables, err := d.hasReftables()
	switch {
	case err != nil:
		s.addBroken("refs", "refs", fmt.Errorf("%w: all objects were read, but none is known to be reachable", err))
	case tables:
		s.addReftables(d)
	default:
		s.addFiles(d)
	}
	return s
}

// KeepShared drops the refs that no push sends and no clone gets: stash entries, refs of other
// work trees than that of d, and those that each work tree has for itself (gitglossary(7),
// per-worktree ref).
func (s *RefSet) KeepShared(d Dir) {
	own := ""
	if rel, err := filepath.Rel(d.CommonDir, d.GitDir); err == nil && rel != "." {
		own = filepath.ToSlash(rel) + "/"
	}
	s.Refs = slices.DeleteFunc(s.Refs, func(r Ref) bool {
		kind, _, _ := strings.Cut(strings.TrimPrefix(r.Name, "refs/"), "/")
		isOwn := slices.Contains([]string{"bisect", "worktree", "rewritten", "stash"}, kind) || strings.HasPrefix(kind, "stash@{")
		return r.Name != own+"HEAD" && (isOwn || !strings.HasPrefix(r.Name, "refs/"))
	})
	clear(s.ByName)
	for i, r := range s.Refs {
		s.ByName[r.Name] = i
	}
}

// addFiles is Refs for a repository without reftables.
func (s *RefSet) addFiles(d Dir) {
	s.addFilesBelow(d, "refs")
	s.readLoose(filepath.Join(d.CommonDir, "HEAD"), "HEAD")
	worktrees, _ := os.ReadDir(filepath.Join(d.CommonDir, "worktrees"))
	for _, w := range worktrees {
		dir, name := filepath.Join(d.CommonDir, "worktrees", w.Name()), "worktrees/"+w.Name()
		s.readLoose(filepath.Join(dir, "HEAD"), name+"/HEAD")
		s.readTree(filepath.Join(dir, "refs"), name+"/refs")
	}
	s.readStashLog(filepath.Join(d.CommonDir, "logs", "refs", "stash"))
	s.readLogs = func() {
		s.readLogsBelow(filepath.Join(d.CommonDir, "logs"), "")
		for _, w := range worktrees {
			s.readLogsBelow(filepath.Join(d.CommonDir, "worktrees", w.Name(), "logs"), "worktrees/"+w.Name()+"/")
		}
		s.readPseudoRefs(d.GitDir)
	}
	if ref, err := ReadRef(filepath.Join(d.GitDir, "HEAD")); err == nil {
		s.Head = s.resolve(ref)
	}
}

// ReadRefsBelow reads the refs below dir, and perhaps others. It returns an error if it can
// read none.
func (d Dir) ReadRefsBelow(dir string) (*RefSet, error) {
	s := &RefSet{ByName: map[string]int{}}
	tables, err := d.hasReftables()
	switch {
	case err != nil:
		return nil, err
	case tables:
		stack, unread := d.stack(d.CommonDir)
		refs, noRefs := stack.Refs()
		_ = s.addTabled(refs, "", slices.Concat(unread, noRefs)) // pseudo refs are below no folder
	default:
		s.addFilesBelow(d, dir)
	}
	return s, nil
}

// addFilesBelow adds the refs below dir that are in files of their own, and all packed ones.
// git pack-refs writes packed-refs before it removes the files: read after them, it has
// each ref whose file has gone.
func (s *RefSet) addFilesBelow(d Dir, dir string) {
	loose := &RefSet{ByName: map[string]int{}}
	loose.readTree(filepath.Join(d.CommonDir, filepath.FromSlash(dir)), dir)
	s.readPacked(filepath.Join(d.CommonDir, "packed-refs"))
	s.Broken = append(s.Broken, loose.Broken...)
	for _, ref := range loose.Refs {
		s.add(ref)
	}
}

// add adds ref, in place of one of the same name.
func (s *RefSet) add(ref Ref) {
	if i, ok := s.ByName[ref.Name]; ok {
		s.Refs[i] = ref
		return
	}
	s.ByName[ref.Name] = len(s.Refs)
	s.Refs = append(s.Refs, ref)
}

func (s *RefSet) addBroken(file, name string, err error) {
	s.Broken = append(s.Broken, scanner.Blob{
		ID: finding.BlobID(file), Kind: finding.KindRefName, Name: name,
		Err: fmt.Errorf("reading ref %s: %w", name, err),
	})
}

// readPacked reads packed-refs: "<id> SP <name>" a line, with "#" for a header and "^" for the
// commit that the tag above peels to (git's refs/packed-backend.c).
// It is called before any other ref is added.
func (s *RefSet) readPacked(file string) {
	text, err := boundedfile.ReadSmall(file, boundedfile.MaxList)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.addBroken(file, "packed-refs", err)
	}
	// There may be tens of thousands of refs. All names are parts of one string, and no
	// slice grows on the way.
	lines := bytes.Count(text, []byte("\n")) + 1
	s.ByName, s.Refs = make(map[string]int, lines), make([]Ref, 0, lines)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' || line[0] == '^' {
			continue
		}
		hash, name, _ := strings.Cut(line, " ")
		id, ok := pack.ParseID([]byte(hash))
		if !ok || name == "" {
			s.addBroken(file, "packed-refs", objects.ErrMalformed)
			continue
		}
		s.add(Ref{Name: name, ID: id})
	}
}

// readTree reads the loose refs below dir. They override packed ones.
func (s *RefSet) readTree(dir, name string) {
	var files []string
	var listed []bool // as regular
	_ = filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			s.addBroken(file, name+filepath.ToSlash(file[len(dir):]), err)
		case !d.IsDir() && isRefName(file):
			files, listed = append(files, file), append(listed, d.Type().IsRegular())
		}
		return nil
	})
	refs, errs := make([]Ref, len(files)), make([]error, len(files))
	var readers sync.WaitGroup
	share := len(files)/runtime.GOMAXPROCS(0) + 1
	for from := 0; from < len(files); from += share {
		readers.Go(func() {
			for i := from; i < min(from+share, len(files)); i++ {
				read := boundedfile.ReadSmall
				if listed[i] {
					read = boundedfile.ReadListed
				}
				text, err := read(files[i], boundedfile.MaxSmall)
				if errs[i] = err; err == nil {
					refs[i], errs[i] = parseRef(text)
				}
			}
		})
	}
	readers.Wait()
	s.Refs = slices.Grow(s.Refs, len(files))
	for i, file := range files {
		s.addLoose(file, name+filepath.ToSlash(file[len(dir):]), refs[i], errs[i])
	}
}

// isRefName tells the files of refs from the locks and the .DS_Store that lie beside them
// (git-check-ref-format(1), rule 1).
func isRefName(file string) bool {
	return !strings.HasSuffix(file, ".lock") && !strings.HasPrefix(filepath.Base(file), ".")
}

func (s *RefSet) readLoose(file, name string) {
	ref, err := ReadRef(file)
	s.addLoose(file, name, ref, err)
}

// addLoose adds a ref that was read from a file, or the error.
func (s *RefSet) addLoose(file, name string, ref Ref, err error) {
	if err == nil {
		ref.Name = name
		s.add(ref)
		return
	}
	if _, gone := os.Lstat(file); strings.Contains(name, "refs/") && errors.Is(gone, fs.ErrNotExist) {
		return // git has packed it
	}
	s.addBroken(file, name, err)
}

// ReadRef reads a loose ref: an id, or "ref: " and the name of another ref.
func ReadRef(file string) (Ref, error) {
	text, err := boundedfile.ReadSmall(file, boundedfile.MaxSmall)
	if err != nil {
		return Ref{}, err
	}
	return parseRef(text)
}

func parseRef(text []byte) (Ref, error) {
	text = bytes.TrimSpace(text)
	if name, ok := bytes.CutPrefix(text, []byte("ref:")); ok {
		return Ref{target: string(bytes.TrimSpace(name))}, nil
	}
	id, ok := pack.ParseID(text)
	if !ok {
		// The text stays out of the message: by a symlink it may be any file.
		return Ref{}, objects.ErrMalformed
	}
	return Ref{ID: id}, nil
}

// resolve follows symbolic refs, no further than git does. It returns zero for
// one that dangles, as HEAD does before the first commit.
func (s *RefSet) resolve(ref Ref) pack.ID {
	for range 5 {
		i, ok := s.ByName[ref.target]
		if ref.target == "" || !ok {
			break
		}
		ref = s.Refs[i]
	}
	return ref.ID
}

// readStashLog adds each entry of the stash: "<old> <new> <who> TAB <message>"
// a line, the newest last.
func (s *RefSet) readStashLog(file string) {
	text, err := boundedfile.ReadSmall(file, boundedfile.MaxList)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.addBroken(file, "refs/stash@{}", err)
	}
	lines := bytes.Split(bytes.TrimRight(text, "\n"), []byte("\n"))
	for i, line := range lines {
		name := fmt.Sprintf("refs/stash@{%d}", len(lines)-1-i)
		fields := bytes.SplitN(line, []byte(" "), 3)
		if len(fields) < 3 {
			if len(line) > 0 {
				s.addBroken(file, name, objects.ErrMalformed)
			}
			continue
		}
		if id, ok := pack.ParseID(fields[1]); ok {
			s.add(Ref{Name: name, ID: id})
		} else {
			s.addBroken(file, name, objects.ErrMalformed)
		}
	}
}

// readLogsBelow notes the earlier ids of refs, from the reflogs below dir. It passes over logs
// that cannot be read: they would only add names for objects that are read anyway.
func (s *RefSet) readLogsBelow(dir, prefix string) {
	_ = filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // yieldMetadataFiles says so
		}
		rel, _ := filepath.Rel(dir, file)
		text, _ := boundedfile.ReadSmall(file, boundedfile.MaxList)
		lines := bytes.Split(bytes.TrimRight(text, "\n"), []byte("\n"))
		for i := len(lines) - 1; i >= 0; i-- {
			old, rest, _ := bytes.Cut(lines[i], []byte(" "))
			now, _, _ := bytes.Cut(rest, []byte(" "))
			name := prefix + filepath.ToSlash(rel)
			s.addLogged(fmt.Sprintf("%s@{%d}", name, len(lines)-1-i), now)
			s.addLogged(fmt.Sprintf("%s@{%d}", name, len(lines)-i), old)
		}
		return nil
	})
}

func (s *RefSet) addLogged(name string, hash []byte) {
	if id, ok := pack.ParseID(hash); ok {
		s.reflogs = append(s.reflogs, Ref{Name: name, ID: id})
	}
}

// readPseudoRefs notes the ids that git remembers during an operation: ORIG_HEAD,
// MERGE_HEAD, FETCH_HEAD … (gitrevisions(7)).
func (s *RefSet) readPseudoRefs(gitDir string) {
	files, _ := filepath.Glob(filepath.Join(gitDir, "*_HEAD"))
	for _, file := range files {
		text, _ := boundedfile.ReadSmall(file, boundedfile.MaxSmall)
		for line := range bytes.Lines(text) {
			hash, _, _ := bytes.Cut(bytes.TrimSpace(line), []byte("\t"))
			s.addLogged(filepath.Base(file), hash)
		}
	}
}

// readShallow reads the list of commits whose parents a shallow clone has cut off (git's
// Documentation/technical/shallow): one id a line. After an error the list is empty: the
// parents show up as missing.
func readShallow(file string) (map[pack.ID]bool, error) {
	text, err := boundedfile.ReadSmall(file, boundedfile.MaxList)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the shallow boundary: %w", err)
	}
	shallow := map[pack.ID]bool{}
	for word := range bytes.FieldsSeq(text) {
		id, ok := pack.ParseID(word)
		if !ok {
			return nil, fmt.Errorf("reading %s: %w", file, objects.ErrMalformed)
		}
		shallow[id] = true
	}
	return shallow, nil
}

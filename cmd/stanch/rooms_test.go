package main

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A package is small enough to be read in a sitting, and its files can be read one after
// the other: few of them need each other in a circle. ARCHITECTURE.md has the map.
const (
	maxPackage = 3000 // lines, without tests
	maxMedian  = 600
	maxMain    = 150
	maxCycle   = 8 // files
)

// TestRooms holds these limits.
func TestRooms(t *testing.T) {
	rooms := parseRooms(t)
	var lines []int
	for dir, room := range rooms {
		n := room.lines()
		lines = append(lines, n)
		limit := maxPackage
		if dir == "cmd/stanch" {
			limit = maxMain
		}
		if n > limit {
			t.Errorf("%s has %d lines, at most %d", dir, n, limit)
		}
		if cycle := room.largestCycle(dir); len(cycle) > maxCycle {
			t.Errorf("%s: %d files need each other in a circle, at most %d: %q", dir, len(cycle), maxCycle, cycle)
		}
	}
	slices.Sort(lines)
	if median := lines[len(lines)/2]; median > maxMedian {
		t.Errorf("the median of %d packages has %d lines, at most %d", len(lines), median, maxMedian)
	}
}

// TestLargestCycle: a circle is found, and a line of files is none.
func TestLargestCycle(t *testing.T) {
	for want, files := range map[string][]string{
		"a.go b.go": {"package p; func a() { t{}.b() }", "package p; type t struct{}; func (t) b() { a(); c() }", "package p; func c() {}"},
		"":          {"package p; func a() { b() }", "package p; func b() {}"},
	} {
		r := room{fset: token.NewFileSet()}
		for i, text := range files {
			f, err := parser.ParseFile(r.fset, string(rune('a'+i))+".go", text, 0)
			if err != nil {
				t.Fatal(err)
			}
			r.files = append(r.files, f)
		}
		if got := strings.Join(r.largestCycle("p"), " "); got != want {
			t.Errorf("the largest circle of %q is %q, want %q", files, got, want)
		}
	}
}

// A room is a package: its files without tests.
type room struct {
	fset  *token.FileSet
	files []*ast.File
}

func parseRooms(t *testing.T) map[string]*room {
	t.Helper()
	rooms := map[string]*room{}
	err := filepath.WalkDir("../..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.Contains(name, "testdata") {
			return err
		}
		dir := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(name)), "../../")
		if rooms[dir] == nil {
			rooms[dir] = &room{fset: token.NewFileSet()}
		}
		f, err := parser.ParseFile(rooms[dir].fset, name, nil, parser.SkipObjectResolution)
		rooms[dir].files = append(rooms[dir].files, f)
		return err
	})
	if err != nil || len(rooms) < 20 {
		t.Fatalf("%d packages read: %v", len(rooms), err)
	}
	return rooms
}

func (r *room) lines() (n int) {
	for _, f := range r.files {
		n += r.fset.File(f.Pos()).LineCount()
	}
	return n
}

// largestCycle returns the files of the largest circle: each uses a name that another
// declares, and that one, perhaps through others, one of it.
func (r *room) largestCycle(dir string) (largest []string) {
	// The packages that are imported are left out, which makes errors but leaves known
	// which names of its own a package uses.
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: nothing{}, Error: func(error) {}}
	pkg, _ := conf.Check(dir, r.fset, r.files, info)
	file := func(p token.Pos) string { return filepath.Base(r.fset.Position(p).Filename) }
	uses := map[string][]string{}
	for id, o := range info.Uses {
		if from, to := file(id.Pos()), file(o.Pos()); o.Pkg() == pkg && from != to && !slices.Contains(uses[from], to) {
			uses[from] = append(uses[from], to)
		}
	}
	reach := map[string][]string{}
	for from := range uses {
		reach[from] = reachable(uses, from)
	}
	for a, from := range reach {
		var cycle []string
		for _, b := range from {
			if slices.Contains(reach[b], a) {
				cycle = append(cycle, b)
			}
		}
		if len(cycle) > len(largest) {
			largest = slices.Sorted(slices.Values(cycle))
		}
	}
	return largest
}

// reachable returns the files that from needs, directly or through others.
func reachable(uses map[string][]string, from string) (found []string) {
	next := slices.Clone(uses[from])
	for len(next) > 0 {
		file := next[0]
		next = next[1:]
		if !slices.Contains(found, file) {
			found = append(found, file)
			next = append(next, uses[file]...)
		}
	}
	return found
}

// nothing is a types.Importer that knows no package.
type nothing struct{}

// Import implements types.Importer.
func (nothing) Import(string) (*types.Package, error) { return nil, errors.New("left out") }

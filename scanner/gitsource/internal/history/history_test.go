package history_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/history"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objectwalk"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/repo"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// walk reads all objects of the repository in dir.
func walk(t *testing.T, dir string) (*objectwalk.Walk, *repo.RefSet) {
	t.Helper()
	d, err := repo.Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	s := d.OpenStore(false, func(*pack.Pack) bool { return false }, nil)
	t.Cleanup(s.Close)
	w := objectwalk.NewWalk(s, objects.NoLimit, scanner.Prefilter{Whole: func([]byte) bool { return true }}, func(scanner.Blob) error { return nil })
	w.SkipPack, w.SkipLoose = func(*pack.Pack) bool { return false }, func(objects.Loose) bool { return false }
	for n := range int32(s.Len()) {
		w.Graph.Mark(n)
	}
	if err := w.All(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w, d.Refs()
}

// TestLocator: each text is at its paths, with the first commit that has it there. A ref comes
// before a reflog, and a reflog before nothing.
func TestLocator(t *testing.T) {
	dir := scannertest.Repo(t, `
echo moved >a; commit one
mkdir d; git mv a d/a; echo new >a; commit two; git tag v1
git checkout -q --detach; echo logged >l; commit three; git checkout -q main
echo dangling >x; git add x
echo $(git write-tree) >../tree; git rm -q --cached x; rm x
git commit-tree -p HEAD -m four $(cat ../tree) >../dangling
echo staged >s; git add s
echo lone | git hash-object -w --stdin >../lone
`)
	w, refs := walk(t, dir)
	blob := func(content string) int32 {
		name := filepath.Join(dir, "..", "content")
		if err := os.WriteFile(name, []byte(content+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		id, _ := pack.ParseID([]byte(scannertest.Git(t, dir, "hash-object", name)))
		n := w.Store.Find([]byte(id))
		if n == objects.None {
			t.Fatalf("%q is not in the store", content)
		}
		return n
	}
	for _, tt := range []struct {
		content string
		want    []string // path, commit, HEAD, refs, unreachable
	}{
		{"moved", []string{`"a" one false ["refs/heads/main" "refs/tags/v1"] ""`, `"d/a" two true ["refs/heads/main" "refs/tags/v1"] ""`}},
		{"new", []string{`"a" two true ["refs/heads/main" "refs/tags/v1"] ""`}},
		{"logged", []string{`"l" three false [] "reflog HEAD@{1}"`}},
		{"dangling", []string{`"x" four false [] "dangling commit"`}},
		{"staged", []string{`"s"  false [] ""`}},
		{"lone", []string{fmt.Sprintf(`""  false [] %q`, history.Unreferenced)}},
	} {
		t.Run(tt.content, func(t *testing.T) {
			hit := blob(tt.content)
			l := history.NewLocator(w.Graph, refs, []int32{hit})
			l.StagedPaths = map[pack.ID]string{w.Store.ID(blob("staged")): "s"}
			if err := l.Locate(t.Context(), []int32{hit}); err != nil {
				t.Fatal(err)
			}
			attribution := history.Attribution{Store: w.Store, Limit: objects.NoLimit, Known: map[int32]finding.Location{}}
			var got []string
			for i := range l.Found {
				f := &l.Found[i]
				attribution.Fill(w.Graph, f)
				subject := ""
				if f.Commit != "" {
					subject = scannertest.Git(t, dir, "log", "-1", "--format=%s", f.Commit)
				}
				if f.Node != hit || (f.Author == "Ada") != (f.Commit != "") {
					t.Errorf("object %d by %q, want %d", f.Node, f.Author, hit)
				}
				got = append(got, fmt.Sprintf("%q %s %v %q %q", f.Path, subject, f.AtHead, f.Refs, f.Unreachable))
			}
			if d := cmp.Diff(tt.want, got); d != "" || attribution.Err() != nil {
				t.Errorf("%v, locations (-want +got):\n%s", attribution.Err(), d)
			}
		})
	}
}

// TestCompleteness: a missing object is unread, under its path, if a ref leads to it. One that
// only a dangling commit leads to is not missed.
func TestCompleteness(t *testing.T) {
	made := scannertest.Repo(t, `
mkdir d; echo 1 >d/f; commit 1; echo 2 >d/f; commit 2
echo 3 >x; git add x; git commit-tree -m 3 $(git write-tree) >../dangling; git rm -q -f --cached x; rm x
rm -rf .git/logs
`)
	for _, tt := range []struct {
		name, lost string // the object that is taken away
		shallow    bool   // and is the parent of a commit that is cut off
		want       []string
	}{
		{"nothing", "", false, nil},
		{"a file at HEAD", "HEAD:d/f", false, []string{"d/f"}},
		{"a file of the past", "HEAD~:d/f", false, []string{"d/f"}},
		{"a folder", "HEAD:d", false, []string{"d"}},
		{"a commit", "HEAD~", false, []string{"its id"}},
		{"a commit that is cut off", "HEAD~", true, nil},
		{"a file of a dangling commit", "$dangling:x", false, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := scannertest.Copy(t, made)
			dangling, err := os.ReadFile(filepath.Join(dir, "..", "dangling"))
			if err != nil {
				t.Fatal(err)
			}
			shallow := map[pack.ID]bool{}
			if tt.lost != "" {
				id := scannertest.Git(t, dir, "rev-parse", strings.Replace(tt.lost, "$dangling", strings.TrimSpace(string(dangling)), 1))
				if tt.shallow {
					head, _ := pack.ParseID([]byte(scannertest.Git(t, dir, "rev-parse", "HEAD")))
					shallow[head] = true
				}
				if err := os.Remove(filepath.Join(dir, ".git", "objects", id[:2], id[2:])); err != nil {
					t.Fatal(err)
				}
				if len(tt.want) > 0 && tt.want[0] == "its id" {
					tt.want = []string{id}
				}
			}
			w, refs := walk(t, dir)
			var got []string
			end := history.Completeness{Walk: w, Refs: refs, Shallow: shallow, Yield: func(b scanner.Blob) error {
				if !errors.Is(b.Err, objects.ErrMissing) {
					t.Errorf("%s: %v", b.Name, b.Err)
				}
				got = append(got, b.Name)
				return nil
			}}
			if err := end.YieldUnread(t.Context()); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, tt.want) || end.Incomplete != (tt.want != nil) {
				t.Errorf("unread: %q, incomplete %v; want %q", got, end.Incomplete, tt.want)
			}
		})
	}
}

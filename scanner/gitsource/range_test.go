package gitsource

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/changes"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// twists is a history with all that makes ranges hard: merges, a criss-cross, wrong
// clocks, tags, what is added and taken out again.
const twists = `
echo base >f; mkdir d; echo d >d/d; commit base; git tag base
git checkout -qb a; echo a1 >a1; commit a1; echo a2 >>f; commit a2; git tag -a -m 'tag of a2' a2
git checkout -qb b base; echo b1 >d/b1; commit b1; git tag b1
now=1500000000; echo early >early; commit early; git tag early
git merge -q -m cross a2; git tag cross
git checkout -q a; git merge -q -m criss early; git rm -q a1; commit taken; git tag taken
git revert --no-edit HEAD >/dev/null; git tag reverted
now=1800000000; echo late >late; commit late; git tag late
git checkout -q main; git merge -q -m main a; git tag main-merge
git checkout -q --orphan root; git rm -rqf .; echo r >r; commit root; git tag root
git checkout -q main
`

// TestRangeCommits compares the commits of ranges with git rev-list.
func TestRangeCommits(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, twists)
	r := openRepo(t, dir)
	for _, tt := range [][2]string{
		{"main", ""}, {"main", "a2"}, {"a2", "main"}, {"main", "early"}, {"late", "cross"}, {"cross", "late"}, {"main root", "b1"}, {"a b", "base"},
		{"b", "a"}, {"a", "b"}, {"early", "a2"}, {"a2 early", "base b1"}, {"late", "taken"}, {"root", "main"}, {"main", "main"},
	} {
		include, exclude := strings.Fields(tt[0]), strings.Fields(tt[1])
		args := append(append([]string{"rev-list"}, include...), "--not")
		want := strings.Fields(scannertest.Git(t, dir, append(append(args, exclude...), "--")...))
		slices.Sort(want)
		g := &Range{Repo: r}
		for _, x := range include {
			g.Include = append(g.Include, scannertest.Git(t, dir, "rev-parse", x))
		}
		for _, x := range exclude {
			g.Exclude = append(g.Exclude, scannertest.Git(t, dir, "rev-parse", x))
		}
		var got []string
		var mu sync.Mutex
		err := g.Blobs(context.Background(), func(b scanner.Blob) error {
			mu.Lock()
			defer mu.Unlock()
			if b.Kind == finding.KindCommit {
				got = append(got, string(b.ID))
			}
			return b.Err
		})
		slices.Sort(got)
		if diff := cmp.Diff(want, got); err != nil || diff != "" && len(want)+len(got) > 0 {
			t.Errorf("%s: %v %s", tt, err, diff)
		}
	}
}

// TestRange: what the commits of a range bring.
func TestRange(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, twists)
	for _, tt := range []struct {
		include, exclude string
		want             []string
	}{
		{"late", "base", []string{"a1: a1", "d/b1: b1", "early: early", "f: a2", "late: late"}},
		{"reverted", "taken", []string{"a1: a1"}}, // it was known before, and is back
		{"cross", "a2", []string{"d/b1: b1", "early: early"}},
		{"root", "main", []string{"r: r"}},
		{"main-merge", "late", nil},
		{"a2", "base", []string{"a1: a1", "f: a2"}},
		{"main:f", "", []string{"{}: base|a2"}},
		{"base^{tree}", "", []string{"d/d: d", "f: base"}},
	} {
		id := scannertest.Git(t, dir, "rev-parse", tt.include)
		g := &Range{Repo: openRepo(t, dir), Include: []string{id}}
		if tt.exclude != "" {
			g.Exclude = []string{scannertest.Git(t, dir, "rev-parse", tt.exclude), strings.Repeat("1", 40)}
		}
		got := newLines(t, g)
		for i := range got {
			got[i] = strings.ReplaceAll(got[i], id, "{}")
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s..%s: %s", tt.exclude, tt.include, diff)
		}
	}
}

// TestRangeSource: the contract of sources; a tag, and names of refs.
func TestRangeSource(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, twists)
	scannertest.Source(t, &Range{Repo: openRepo(t, dir), Include: []string{scannertest.Git(t, dir, "rev-parse", "a2"), scannertest.Git(t, dir, "rev-parse", "main")},
		Names: []string{"refs/heads/main", "refs/tags/a2"}})
}

// TestRangeOfTip: a commit and its whole tree have each file in one place, in the commit if
// that brought it.
func TestRangeOfTip(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	dir := scannertest.Repo(t, "echo old >old; commit 1; echo new >new; cp new again; commit 2")
	tip := scannertest.Git(t, dir, "rev-parse", "HEAD")
	g := &Range{Repo: openRepo(t, dir), Include: []string{tip, scannertest.Git(t, dir, "rev-parse", "HEAD^{tree}")}, Exclude: []string{scannertest.Git(t, dir, "rev-parse", "HEAD^")}}
	if err := g.Blobs(t.Context(), func(scanner.Blob) error { return nil }); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, name := range []string{"old", "new"} {
		err := g.Locate(t.Context(), []finding.BlobID{finding.BlobID(scannertest.Git(t, dir, "rev-parse", "HEAD:"+name))}, func(_ finding.BlobID, l finding.Location) error {
			got = append(got, l.Path+" "+l.Commit)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"old ", "again " + tip, "new " + tip}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestRangeUnread: what is missing is said.
func TestRangeUnread(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, twists)
	head := scannertest.Git(t, dir, "rev-parse", "late")
	clone := func(depth string) string {
		to := t.TempDir()
		scannertest.Git(t, dir, "clone", "-q", "--depth", depth, "--branch", "late", "file://"+dir, to)
		return to
	}
	for _, tt := range []struct {
		name, dir, exclude string
		want               error
	}{
		{"shallow_enough", clone("2"), "late~", nil},
		{"shallow", clone("2"), "base", changes.ErrShallow},
		{"shallow_all", clone("1"), "", changes.ErrShallow},
		{"missing", t.TempDir(), "", objects.ErrMissing},
	} {
		if tt.want == objects.ErrMissing { //nolint:errorlint // a row of the table
			scannertest.Git(t, tt.dir, "init", "-q")
		}
		g := &Range{Repo: openRepo(t, tt.dir), Include: []string{head}}
		if tt.exclude != "" {
			g.Exclude = []string{scannertest.Git(t, dir, "rev-parse", tt.exclude)}
		}
		var bad error
		var mu sync.Mutex
		err := g.Blobs(context.Background(), func(b scanner.Blob) error {
			mu.Lock()
			defer mu.Unlock()
			if b.Err != nil {
				bad = b.Err
			}
			return nil
		})
		if err != nil || !errors.Is(bad, tt.want) || (bad == nil) != (tt.want == nil) {
			t.Errorf("%s: %v %v, want %v", tt.name, err, bad, tt.want)
		}
	}
	g := &Range{Repo: openRepo(t, dir), Include: []string{"main"}}
	if got := newLines(t, g); len(got) != 1 || !strings.HasPrefix(got[0], "ERROR ") {
		t.Errorf("of a name that is no id: %q", got)
	}
}

// TestRefs compares with git for-each-ref, and names with git rev-parse.
func TestRefs(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, twists+"git pack-refs --all; git branch new; git branch -D -q b; git symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/main; git update-ref refs/remotes/origin/main main")
	r := openRepo(t, dir)
	for _, prefix := range []string{"refs/", "refs/heads/", "refs/tags/", "refs/remotes/origin/", "refs/none/"} {
		refs, err := r.Refs(prefix)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for name, id := range refs {
			got = append(got, id+" "+name)
		}
		slices.SortFunc(got, func(a, b string) int { return strings.Compare(a[41:], b[41:]) })
		out := scannertest.Git(t, dir, "for-each-ref", "--format=%(if)%(symref)%(then)%(else)%(objectname) %(refname)%(end)", prefix)
		want := slices.DeleteFunc(strings.Split(out, "\n"), func(line string) bool { return line == "" })
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", prefix, diff)
		}
	}
	for _, name := range []string{"HEAD", "refs/heads/main", "refs/heads/new", "refs/remotes/origin/HEAD"} {
		if id, err := r.Resolve(name); err != nil || id != scannertest.Git(t, dir, "rev-parse", name) {
			t.Errorf("%s: %s %v", name, id, err)
		}
	}
	for _, name := range []string{"refs/heads/b", "MERGE_HEAD", "refs/heads"} {
		if id, err := r.Resolve(name); err != nil || id != "" {
			t.Errorf("%s: %q %v", name, id, err)
		}
	}
}

// BenchmarkRange compares a walk over all commits of the repository that STANCH_REPO
// names with git rev-list, and what the last thousand bring.
func BenchmarkRange(b *testing.B) {
	r := benchRepo(b)
	head, err := r.Resolve("HEAD")
	if err != nil {
		b.Fatal(err)
	}
	back := func(n int) []string {
		out, err := exec.CommandContext(b.Context(), "git", "--git-dir", r.dir.GitDir, "rev-parse", fmt.Sprintf("HEAD~%d", n)).Output()
		if err != nil {
			b.Skip(err)
		}
		return []string{strings.TrimSpace(string(out))}
	}
	for _, n := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			g := &Range{Repo: r, Include: []string{head}, Exclude: back(n)}
			for b.Loop() {
				if err := g.Blobs(context.Background(), func(scanner.Blob) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(g.Looked.Commits), "commits")
			b.ReportMetric(float64(g.Looked.Files), "files")
		})
	}
}

package gitsource

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// newLines returns what a source yields: "PATH: LINES THAT ARE NEW", sorted, and
// "PATH! ERROR".
func newLines(t *testing.T, src scanner.Source) []string {
	t.Helper()
	var mu sync.Mutex
	var got []string
	err := src.Blobs(context.Background(), func(b scanner.Blob) error {
		mu.Lock()
		defer mu.Unlock()
		var lines []string
		from := 0
		for line := range strings.Lines(string(b.Data)) {
			if b.New == nil || b.New(from, from+len(line)) {
				lines = append(lines, strings.TrimSpace(line))
			}
			from += len(line)
		}
		switch {
		case b.Err != nil:
			got = append(got, b.Name+"! "+b.Err.Error())
		case b.Kind == finding.KindBlob || b.Kind == finding.KindIndex:
			got = append(got, b.Name+": "+strings.Join(lines, "|"))
		}
		return nil
	})
	if err != nil {
		got = append(got, "ERROR "+err.Error())
	}
	slices.Sort(got)
	return got
}

func openRepo(t *testing.T, dir string) *Repository {
	t.Helper()
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func stagedIn(t *testing.T, dir string) *Staged {
	t.Helper()
	r := openRepo(t, dir)
	s := &Staged{Repo: r, CountLines: true}
	for _, name := range []string{"HEAD", "MERGE_HEAD"} {
		id, err := r.Resolve(name)
		if err != nil {
			t.Fatal(err)
		}
		if id != "" {
			s.Parents = append(s.Parents, id)
		}
	}
	return s
}

// edits is a repository with all kinds of changes in its index, and others in the work
// tree, which are not to be seen.
const edits = `
mkdir -p d/e other
printf '1\n2\n3\n' >edited; printf 'a\nb\n' >renamed; printf 'x\ny\n' >moved; echo gone >gone; echo t >target
printf 'k\n' >d/e/kept; printf 'k\n' >d/e/deep; echo same >other/same; echo plain >type
commit base
printf '1\nnew\n2\n3\n' >edited
git mv renamed d/renamed
git mv moved d/moved; printf 'x\nz\ny\n' >d/moved
git rm -q gone
echo more >>d/e/deep
ln -s target link
rm type; mkdir type; echo in >type/in
chmod +x other/same
git add -A
echo later >intent; git add -N intent
echo 'of the work tree' >edited; rm d/moved; echo untracked >untracked
`

var editsWant = []string{"d/e/deep: more", "d/moved: z", "edited: new", "link: target", "type/in: in"}

// TestStaged: of each file that is staged, what is new, in each format of the index.
func TestStaged(t *testing.T) {
	t.Parallel()
	for name, format := range map[string]string{
		"version_2":     "git update-index --index-version 2",
		"version_3":     "git update-index --index-version 3",
		"version_4":     "git update-index --index-version 4",
		"no_cache_tree": "GIT_INDEX_FILE=.git/new git read-tree $(git write-tree); git ls-files -s | grep -v intent >../list; rm .git/index; git update-index --index-info <../list",
		"cache_tree":    "git write-tree >/dev/null",
		"split":         "git -c core.splitIndex=true update-index --split-index; echo more >>split; git add split; git rm -q --cached split",
		"split_replaced": `git -c splitIndex.maxPercentChange=100 update-index --split-index; git add edited; printf '1\nnew\n2\n3\n' >edited
			git -c splitIndex.maxPercentChange=100 add edited; echo of the work tree >edited`,
		"skip_hash": "git -c index.skipHash=true update-index --force-write-index 2>/dev/null || git -c index.skipHash=true add other/same",
		"untracked": "git update-index --force-untracked-cache; git status >/dev/null",
		"packed":    "git repack -qad",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := stagedIn(t, scannertest.Repo(t, edits+format))
			if diff := cmp.Diff(editsWant, newLines(t, s)); diff != "" {
				t.Error(diff)
			}
			if s.Looked.Lines != 5 {
				t.Errorf("%d lines were looked at, not 5", s.Looked.Lines)
			}
		})
	}
}

// TestStagedElsewhere: repositories and indexes of other kinds.
func TestStagedElsewhere(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, script string
		want         []string
	}{
		{"first_commit", "echo a >a; git add a", []string{"a: a"}},
		{"nothing", "echo a >a; commit a", nil},
		{"empty", "", nil},
		{"sha256", "rm -rf .git; git init -q -b main --object-format=sha256 .; echo a >a; commit a; echo b >>a; git add a", []string{"a: b"}},
		{"packed_refs", "echo a >a; commit a; git pack-refs --all; echo b >>a; git add a", []string{"a: b"}},
		{"detached", "echo a >a; commit a; git checkout -q --detach; echo b >>a; git add a", []string{"a: b"}},
		{"lines_twice", "echo a >a; commit a; echo a >>a; git add a", []string{"a: a"}},
		{"line_ends", "printf 'a\\nb\\n' >a; commit a; printf 'a\\r\\nb\\r\\nc\\r\\n' >a; git add a", []string{"a: c"}},
		{"no_last_newline", "printf 'a\\nb' >a; commit a; printf 'a\\nb\\nc' >a; git add a", []string{"a: c"}},
		{"lines_moved", "printf 'a\\nb\\nc\\nd\\n' >a; commit a; printf 'c\\na\\nd\\nb\\ne\\n' >a; git add a", []string{"a: e"}},
		{"conflict", "echo a >a; commit a; git checkout -qb o; echo o >a; commit o; git checkout -q main; echo m >a; commit m; git merge -q o || :", nil},
		{"merge", `echo a >a; echo b >b; echo c >c; commit a; git checkout -qb o; echo o >>a; echo o >>b; echo n >n; commit o; git checkout -q main
			echo m >>a; echo m >>c; commit m; git merge -q o || :; printf 'a\nm\no\nboth\n' >a; git add a`, []string{"a: both"}},
		{"submodule", "git init -q ../m; cd ../m; command git commit -q --allow-empty -m m; cd -; git submodule -q add ../m sub; git rm -q --cached .gitmodules", nil},
		{"sparse", `mkdir -p in out/deep; echo i >in/i; echo o >out/deep/o; commit a; git sparse-checkout set --cone --sparse-index in
			echo more >>in/i; git add in/i`, []string{"in/i: more"}},
		{"sparse_other_head", `mkdir -p in out/deep; echo i >in/i; echo o >out/deep/o; commit a; echo n >out/deep/n; commit b
			git sparse-checkout set --cone --sparse-index in; git update-ref HEAD HEAD~`, []string{"out/deep/n: n"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, newLines(t, stagedIn(t, scannertest.Repo(t, tt.script)))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestStagedPaths: files that were asked for, whole if one of them has not changed.
func TestStagedPaths(t *testing.T) {
	t.Parallel()
	const notStaged = `not in the index, and so not a part of the commit: "git add" it, or scan it with "stanch dir"`
	dir := scannertest.Repo(t, edits)
	for _, tt := range []struct {
		paths, want []string
	}{
		{[]string{"edited"}, []string{"edited: new"}},
		{[]string{"edited", "link"}, []string{"edited: new", "link: target"}},
		{[]string{"d"}, []string{"d/e/deep: more", "d/moved: z"}},
		{[]string{"edited", "d/e/kept"}, []string{"d/e/kept: k", "edited: 1|new|2|3"}},
		{[]string{"intent"}, nil},
		{[]string{"untracked", "edited"}, []string{"edited: new", "untracked! " + notStaged}},
		{[]string{"gone"}, []string{"gone! " + notStaged}},
	} {
		s := stagedIn(t, dir)
		s.Paths = tt.paths
		if diff := cmp.Diff(tt.want, newLines(t, s)); diff != "" {
			t.Errorf("%s: %s", tt.paths, diff)
		}
	}
	s := stagedIn(t, dir)
	s.Whole = true
	if got := newLines(t, s); len(got) != 9 || !slices.Contains(got, "other/same: same") {
		t.Errorf("all files: %q", got)
	}
}

// TestStagedSource: the contract of sources.
func TestStagedSource(t *testing.T) {
	t.Parallel()
	scannertest.Source(t, stagedIn(t, scannertest.Repo(t, edits)))
}

// TestStagedUnread: what cannot be read is said, and is never nothing.
func TestStagedUnread(t *testing.T) {
	t.Parallel()
	object := func(rev string) string {
		return `id=$(git rev-parse ` + rev + `); f=.git/objects/$(echo $id | cut -c1-2)/$(echo $id | cut -c3-); rm -f $f; `
	}
	const change = "mkdir d; echo a >d/a; commit a; echo b >>d/a; git add d/a; "
	for _, tt := range []struct{ name, script, want string }{
		{"blob", change + object(":d/a"), "d/a! object "},
		{"blob_damaged", change + object(":d/a") + "echo garbage >$f", "d/a! object "},
		{"tree", change + object("HEAD^{tree}"), "ERROR "},
		{"folder", change + object("HEAD:d"), "ERROR "},
		{"commit", change + object("HEAD"), "ERROR "},
		{"index_cut", change + "head -c 100 .git/index >x; mv x .git/index", "ERROR reading "},
		{"index_garbage", change + "echo garbage >.git/index", "ERROR reading "},
		{"index_empty", change + ": >.git/index", "ERROR reading "},
		{"index_flipped", change + `printf '\377' | dd of=.git/index bs=1 seek=60 conv=notrunc status=none`, "ERROR reading "},
		{"shared_missing", change + "git update-index --split-index; rm .git/sharedindex.*", "ERROR reading "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := newLines(t, stagedIn(t, scannertest.Repo(t, tt.script)))
			if len(got) == 0 || !strings.HasPrefix(got[0], tt.want) {
				t.Errorf("got %q, want %q…", got, tt.want)
			}
		})
	}
}

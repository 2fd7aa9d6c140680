package gitsource

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// everyRef makes refs of all kinds: some in blocks of their own, moved, deleted, symbolic,
// noted, stashed and dropped, with reflogs of which some are empty or have gone.
const everyRef = "\n" + put + `
put f main; commit 1
git tag -am "tag message" v1; git notes add -m noted
for i in $(seq 300); do echo "create refs/pull/$i/head HEAD"; done | git update-ref --stdin
for i in $(seq 3 7 300); do echo "delete refs/pull/$i/head"; done | git update-ref --stdin
put f two; commit 2; put f three; commit "three: a message"; git reset -q --hard HEAD~
git checkout -q -b topic; put g topic; commit 4; git checkout -q main; git branch -q -D topic
git branch kept; git branch -m kept renamed; git symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/main
for s in older dropped newer; do put f $s; git stash -q; done; git stash drop -q stash@{1}
git reflog expire --expire=all refs/heads/renamed; git update-ref -d refs/tags/none
git update-ref ORIG_HEAD main; git update-ref refs/bisect/bad main
`

// TestReftable: in a repository with reftables, everything is read that git lists, and found
// where it is in the same repository with files.
func TestReftable(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"sha1", "sha256"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			start := scannertest.Reftable(t)
			dir := scannertest.Repo(t, start+"rm -rf .git; git init -q -b main --object-format="+format+everyRef+`
git for-each-ref --format="%(refname) %(symref) %(objectname)" >../refs
git log -g --format='%gD %H' HEAD >../log; git log -g --format='%gD %H' refs/stash >>../log
[ -d .git/reftable ]; cp -r . ../files; cd ../files; git refs migrate --ref-format=files; [ -d .git/logs ]
`)
			r := open(t, dir)
			refs := r.dir.Refs()
			var got, log []string
			for _, ref := range refs.Refs {
				if ref.IsNamed() && ref.ID != "" {
					got = append(got, fmt.Sprintf("%s  %s", ref.Name, ref.ID))
				}
			}
			want := slices.DeleteFunc(lines(t, dir, "../refs"), func(line string) bool { return !strings.Contains(line, "  ") })
			if diff := cmp.Diff(want, got); diff != "" || len(want) < 250 {
				t.Errorf("git for-each-ref has (-), stanch (+):\n%s", diff)
			}
			for _, ref := range refs.Reflogs() {
				log = append(log, fmt.Sprintf("%s %s", ref.Name, ref.ID))
			}
			for _, line := range lines(t, dir, "../log") {
				if !slices.Contains(log, line) {
					t.Errorf("git log -g has %s, stanch %q", line, log)
				}
			}
			files := open(t, filepath.Join(dir, "../files"))
			if refs.Head == "" || refs.Head != files.dir.Refs().Head {
				t.Errorf("HEAD is %s", refs.Head)
			}
			tabled, filed := read(t, r), read(t, files)
			filed.texts[finding.KindConfig], tabled.texts[finding.KindConfig] = nil, nil
			for kind, texts := range filed.texts {
				if diff := cmp.Diff(texts, tabled.texts[kind]); diff != "" {
					t.Errorf("%s in files (-) and in reftables (+):\n%s", kind, diff)
				}
			}
			if len(tabled.errs) > 0 {
				t.Errorf("unread: %q", tabled.errs)
			}
			ids := slices.Sorted(maps.Keys(filed.names))
			if diff := cmp.Diff(locate(t, files, ids...), locate(t, r, ids...)); diff != "" {
				t.Errorf("places in files (-) and in reftables (+):\n%s", diff)
			}
			for name, id := range map[string]string{"HEAD": refs.Head.String(), "refs/heads/gone": "", "refs/heads/renamed": refs.Refs[refs.ByName["refs/heads/renamed"]].ID.String()} {
				if got, err := r.Resolve(name); got != id || err != nil {
					t.Errorf("%s is %s, want %s, %v", name, got, id, err)
				}
			}
		})
	}
}

// TestReftableOfWorktree: a linked work tree has a HEAD and reflogs of its own, and so has a
// submodule.
func TestReftableOfWorktree(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, scannertest.Reftable(t)+put+`
put f main; commit 1; git rev-parse HEAD >../main
git worktree add -q -b side ../linked; cd ../linked; put f side; commit "of the side"; git rev-parse HEAD >../side
cd ../repo; git init -q -b main ../sub; cd ../sub; put s sub; commit "of the submodule"; cd ../repo; git submodule --quiet add ../sub sub; [ -d .git/modules/sub/reftable ]
`)
	for path, id := range map[string]string{".": "../main", "../linked": "../side"} {
		want := lines(t, dir, id)[0]
		r := open(t, filepath.Join(dir, path))
		if got, err := r.Resolve("HEAD"); got != want || err != nil {
			t.Errorf("HEAD of %s is %s, want %s, %v", path, got, want, err)
		}
		if got, err := r.Resolve("refs/heads/side"); got != lines(t, dir, "../side")[0] || err != nil {
			t.Errorf("%s: side is %s, %v", path, got, err)
		}
		if got := r.dir.Refs().Head.String(); got != want {
			t.Errorf("the head of %s is %s, want %s", path, got, want)
		}
	}
	r := open(t, dir)
	texts := read(t, r)
	if logs := strings.Join(texts.texts[finding.KindReflog], "\n"); !strings.Contains(logs, "commit: of the side") || len(texts.errs) > 0 {
		t.Errorf("reflogs:\n%s\nunread: %q", logs, texts.errs)
	}
	ids := []finding.BlobID{"worktrees/linked/logs/HEAD", "modules/sub:logs/HEAD"}
	want := map[finding.BlobID][]finding.Location{
		ids[0]: {{Kind: finding.KindReflog, Path: "worktrees/linked/logs/HEAD"}},
		ids[1]: {{Kind: finding.KindReflog, Path: "modules/sub/logs/HEAD"}},
	}
	if diff := cmp.Diff(want, locate(t, r, ids...)); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
}

// TestReftableDamaged: what is left is read, and a hook, which has to know HEAD, is told.
func TestReftableDamaged(t *testing.T) {
	t.Parallel()
	for damage, want := range map[string]string{
		`printf x | dd of="$newest" bs=1 seek=24 conv=notrunc status=none`: "block at 0: it is of another kind",
		`printf x | dd of="$newest" bs=1 seek=4 conv=notrunc status=none`:  "reftable of version 120, which is not known",
		`truncate -s 60 "$newest"`: "cut off after 60 bytes",
		`rm -f "$newest"`:          "the file is missing",
		`printf '\377\377' | dd of="$newest" bs=1 seek=28 conv=notrunc status=none`:           "a key is not whole",
		`for t in .git/reftable/*.ref; do printf x | dd of=$t conv=notrunc status=none; done`: "not a reftable",
	} {
		dir := scannertest.Repo(t, scannertest.Reftable(t)+put+`
put f main; commit 1; for i in $(seq 50); do echo "create refs/heads/$i HEAD"; done | git update-ref --stdin; git pack-refs --all; git branch other; newest=.git/reftable/$(tail -n 1 .git/reftable/tables.list); chmod u+w .git/reftable/*
`+damage+"\n")
		r := open(t, dir)
		got := read(t, r)
		if got.contents() != "main" || !strings.Contains(strings.Join(got.errs, "\n"), want) || !strings.Contains(got.errs[0], "reading ref reftable: table 0x") {
			t.Errorf("%s: blobs %q, unread: %q", damage, got.contents(), got.errs)
		}
		if id, err := r.Resolve("HEAD"); err == nil || !strings.Contains(err.Error(), "reading ref HEAD: table 0x") {
			t.Errorf("%s: HEAD is %s, %v", damage, id, err)
		}
		if refs, err := r.Refs("refs/heads/"); err == nil || strings.Contains(damage, "newest") && len(refs) != 51 {
			t.Errorf("%s: %d branches, %v", damage, len(refs), err)
		}
	}
}

func lines(t *testing.T, dir, file string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// TestReftableLevels: an index of several levels is passed over, that of refs and that of logs.
func TestReftableLevels(t *testing.T) {
	t.Parallel()
	const branches = 4000
	dir := scannertest.Repo(t, scannertest.Reftable(t)+put+fmt.Sprintf(`
put f main; commit 1; git config core.logAllRefUpdates always
for i in $(seq 10000 %d); do echo "create refs/heads/$i%s HEAD"; done | git update-ref --stdin; git pack-refs --all
`, 9999+branches, strings.Repeat("-long", 40)))
	r := open(t, dir)
	refs, err := r.Refs("refs/heads/")
	if len(refs) != branches+1 || err != nil {
		t.Errorf("%d branches, %v", len(refs), err)
	}
	if logged := len(r.dir.Refs().Reflogs()); logged < branches {
		t.Errorf("%d ids in reflogs", logged)
	}
	if errs := read(t, r).errs; len(errs) > 0 {
		t.Errorf("unread: %q", errs)
	}
}

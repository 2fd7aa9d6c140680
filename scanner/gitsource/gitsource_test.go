package gitsource

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/repo"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// A readTexts is what Blobs yields.
type readTexts struct {
	texts map[finding.Kind][]string // sorted
	names map[finding.BlobID]string
	errs  []string // sorted
}

func (r *readTexts) contents() string {
	all := slices.Concat(r.texts[finding.KindBlob], r.texts[finding.KindNote])
	slices.Sort(all)
	return strings.Join(all, " ")
}

func read(t *testing.T, repo *Repository) *readTexts {
	t.Helper()
	var mu sync.Mutex
	r := &readTexts{texts: map[finding.Kind][]string{}, names: map[finding.BlobID]string{}}
	err := repo.Blobs(context.Background(), func(b scanner.Blob) error {
		mu.Lock()
		defer mu.Unlock()
		if b.Err != nil {
			r.errs = append(r.errs, b.Err.Error())
			return nil
		}
		r.texts[b.Kind] = append(r.texts[b.Kind], strings.TrimSpace(string(b.Data)))
		r.names[b.ID] = b.Name
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(r.errs)
	for _, texts := range r.texts {
		slices.Sort(texts)
	}
	return r
}

func open(t *testing.T, path string) *Repository {
	t.Helper()
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// put makes a one-line file for the scripts below: put FILE WORD.
const put = `put() { case $1 in */*) mkdir -p "${1%/*}" ;; esac && echo "$2" >"$1"; }
`

func TestBlobs(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, script, open string
		want               string // contents of all blobs
	}{
		{"branches", `put f main; commit 1; git checkout -qb other; put f other; commit 2; git checkout -q main`, "", "main other"},
		{"packed_refs", `put f old; commit 1; git tag t; git pack-refs --all; put f new; commit 2; git branch b`, "", "new old"},
		{"packed_objects", `for i in 1 2 3 4; do seq 1 50 >f; echo v$i >>f; put g w$i; commit $i; done; git rm -q f; git commit -qm gone; git filter-branch -f --index-filter 'git rm -q --cached --ignore-unmatch f' HEAD >/dev/null 2>&1; git update-ref -d refs/original/refs/heads/main; git reflog expire --expire=now --all; git gc -q --prune=now`, "", "w1 w2 w3 w4"},
		{"lightweight_tag", `put f main; commit 1; put f tagged; commit 2; git tag t; git reset -q --hard HEAD~`, "", "main tagged"},
		{"annotated_tag_of_tag", `put f main; commit 1; put f tagged; commit 2; git tag -am one a; git tag -am two b a; git tag -d a; git reset -q --hard HEAD~`, "", "main tagged"},
		{"tag_of_blob", `put f main; commit 1; git tag -am blob t $(echo lone | git hash-object -w --stdin)`, "", "lone main"},
		{"tag_of_tree", `put f main; commit 1; put d/g treed; git add -A; git tag t $(git write-tree); git reset -q --hard`, "", "main treed"},
		{"remote_and_other_refs", `put f main; commit 1; put f pulled; commit 2; git update-ref refs/pull/7/head HEAD; put f remote; commit 3; git update-ref refs/remotes/origin/x HEAD; put f odd; commit 4; git update-ref refs/odd HEAD; git reset -q --hard HEAD~3`, "", "main odd pulled remote"},
		{"stash", `put f main; commit 1; put f older; git stash -q; put f newer; put u untracked; git stash -q -u; put i index; git add i; put i work; git stash -q`, "", "index main newer older untracked work"},
		{"notes", `put f main; commit 1; git notes add -m noted`, "", "main noted"},
		{"detached_head", `put f main; commit 1; git checkout -q --detach; put f detached; commit 2`, "", "detached main"},
		{"linked_worktree_head", `put f main; commit 1; git worktree add -q --detach ../linked; cd ../linked; put f linked; commit 2`, "", "linked main"},
		{"from_linked_worktree", `put f main; commit 1; git worktree add -q -b b ../linked; put f main2; commit 2`, "../linked", "main main2"},
		{"git_file_itself", `put f main; commit 1; git worktree add -q -b b ../linked`, "../linked/.git", "main"},
		{"git_dir", `put f main; commit 1`, ".git", "main"},
		{"inside_git_dir", `put f main; commit 1`, ".git/refs", "main"},
		{"subfolder", `put a/b/f main; put top top; commit 1`, "a/b", "main top"},
		{"bare", `put f main; commit 1; git clone -q --bare . ../bare`, "../bare", "main"},
		{"submodule", `put f sub; commit 1; git init -q -b main ../super; cd ../super; git submodule --quiet add ../repo sub; put g super; commit 2; rm .gitmodules; git rm -q --cached .gitmodules; git commit -q --amend -m 2; git reflog expire --expire=now --all; git prune`, "../super", "sub super"},
		{"submodule_dir", `put f sub; commit 1; git init -q -b main ../super; cd ../super; git submodule --quiet add ../repo sub`, "../super/sub", "sub"},
		{"submodule_git_dir", `put f sub; commit 1; git init -q -b main ../super; cd ../super; git submodule --quiet add ../repo sub`, "../super/.git/modules/sub", "sub"},
		{"merge_that_adds", `put f main; commit 1; git checkout -qb b; put g side; commit 2; git checkout -q main; put h mine; commit 3; git merge -q --no-commit b; put evil evil; commit 4`, "", "evil main mine side"},
		{"octopus", `put f main; commit 1; for b in x y z; do git checkout -q -b $b main; put $b $b; commit $b; done; git checkout -q main; git merge -q x y z`, "", "main x y z"},
		{"symlink", `put f main; ln -s target l; commit 1`, "", "main target"},
		{"alternates", `put f main; commit 1; git clone -q --shared . ../shared; cd ../shared; put g own; commit 2; git clone -q --shared . ../third`, "../third", "main own"},
		{"relative_alternates", `put f main; commit 1; git clone -q --shared . ../shared; cd ../shared; printf '# why\n../../../repo/.git/objects\n' >.git/objects/info/alternates`, "../shared", "main"},
		{"empty_message", `put f main; commit ""`, "", "main"},
		{"empty_tree", `commit nothing`, "", ""},
		{"dangling_symbolic_ref", `put f main; commit 1; git symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/gone`, "", "main"},
		{"not_a_ref", `put f main; commit 1; echo x >.git/refs/heads/.DS_Store; : >.git/refs/heads/main.lock`, "", "main"},
		{"replaced", `put f old; commit 1; put f new; commit 2; git replace HEAD HEAD~`, "", "new old"},
	}
	for _, tt := range tests {
		check := func(t *testing.T, start string) {
			t.Helper()
			t.Parallel()
			dir := scannertest.Repo(t, start+put+tt.script+"\n")
			r := read(t, open(t, filepath.Join(dir, tt.open)))
			if got := r.contents(); got != tt.want {
				t.Errorf("blobs are %q, want %q", got, tt.want)
			}
			if len(r.errs) > 0 {
				t.Errorf("unread: %q", r.errs)
			}
		}
		t.Run(tt.name, func(t *testing.T) { check(t, "") })
		if strings.Contains(tt.script, ".git/refs") {
			continue
		}
		t.Run(tt.name+"_reftable", func(t *testing.T) { check(t, scannertest.Reftable(t)) })
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, put+`
put dir/f main
commit subject
git tag -am "tag message" v1
git notes add -m noted
printf 'x' >"$(printf 'a\nb\377')"
commit two
`)
	r := read(t, open(t, dir))
	for _, tt := range []struct {
		kind finding.Kind
		want []string // substrings, text by text
	}{
		{finding.KindBlob, []string{"main", "noted", "x"}},
		{finding.KindTag, []string{"tagger Carl <carl@example.com> 1600000240 +0000\n\ntag message"}},
		{finding.KindRefName, []string{"refs/heads/main", "refs/notes/commits", "refs/tags/v1"}},
	} {
		got := r.texts[tt.kind]
		if !slices.EqualFunc(got, tt.want, strings.Contains) {
			t.Errorf("%s: got %q, want %q", tt.kind, got, tt.want)
		}
	}
	if got := strings.Join(r.texts[finding.KindCommit], "\n"); !strings.Contains(got, "author Ada <ada@example.com>") || !strings.Contains(got, "\n\nsubject") {
		t.Errorf("commits are not raw: %q", got)
	}
	if got := r.texts[finding.KindPath]; !slices.Contains(got, "a\nb\xff\ndir") || !slices.Contains(got, "f") {
		t.Errorf("names in trees: %q", got)
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, put+`
for i in 1 2 3; do put d/$i v$i; put e/f$i w$i; commit $i; git tag -am $i t$i; done
git notes add -m noted
git tag blob $(echo lone | git hash-object -w --stdin)
`)
	scannertest.Source(t, open(t, dir))
}

// TestCancelMidway cancels while objects are read.
func TestCancelMidway(t *testing.T) {
	t.Parallel()
	r := open(t, scannertest.Repo(t, put+`for i in 1 2 3; do put f$i v$i; done; commit 1`+"\n"))
	ctx, cancel := context.WithCancel(context.Background())
	err := r.Blobs(ctx, func(scanner.Blob) error {
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestMaxBlobSize(t *testing.T) {
	t.Parallel()
	for _, gc := range []string{"", "git gc -q"} {
		dir := scannertest.Repo(t, `
seq 1 20000 >large; commit 1
seq 1 20001 >large; echo small >s; commit 2
`+gc+"\n")
		r := open(t, dir)
		r.MaxBlobSize = 1 << 16
		got := read(t, r)
		if got.contents() != "small" || len(got.errs) != 2 || !strings.Contains(got.errs[0], "(large): ") || !strings.Contains(got.errs[0], "larger than 0.0625 MiB; raise --max-size to read it") {
			t.Errorf("%q: read %q, unread %q", gc, got.contents(), got.errs)
		}
		r.MaxBlobSize = 1 << 20
		if got := read(t, r); len(got.errs) > 0 || len(got.texts[finding.KindBlob]) != 3 {
			t.Errorf("%q: below the limit: unread %q", gc, got.errs)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, script, open, want string }{
		{"not_a_repository", `mkdir ../plain`, "../plain", "plain: not a git repository"},
		{"no_such_path", ``, "../nothing", "nothing: there is no such file or folder"},
		{"bad_git_file", `mkdir ../w; echo "gitdir: /nowhere" >../w/.git`, "../w", "not a git repository"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Open(filepath.Join(scannertest.Repo(t, tt.script+"\n"), tt.open))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if is := errors.Is(err, repo.ErrNotRepository); is != strings.HasSuffix(tt.want, "git repository") {
				t.Errorf("errors.Is(%v, ErrNotRepository) is %v", err, is)
			}
		})
	}
}

func TestEmpty(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		script string
		want   bool
	}{{"", true}, {"commit 1", false}, {"echo junk >.git/refs/heads/x", false}, {"commit 1; git checkout -q --orphan o", false}} {
		r := open(t, scannertest.Repo(t, tt.script+"\n"))
		if got := r.Empty(); got != tt.want {
			t.Errorf("%q: Empty is %v", tt.script, got)
		}
		if got := read(t, r); tt.want && (got.contents() != "" || len(got.errs) > 0) {
			t.Errorf("empty repository yields %v, %q", got.names, got.errs)
		}
	}
}

func TestNothingWritten(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, put+`put f one; commit 1; git gc -q; put f two; commit 2; touch -d 2001-01-01 f; git stash -q || true`+"\n")
	before := listFiles(t, filepath.Dir(dir))
	r := open(t, dir)
	var ids []finding.BlobID
	for id := range read(t, r).names {
		ids = append(ids, id)
	}
	if err := r.Locate(context.Background(), ids, func(finding.BlobID, finding.Location) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, listFiles(t, filepath.Dir(dir))); diff != "" {
		t.Error(diff)
	}
}

func listFiles(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Lstat(path)
		if err == nil {
			files[path] = info.Mode().String() + info.ModTime().Format(time.RFC3339Nano)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

package gitsource

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/gitsource/transport"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// states ends each state of a repository on a server: what is there then is served as
// it is, unreachable objects included.
const states = put + `next() { n=$((${n:-0} + 1)); cp -r .git ../state$n; }
`

var sequences = []struct {
	name, script string
	// again says that git sends some objects twice: it leaves out what the parents of new
	// commits have, and not all that haves lead to (pack-objects without bitmaps).
	again bool
}{
	{"push", `put f 1; commit 1; next; put f 2; commit 2; next; next; put g 3; commit 3; put g 4; commit 4; next`, false},
	{"force_push", `put f 1; commit 1; put f 2; commit 2; next; git reset -q --hard HEAD~; put f 3; commit 3; next`, false},
	{"amended", `put f 1; put g 1; commit 1; next; git commit -q --amend -m 2; next; git commit -q --amend -m 3; next`, true},
	{"branch_at_old_commit", `put f 1; commit 1; put f 2; commit 2; next; git branch b HEAD~; next; git branch c HEAD; next`, false},
	{"branch_deleted", `put f 1; commit 1; git checkout -qb b; put f 2; commit 2; git checkout -q main; next; git branch -qD b; next; put f 3; commit 3; next`, false},
	{"branch_renamed", `put f 1; commit 1; git branch old; next; git branch -m old new; next; git branch -m new new/er; next`, false},
	{"tags", `put f 1; commit 1; next; git tag light; git tag -am note heavy; next; git tag -am tag2 twice heavy; put f 2; commit 2; git tag -f light; next`, false},
	{"tag_of_blob", `put f 1; commit 1; next; git tag b $(echo lone | git hash-object -w --stdin); git tag t HEAD^{tree}; next`, true},
	{"merge", `put f 1; commit 1; git checkout -qb b; put g 2; commit 2; next; git checkout -q main; put h 3; commit 3; git merge -q -m m b; next`, false},
	{"pulls", `put f 1; commit 1; next; git checkout -q --detach; put f p; commit p; git update-ref refs/pull/1/head HEAD; git checkout -q main; git merge -q --no-ff -m m refs/pull/1/head; git update-ref refs/pull/1/merge HEAD; git reset -q --hard HEAD~; next; git merge -q --no-ff -m m refs/pull/1/head; next`, false},
	{"head_switched", `put f 1; commit 1; git checkout -qb b; put g 2; commit 2; git checkout -q main; next; git symbolic-ref HEAD refs/heads/b; next`, false},
	{"head_detached", `put f 1; commit 1; next; git checkout -q --detach; put f 2; commit 2; next`, false},
	{"history_rewritten", `for i in 1 2 3; do put f $i; put s$i secret; commit $i; done; next; git filter-branch -f --index-filter 'git rm -q --cached --ignore-unmatch s2' >/dev/null 2>&1; git update-ref -d refs/original/refs/heads/main; next`, true},
	{"reverted", `put f 1; commit 1; put f 2; commit 2; put f 3; commit 3; next; put f 1; commit again; next`, true},
	{"orphans", `put Home.md 1; commit 1; next; git checkout -q --orphan o; git rm -rqf .; put x 2; commit 2; next`, false},
	{"empty", `next; put f 1; commit 1; next`, false},
	{"gone_and_back", `put f 1; commit 1; git checkout -qb b; put f 2; commit 2; git checkout -q main; next; git branch -m b c; git update-ref -d refs/heads/c; git update-ref refs/keep $(git commit-tree -m k HEAD^{tree}); next; git update-ref refs/heads/b ORIG_HEAD 2>/dev/null || git branch b refs/keep; next`, true},
	{"notes_and_octopus", `put f 1; commit 1; next; git notes add -m n; for b in x y z; do git checkout -q -b $b main; put $b $b; commit $b; done; git checkout -q main; git merge -q x y z; next`, false},
}

// TestSequences: what the fetches of each state yield is what a clone of each would, and
// nothing is read twice.
func TestSequences(t *testing.T) {
	t.Parallel()
	for _, tt := range sequences {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Dir(scannertest.Repo(t, states+tt.script+"\n"))
			base := scannertest.GitServer(t, dir)
			count, _ := filepath.Glob(filepath.Join(dir, "state*"))
			if len(count) == 0 {
				t.Fatal("no state")
			}
			fetched, mirrored := newFetcher(tt.again), &mirrorer{dir: filepath.Join(t.TempDir(), "mirror")}
			want := map[string]bool{}
			for i := range count {
				state := filepath.Join(dir, "state"+string(rune('1'+i)))
				for _, line := range strings.Fields(scannertest.Git(t, state, "rev-list", "--objects", "--all", "--no-object-names", "--ignore-missing", "HEAD", "--")) {
					want[line] = true
				}
				url := base + "/" + filepath.Base(state)
				fetched.next(t, url)
				mirrored.next(t, state)
				for name, got := range map[string]map[string]bool{"fetched": fetched.got, "mirrored": mirrored.got} {
					if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
						t.Errorf("state %d, %s: objects (-want +got):\n%s", i+1, name, diff)
					}
				}
			}
		})
	}
}

// A fetcher does what a sweep does that keeps no mirror: it remembers tips.
type fetcher struct {
	again bool
	known map[string]string
	haves []string
	got   map[string]bool
}

func newFetcher(again bool) *fetcher {
	return &fetcher{again: again, known: map[string]string{}, got: map[string]bool{}}
}

func (f *fetcher) next(t *testing.T, url string) {
	t.Helper()
	remote, err := transport.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	tips := maps.Clone(remote.Refs().Tips)
	maps.DeleteFunc(tips, func(name, id string) bool { return f.known[name] == id })
	r, err := Fetch(t.Context(), remote, transport.Wanted{Tips: tips, Haves: f.haves})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	texts := read(t, r)
	if len(texts.errs) > 0 {
		t.Errorf("unread: %q", texts.errs)
	}
	names := slices.Sorted(maps.Keys(tips))
	names = slices.DeleteFunc(names, func(n string) bool { return n == "HEAD" })
	if diff := cmp.Diff(names, texts.texts[finding.KindRefName]); diff != "" && len(names)+len(texts.texts[finding.KindRefName]) > 0 {
		t.Errorf("names of refs (-want +got):\n%s", diff)
	}
	if packs, _ := filepath.Glob(filepath.Join(r.dir.GitDir, "objects/pack/*.pack")); len(packs) > 0 {
		scannertest.Git(t, r.dir.GitDir, append([]string{"verify-pack"}, packs...)...)
	}
	for id := range strings.FieldsSeq(scannertest.Git(t, r.dir.GitDir, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)")) {
		if f.got[id] && !f.again {
			t.Errorf("%s is fetched twice", id)
		}
		f.got[id] = true
	}
	for name, id := range tips {
		f.known[name] = id
		f.haves = append(f.haves, id)
	}
}

// A mirrorer keeps a mirror and a state. git fetches from the folder of the server: over
// HTTP it would start six processes more each time.
type mirrorer struct {
	dir  string
	seen *State
	got  map[string]bool
}

func (m *mirrorer) next(t *testing.T, server string) {
	t.Helper()
	if m.got == nil {
		scannertest.Git(t, filepath.Dir(m.dir), "init", "-q", "--bare", m.dir)
	}
	// One pack a fetch, which git must not repack: State knows packs by name.
	args := []string{"-c", "gc.auto=0", "-c", "fetch.unpackLimit=1", "fetch", "-q", "--prune", "--force", "--no-tags", "--no-write-fetch-head", server, "+refs/*:refs/*"}
	if scannertest.Git(t, m.dir, "ls-remote", server, "HEAD") != "" { // it may be detached
		args = append(args, "+HEAD:refs/server-head")
	}
	scannertest.Git(t, m.dir, args...)
	r, err := Open(m.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if m.got == nil {
		m.got, m.seen = map[string]bool{}, &State{}
	}
	r.Seen = m.seen
	var mu sync.Mutex
	err = r.Blobs(context.Background(), func(b scanner.Blob) error {
		mu.Lock()
		defer mu.Unlock()
		if b.Err != nil {
			t.Errorf("unread: %v", b.Err)
		}
		if _, isObject := pack.ParseID([]byte(b.ID)); isObject {
			if m.got[string(b.ID)] {
				t.Errorf("%s is read twice", b.ID)
			}
			m.got[string(b.ID)] = true
		}
		return nil
	})
	if err != nil || r.Next == nil {
		t.Fatal(err, r.Next)
	}
	m.seen = &State{}
	m.seen.Add(r.Next)
	want, err := os.ReadFile(filepath.Join(m.dir, "HEAD"))
	if err != nil || len(want) == 0 {
		t.Errorf("HEAD is %q, %v", want, err)
	}
}

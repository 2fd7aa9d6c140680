package gitsource

import (
	"bytes"
	"compress/zlib"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/repo"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// bomb makes trees: bomb LEVELS ID NAMES prints a tree of so many levels, the
// lowest with the blob under each of the names, the others with the level below.
const bomb = put + `
bomb() {
	h=$2; kind="100644 blob"
	for level in $(seq $1); do
		h=$(for name in $3; do printf '%s %s\t%s\n' "$kind" $h $name; done | git mktree)
		kind="040000 tree"
	done
	echo $h
}
ten="0 1 2 3 4 5 6 7 8 9"
# No index: it would have all the paths.
point() { git update-ref HEAD $(git commit-tree -m "$2" $(git rev-parse -q --verify HEAD | sed 's/^/-p /') $1); }
blob() { echo "$1" | git hash-object -w --stdin; }
`

// TestBomb locates keys at ten billion paths. It is not parallel: it measures what the process
// allocates.
func TestBomb(t *testing.T) {
	tests := []struct {
		name, script string
		want         int // places of the blob "key"
	}{
		{"one_commit", `point $(bomb 10 $(blob key) "$ten") 1`, repo.MaxLocations},
		{"below_the_cap", `point $(bomb 2 $(blob key) "$ten") 1`, 100},
		{"at_the_cap", `point $(bomb 3 $(blob key) "$ten") 1`, repo.MaxLocations},
		{"many_commits", `for i in $(seq 20); do point $(bomb 10 $(blob key) "$ten $i-") $i; done`, repo.MaxLocations},
		{"beside_a_place_to_come", `k=$(blob key); point $(printf '040000 tree %s\ta\n100644 blob %s\tz\n' $(bomb 10 $(blob other) "$ten") $k | git mktree) 1`, 1},
		{"tag", `put f x; commit 1; git tag t $(bomb 10 $(blob key) "$ten")`, repo.MaxLocations},
		{"commit_and_tag", `put f key; commit 1; git tag t $(bomb 10 $(git rev-parse HEAD:f) "$ten")`, 1},
		{"note", `put f x; commit 1; git update-ref refs/notes/n $(git commit-tree -m n $(bomb 10 $(blob key) "$ten"))`, repo.MaxLocations},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := scannertest.Repo(t, bomb+tt.script+"\n")
			r := open(t, dir)
			all := read(t, r)
			if len(all.names) > 500 || len(all.errs) > 0 {
				t.Errorf("Blobs yields %d texts, unread %q", len(all.names), all.errs)
			}
			key := idOf(plumbing.ComputeHash(plumbing.BlobObject, []byte("key\n")))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got := locate(t, r, slices.Collect(maps.Keys(all.names))...)
			runtime.ReadMemStats(&after)
			if n := len(got[key]); n != tt.want {
				t.Errorf("%d places, want %d", n, tt.want)
			}
			for id, places := range got {
				if len(places) > repo.MaxLocations {
					t.Errorf("%s has %d places", id, len(places))
				}
			}
			// To walk the paths would allocate each. The list of places that this test makes
			// counts as well: a place has 264 bytes.
			if mib := (after.TotalAlloc - before.TotalAlloc) >> 20; mib > 450 {
				t.Errorf("took %d MiB", mib)
			}
		})
	}
}

// TestBombAtHead checks AtHead where a tree moved away and its neighbour stayed.
func TestBombAtHead(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, bomb+`k=$(blob key); git read-tree --prefix=a $(bomb 2 $k "$ten"); git read-tree --prefix=b $(bomb 2 $k "$ten"); git commit -qm 1
git rm -rq --cached a; git rm -q --cached b/3/4; git commit -qm 2
`)
	id := idOf(plumbing.ComputeHash(plumbing.BlobObject, []byte("key\n")))
	places := locate(t, open(t, dir), id)[id]
	for _, p := range places {
		if want := strings.HasPrefix(p.Path, "b/") && p.Path != "b/3/4"; p.AtHead != want {
			t.Errorf("%s: AtHead is %v", p.Path, p.AtHead)
		}
	}
	if len(places) != 200 {
		t.Errorf("%d places", len(places))
	}
}

// TestDeep nests trees deeper than any path that can be checked out.
func TestDeep(t *testing.T) {
	t.Parallel()
	name := strings.Repeat("n", 200)
	dir := scannertest.Repo(t, bomb+`git update-ref HEAD $(git commit-tree -m 1 $(bomb 60 $(blob key) `+name+`))`+"\n")
	r := open(t, dir)
	id := idOf(plumbing.ComputeHash(plumbing.BlobObject, []byte("key\n")))
	places := locate(t, r, id)[id]
	if len(places) != 1 || !places[0].AtHead {
		t.Fatalf("places are %+v", places)
	}
	if path := places[0].Path; !strings.HasPrefix(path, "…") || !strings.HasSuffix(path, "n/"+name) || len(path) > repo.MaxPath+8 {
		t.Errorf("path is %q", path)
	}
}

// TestLimits yields what is larger than the limit with an error, whatever refers
// to it, and follows the links of what is not as large as minGraphLimit.
func TestLimits(t *testing.T) {
	t.Parallel()
	const large = `big() { head -c $1 /dev/zero | tr '\0' a; }
git config pack.compression 1
grown() { { git cat-file commit HEAD; big $1; } | git hash-object -t commit -w --stdin --literally; }
`
	tests := []struct {
		name, script string
		want         string
		errs         []string
	}{
		{"ref_to_blob", `put f x; commit 1; git update-ref refs/odd $(big 70000 | git hash-object -w --stdin)`, "x", []string{"(refs/odd): larger than 0.0625 MiB"}},
		{"ref_to_huge_blob", `put f x; commit 1; git update-ref refs/odd $(big 34000000 | git hash-object -w --stdin)`, "x", []string{"(refs/odd): larger than 0.0625 MiB"}},
		{"tag_of_blob", `put f x; commit 1; git tag -am m t $(big 70000 | git hash-object -w --stdin)`, "x", []string{"(refs/tags/t): larger than 0.0625 MiB"}},
		{"commit", `put f x; commit 1; put f y; commit 2; git update-ref HEAD $(grown 70000)`, "x y", nil},
		{"huge_commit", `put f x; commit 1; git update-ref refs/odd $(grown 34000000)`, "x", []string{"(refs/odd): larger than 32 MiB"}},
		{"tag", `put f x; commit 1; big 70000 >../m; git tag -aF ../m t; put f y; commit 2; git reset -q --hard HEAD~`, "x y", nil},
		{"tree", `b=$(blob x); point $(seq 10000 | sed "s/.*/100644 blob $b\tname-&/" | git mktree) 1`, "x", nil},
		{"huge_tree", `put f x; commit 1; t=$({ printf '100644 '; big 34000000; printf '\0'; raw HEAD:f; } | tree); git update-ref refs/odd $(git commit-tree -m odd $t)`, "x", []string{": larger than 32 MiB"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := scannertest.Repo(t, damage+bomb+large+tt.script+"\n")
			for _, pack := range []string{"loose", "packed"} {
				if pack == "packed" {
					scannertest.Git(t, dir, "repack", "-qad")
				}
				r := open(t, dir)
				r.MaxBlobSize = 1 << 16
				got := read(t, r)
				if got.contents() != tt.want || !matchAll(got.errs, tt.errs) {
					t.Errorf("%s: read %q, unread %q", pack, got.contents(), got.errs)
				}
				if r.MaxBlobSize = 0; len(read(t, r).errs) > 0 {
					t.Errorf("%s: there is a limit without one", pack)
				}
				_ = r.Close()
			}
		})
	}
}

// TestLooseHeader reads a loose object that inflates to a header without end.
func TestLooseHeader(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := z.Write(bytes.Repeat([]byte("a"), 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	dir := scannertest.Repo(t, "mkdir .git/objects/12; echo 1234567890123456789012345678901234567890 >.git/refs/heads/x\n")
	if err := os.WriteFile(filepath.Join(dir, ".git/objects/12/34567890123456789012345678901234567890"), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := read(t, open(t, dir)); !matchAll(got.errs, []string{"loose object has no header"}) {
		t.Errorf("unread %q", got.errs)
	}
}

// TestLocateUnread counts, in one error, what Locate could not read, if Blobs has not
// reported it.
func TestLocateUnread(t *testing.T) {
	t.Parallel()
	const two = `put a one; commit 1; put a two; put d/b side; commit 2; `
	tests := []struct{ name, script, open, want string }{
		{"damaged_trees", two + `garble $(loose HEAD~:) junk; garble $(loose HEAD:d) junk`, "", "2 objects on the way could not be read, the first: "},
		{"damaged_tree", two + `garble $(loose HEAD~:) junk`, "", "1 objects on the way could not be read, the first: "},
		{"shallow", two + `git clone -q --depth 1 file://$PWD ../s`, "../s", ""},
		{"partial", two + `git config uploadpack.allowFilter true; git clone -q --bare --filter=tree:0 file://$PWD ../s`, "../s", ""},
		{"large_commit", two + `head -c 70000 /dev/zero | tr '\0' a | git commit -q --allow-empty -F -`, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := open(t, filepath.Join(scannertest.Repo(t, damage+tt.script+"\n"), tt.open))
			r.MaxBlobSize = 1 << 16
			ids := slices.Collect(maps.Keys(read(t, r).names))
			if err := r.Locate(context.Background(), ids, func(finding.BlobID, finding.Location) error { return nil }); err != nil {
				t.Errorf("after Blobs: %v", err)
			}
			r.keepGraph(nil)
			err := r.Locate(context.Background(), ids, func(finding.BlobID, finding.Location) error { return nil })
			if got := fmt.Sprint(err); tt.want == "" && err != nil || !strings.HasPrefix(got, tt.want) && tt.want != "" || strings.Contains(got, "\n") {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func idOf(h plumbing.Hash) finding.BlobID { return finding.BlobID(h.String()) }

package gitsource

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// hurt is damage, and overwrites what a pack holds of an object: hurt REV PACK SHIFT
// BYTES. header gives the entry a type that there is none of.
const hurt = damage + `
hurt() {
	at=$(git verify-pack -v "$2" | awk -v id=$(git rev-parse "$1") '$1 == id { print $5 }'); chmod u+w "$2"
	printf "$4" | dd of="$2" bs=1 seek=$((at + $3)) conv=notrunc status=none
}
stream() { hurt "$1" "$2" 2 '\0\0\0\0\0\0\0\0'; }
header() { hurt "$1" "$2" 0 '\120'; }
`

// TestGoodCopy: of an object that is damaged in one place and good in another, the
// good copy is read, once, whichever is met first, and nothing is called unread.
func TestGoodCopy(t *testing.T) {
	t.Parallel()
	const (
		history = `put d/e/f one; put g two; commit 1; put d/e/f three; commit 2; `
		two     = `git repack -qad --depth=0; mkdir ../two; git rev-list --objects --all | cut -d' ' -f1 | git pack-objects -q --window=0 --compression=1 ../two/pack >/dev/null
			mv ../two/* .git/objects/pack/`
		packs     = `set -- .git/objects/pack/*.pack; test $# = 2; `
		alternate = `echo $OLDPWD/.git/objects >.git/objects/info/alternates; `
	)
	places := []struct{ name, setup, damage, open string }{ // $rev is damaged
		{"first_pack", two, packs + `stream $rev $1`, ""},
		{"second_pack", two, packs + `stream $rev $2`, ""},
		{"header_in_first_pack", two, packs + `header $rev $1`, ""},
		{"pack_and_loose", `git repack -qa`, `stream $rev .git/objects/pack/*.pack`, ""},
		{"header_in_pack_and_loose", `git repack -qa`, `header $rev .git/objects/pack/*.pack`, ""},
		{"loose_and_pack", `git repack -qa`, `garble $(loose $rev) junk`, ""},
		{"loose_and_pack_of_alternate", `cp -r . ../s; git repack -qad`, `cd ../s; ` + alternate + `garble $(loose $rev) junk`, "../s"},
		{"loose_and_loose_of_alternate", `cp -r . ../s`, `cd ../s; ` + alternate + `garble $(loose $rev) junk`, "../s"},
		{"loose_of_alternate", `cp -r . ../s`, `garble $(loose $rev) junk; cd ../s; ` + alternate, "../s"},
	}
	base := scannertest.Repo(t, hurt+history+"\n")
	want := read(t, open(t, base))
	// Each place has two of the objects, and each object has two places or more:
	// where the good copy is and what kind of object it is are looked at separately.
	revs := []string{"HEAD:d/e/f", "HEAD:d/e", "HEAD:d", "HEAD:", "HEAD~:d/e", "HEAD", "HEAD~"}
	whole := scannertest.WholeMatrix(t, "each place with each object; here each place has two of them")
	for i, place := range places {
		made := scannertest.Copy(t, base)
		scannertest.Script(t, made, place.setup+"\n")
		for j, rev := range revs {
			if !whole && j != i%len(revs) && j != (i+4)%len(revs) {
				continue
			}
			t.Run(place.name+"/"+rev, func(t *testing.T) {
				t.Parallel()
				dir := scannertest.Copy(t, made)
				scannertest.Script(t, dir, hurt+"rev="+rev+"\n"+place.damage+"\n")
				r := open(t, filepath.Join(dir, place.open))
				defer r.Close()
				r.Seen = &State{Version: "1"}
				got := read(t, r)
				if diff := cmp.Diff(want.texts[finding.KindBlob], got.texts[finding.KindBlob]); diff != "" || len(got.errs) > 0 {
					t.Errorf("blobs: %s, unread %q", diff, got.errs)
				}
				for _, kind := range []finding.Kind{finding.KindCommit, finding.KindPath} {
					if diff := cmp.Diff(want.texts[kind], got.texts[kind]); diff != "" {
						t.Errorf("%s: %s", kind, diff)
					}
				}
				for _, seen := range []*State{nil, r.Seen} { // the graph of Blobs, and one of its own
					r.Seen = seen
					three := finding.BlobID("2bdf67abb163a4ffb2d7f3f0880c9fe5068ce782")
					if p := locate(t, r, three)[three]; len(p) != 1 || p[0].Path != "d/e/f" || !p[0].AtHead || p[0].Author != "Ada" {
						t.Errorf("places: %+v", p)
					}
				}
			})
		}
	}
}

// TestMovedMeanwhile: what git gc packs between the two lists that are made of a
// directory is met twice and read once.
func TestMovedMeanwhile(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, put+"put f one; commit 1; put f two; commit 2\n")
	r := open(t, dir)
	scannertest.Git(t, dir, "repack", "-qa") // as if git had packed them after they were listed
	s := r.dir.OpenStore(r.Rest, r.Seen.hasPack, nil)
	defer s.Close()
	scannertest.Git(t, dir, "prune-packed")
	if s.Len() != 12 {
		t.Fatalf("%d objects", s.Len())
	}
	texts := make(chan string, 100)
	reading := r.newWalk(s, scanner.Prefilter{Whole: func([]byte) bool { return true }}, func(b scanner.Blob) error {
		texts <- fmt.Sprint(b.Kind, b.Err, string(b.Data))
		return nil
	})
	if err := reading.All(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(texts)
	var all []string
	for text := range texts {
		all = append(all, text)
	}
	slices.Sort(all)
	// A commit and a tree each, and the two trees have the same names.
	if len(all) != 6 || len(slices.Compact(slices.Clone(all))) != 5 || len(reading.Failed) > 0 {
		t.Errorf("read %q, %d bad", all, len(reading.Failed))
	}
}

// TestCutPack cuts a pack with an intact index at the end of each object and a byte
// before: what git says lies before is read, and each of the others is reported.
func TestCutPack(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, put+"for i in 1 2 3 4 5; do seq $i 300 >f; put g$i w$i; commit $i; done; git repack -qad --depth=3; git prune-packed\n")
	files, _ := filepath.Glob(filepath.Join(dir, ".git/objects/pack/*.pack"))
	whole, err := os.ReadFile(files[0])
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	type object struct {
		id  string
		end int
	}
	var objects []object
	for line := range strings.Lines(scannertest.Git(t, dir, "verify-pack", "-v", files[0])) {
		if w := strings.Fields(line); len(w) >= 5 && len(w[0]) == 40 { // id, type, size, size in the pack, offset
			size, _ := strconv.Atoi(w[3])
			from, _ := strconv.Atoi(w[4])
			objects = append(objects, object{w[0], from + size})
		}
	}
	if len(objects) != 20 {
		t.Fatalf("%d objects", len(objects))
	}
	for _, o := range objects {
		for _, n := range []int{o.end, o.end - 1} {
			replace(t, files[0], whole[:n])
			r := open(t, dir)
			r.Seen = &State{Version: "1"}
			got := read(t, r)
			gone := 0
			for _, other := range objects {
				damaged := slices.ContainsFunc(got.errs, func(e string) bool { return strings.HasPrefix(e, other.id) })
				_, isRead := got.names[finding.BlobID(other.id)]
				if other.end > n {
					gone++
				}
				if damaged != (other.end > n) || isRead == damaged {
					t.Errorf("cut to %d: %s, which ends at %d: read %v, damaged %v", n, other.id, other.end, isRead, damaged)
				}
			}
			if len(got.errs) != gone+1 || !slices.ContainsFunc(got.errs, func(e string) bool { return strings.Contains(e, "opening pack: damaged: the pack was cut off") }) {
				t.Errorf("cut to %d: %d objects are gone, errors %q", n, gone, got.errs)
			}
			if r.Next == nil || len(r.Next.Packs) > 0 {
				t.Errorf("cut to %d: the next state is %+v", n, r.Next)
			}
			_ = r.Close()
		}
	}
}

// replace writes a file of git, which is read-only, anew.
func replace(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestLargeSwapped: a loose object that is read in windows is compared with its id
// too.
func TestLargeSwapped(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, large+"\n")
	id := scannertest.Git(t, dir, "rev-parse", "HEAD:f")
	var b bytes.Buffer
	w, _ := zlib.NewWriterLevel(&b, zlib.BestSpeed)
	fmt.Fprintf(w, "blob %d\x00", 65<<20)
	_, _ = w.Write(bytes.Repeat([]byte("x"), 65<<20))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, open(t, dir)); len(got.errs) > 0 {
		t.Errorf("unread: %q", got.errs)
	}
	replace(t, filepath.Join(dir, ".git", "objects", id[:2], id[2:]), b.Bytes())
	if got := read(t, open(t, dir)); !matchAll(got.errs, []string{"(f): object is damaged: content has the id " + pack.Sum(20, pack.Blob, bytes.Repeat([]byte("x"), 65<<20)).String()}) {
		t.Errorf("unread: %q", got.errs)
	}
}

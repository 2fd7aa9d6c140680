package gitsource

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// commits makes objects of each type, and deltas.
const commits = put + `for i in 1 2 3 4; do seq $i 300 >f; put g$i w$i; commit $i; done; git tag -am t t
`

// moves are what git does to objects while somebody reads them.
var moves = []struct{ name, setup, open, move string }{
	{"loose_to_pack", "", "", "git repack -adq"},
	{"pack_to_pack", "git repack -adq; put h new; commit 5", "", "git repack -adq"},
	{"packs_to_pack", "git repack -adq; put h new; commit 5; git repack -dq", "", "git repack -adfq"},
	{"pack_to_loose", "git repack -adq", "", `mv .git/objects/pack/*.pack ../p; rm -f .git/objects/pack/*; git unpack-objects -q <../p`},
	{"gc", "", "", "git gc -q --prune=now"},
	{"multi_pack_index", "git repack -adq; put h new; commit 5; git repack -dq; git multi-pack-index write 2>/dev/null", "", "git multi-pack-index repack 2>/dev/null; git multi-pack-index expire 2>/dev/null"},
	{"in_an_alternate", "git clone -q --shared . ../s", "../s", "git repack -adq"},
	{"to_an_alternate", "git clone -q . ../s; cd ../s; git repack -adq; cd -", "../s", "cd ../s; echo $OLDPWD/.git/objects >.git/objects/info/alternates; git repack -adlq; git prune-packed"},
}

// TestMovedSinceOpened: what git moves after the packs were opened is found where it is
// then, by its id and by a reading of all.
func TestMovedSinceOpened(t *testing.T) {
	t.Parallel()
	once := scannertest.Once(func() string { return commits })
	for _, tt := range moves {
		for _, how := range []string{"look-up", "reading"} {
			t.Run(tt.name+"/"+how, func(t *testing.T) {
				t.Parallel()
				dir := once(t)
				scannertest.Script(t, dir, put+tt.setup+"\n")
				r := open(t, filepath.Join(dir, tt.open))
				want := read(t, r)
				var s *objects.Store
				if how == "look-up" {
					s = r.dir.OpenLookup()
				} else {
					s = r.dir.OpenStore(r.Rest, r.Seen.hasPack, nil)
				}
				defer s.Close()
				scannertest.Script(t, dir, tt.move)
				if how == "look-up" {
					checkLookups(t, s, r)
					return
				}
				var mu = make(chan struct{}, 1)
				got := map[finding.BlobID]bool{}
				reading := r.newWalk(s, scanner.Prefilter{Whole: func([]byte) bool { return true }}, func(b scanner.Blob) error {
					mu <- struct{}{}
					defer func() { <-mu }()
					if b.Err != nil {
						t.Errorf("%s: %v", b.Name, b.Err)
					}
					got[b.ID] = true
					return nil
				})
				if err := reading.All(t.Context()); err != nil {
					t.Fatal(err)
				}
				for id, name := range want.names {
					if _, ok := pack.ParseID([]byte(id)); ok && !got[id] {
						t.Errorf("%s (%s) is not read: %v", id, name, reading.Failed)
					}
				}
			})
		}
	}
}

// checkLookups reads all that the refs of r lead to.
func checkLookups(t *testing.T, s *objects.Store, r *Repository) {
	t.Helper()
	lines := strings.Split(scannertest.Git(t, r.dir.GitDir, "rev-list", "--objects", "--all"), "\n")
	if len(lines) < 16 {
		t.Fatalf("%d objects", len(lines))
	}
	for _, line := range lines {
		hex, _, _ := strings.Cut(line, " ")
		id, _ := pack.ParseID([]byte(hex))
		typ, data, err := s.Read(id, objects.NoLimit)
		if err != nil || pack.Sum(len(id), typ, data) != id {
			t.Errorf("%s: %v", line, err)
		}
	}
	ghost := pack.ID(strings.Repeat("\xee", 20))
	if _, _, err := s.Read(ghost, objects.NoLimit); !errors.Is(err, objects.ErrMissing) {
		t.Errorf("an object that is nowhere: %v", err)
	}
}

// TestPassedOver: what lies beside the packs and is none that git reads is no problem of
// a look-up. A reading of all reads what is there, and names what it cannot.
func TestPassedOver(t *testing.T) {
	t.Parallel()
	const unfinished = `put k key; git add k; git rev-parse HEAD~2:g1 :k HEAD~:g2 | git pack-objects -q --stdout >../p; git reset -q --hard; git prune
`
	once := scannertest.Once(func() string { return commits + "git repack -adq\n" + unfinished })
	for _, tt := range []struct{ name, script, all string }{
		{"nothing", "", ""},
		{"cut_off", `head -c $(($(wc -c <../p) - 8)) ../p >$d/tmp_pack_x`, ""},
		{"empty", `: >$d/tmp_pack_x`, ""},
		{"begun", `printf 'PACK\0' >$d/tmp_pack_x`, ""},
		{"no_pack", `seq 99 >$d/tmp_pack_x`, "a fetch is under way, or broke off and git gc --prune=now removes it: damaged: not a pack"},
		{"damaged", `(head -c 12 ../p; printf '\177\377\377'; tail -c +15 ../p) >$d/tmp_pack_x`, "a fetch is under way"},
		{"index_alone", `cp $d/*.idx $d/pack-x.idx`, "opening the pack of this index"},
		{"pack_alone", `cp ../p $d/pack-x.pack`, ""},
		{"others", `: >$d/tmp_idx_x; : >$d/tmp_rev_x; : >$d/pack-x.keep; : >$d/pack-x.rev; : >$d/pack-x.bitmap; mkdir $d/x.pack.d`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := once(t)
			scannertest.Script(t, dir, "d=.git/objects/pack\n"+tt.script+"\n")
			r := open(t, dir)
			s := r.dir.OpenLookup()
			defer s.Close()
			if len(s.Problems) > 0 || len(s.Packs) != 1 {
				t.Errorf("look-up: %d packs, %v", len(s.Packs), s.Problems)
			}
			checkLookups(t, s, r)
			got := read(t, r)
			if tt.all == "" && len(got.errs) > 0 || tt.all != "" && !slices.ContainsFunc(got.errs, func(e string) bool { return strings.Contains(e, tt.all) }) {
				t.Errorf("reading: %q, want %q", got.errs, tt.all)
			}
			if wants := tt.name == "cut_off" || tt.name == "pack_alone"; wants != strings.Contains(got.contents(), "key") {
				t.Errorf("the objects of an unfinished pack: %q", got.contents())
			}
		})
	}
}

// TestRefsMoved: git pack-refs writes packed-refs, and then removes the files of the refs.
func TestRefsMoved(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, commits+"git branch other HEAD~; git update-ref refs/remotes/o/main HEAD\n")
	r := open(t, dir)
	want, err := r.Refs("refs/")
	if err != nil || len(want) != 4 {
		t.Fatal(want, err)
	}
	scannertest.Git(t, dir, "pack-refs", "--all", "--prune")
	got, err := r.Refs("refs/")
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

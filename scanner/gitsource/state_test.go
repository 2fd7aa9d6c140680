package gitsource

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestStateOfDamage: what could not be read is not in the state, so that the next
// scan reads it again, and reports it again.
func TestStateOfDamage(t *testing.T) {
	t.Parallel()
	const (
		two  = `put f one; commit 1; git repack -qad; put f two; commit 2; put g three; commit 3; git repack -qd; set -- .git/objects/pack/*.pack; test $# = 2; `
		last = `git prune-packed; for i in $*; do if git show-index <${i%pack}idx | grep -q $(git rev-parse HEAD:f); then p=$i; fi; done; `
	)
	tests := []struct {
		name, script string
		packs, loose int    // in the state; -1 if there is none, as objects are missing
		again        string // contents of what the next scan reads
		errs         int    // in both
	}{
		{"none", two + last, 2, 0, "", 0},
		{"cut_off", two + last + `chmod u+w $p; truncate -s -21 $p`, 1, 0, "three two", 2},
		{"damaged_blob", two + last + `stream HEAD:f $p`, 1, 0, "three", 1},
		{"damaged_header", two + last + `header HEAD:f $p`, 1, 0, "three", 1},
		{"damaged_tree", two + last + `stream HEAD: $p`, 1, 0, "three two", 1},
		{"no_pack", two + last + `garble $p junk`, -1, 0, "", 3},
		{"garbage_index", two + last + `garble ${p%pack}idx junk`, 1, 0, "three two", 1},
		{"no_index", two + last + `rm -f ${p%pack}idx`, 2, 0, "", 0},
		{"unfinished", two + last + `mv $p .git/objects/pack/tmp_pack_x; rm -f ${p%pack}idx`, 1, 0, "three two", 0},
		{"good_copy", two + last + `stream HEAD:f $p; mkdir ../o; GIT_OBJECT_DIRECTORY=../o git hash-object -w f; cp -r ../o/?? .git/objects`, 2, 1, "", 0},
		{"bad_copy", two + last + `stream HEAD:f $p; mkdir ../o; GIT_OBJECT_DIRECTORY=../o git hash-object -w f; cp -r ../o/?? .git/objects; garble $(loose HEAD:f) junk`, 1, 0, "three", 1},
		{"loose_blob", `put f one; commit 1; put f two; commit 2; garble $(loose HEAD:f) junk`, 0, 5, "", 1},
		{"too_large", `put f one; head -c 70000 /dev/zero >g; commit 1`, 0, 3, "", 1},
		{"loose_of_alternate", `put f one; commit 1; cp -r . ../s; echo $PWD/../s/.git/objects >.git/objects/info/alternates; garble $(loose HEAD:f) junk`, 0, 3, "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := open(t, scannertest.Repo(t, hurt+tt.script+"\n"))
			r.MaxBlobSize = 1 << 16
			r.Seen = &State{Version: "1"}
			first := read(t, r)
			if r.Next == nil {
				if tt.packs >= 0 {
					t.Errorf("no state, unread %q", first.errs)
				}
				return
			}
			if len(r.Next.Packs) != tt.packs || len(r.Next.Loose) != tt.loose {
				t.Errorf("state is %+v, unread %q", r.Next, first.errs)
			}
			file := filepath.Join(t.TempDir(), "state")
			err := r.Next.Write(file)
			if err == nil {
				r.Seen, err = ReadState(file, "1")
			}
			if err != nil {
				t.Fatal(err)
			}
			second := read(t, r)
			if second.contents() != tt.again {
				t.Errorf("the next scan reads %q, want %q", second.contents(), tt.again)
			}
			same := slices.EqualFunc(first.errs, second.errs, func(a, b string) bool { return a[:40] == b[:40] }) // up to the path
			if !same || len(first.errs) != tt.errs {
				t.Errorf("unread %q, and then %q", first.errs, second.errs)
			}
		})
	}
}

// TestStateOfFault: a pack that is cut off while it is read, and may hide what others
// have as well, leaves no state.
func TestStateOfFault(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, put+"for i in 1 2 3; do put f$i w$i; commit $i; done; git repack -qad\n")
	r := open(t, dir)
	r.Seen = &State{Version: "1"}
	s := r.dir.OpenStore(r.Rest, r.Seen.hasPack, nil)
	defer s.Close()
	reading := r.newWalk(s, scanner.Prefilter{Whole: func([]byte) bool { return true }}, func(scanner.Blob) error { return nil })
	if err := reading.All(t.Context()); err != nil {
		t.Fatal(err)
	}
	end := r.completeness(reading, r.dir.Refs(), reading.Yield)
	if err := end.YieldUnread(t.Context()); err != nil || end.Incomplete {
		t.Fatal(err, end.Incomplete)
	}
	if err := reading.FailPack(0, pack.ErrDamaged); err != nil {
		t.Fatal(err)
	}
	if err := end.YieldUnread(t.Context()); err != nil || !end.Incomplete {
		t.Errorf("a lost pack leaves a state, error %v", err)
	}
}

package gitsource

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/history"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestLocateDamage damages a repository after Blobs has read it, or before if it
// was never called: what Locate meets is counted in its error, and the other hits
// are located.
func TestLocateDamage(t *testing.T) {
	t.Parallel()
	const (
		two  = `put a one; commit 1; put a two; put d/b side; commit 2; git repack -qad; put c three; commit 3; git repack -qd; `
		pick = `for p in .git/objects/pack/*.pack; do if git show-index <${p%pack}idx | grep -q $(git rev-parse $rev); then break; fi; done; `
		main = "rev=HEAD~; " + pick
		blob = "rev=HEAD~:a; " + pick
	)
	tests := []struct {
		name, script string
		again        bool   // Locate has to read packs again, after Blobs
		want         string // in the error; there is none if empty
		places       string // of the blobs "three" and "two"
	}{
		{"nothing", blob, true, "", "a c"},
		{"blob_header", blob + `header HEAD~:a $p`, true, "1 objects on the way could not be read, the first: f719efd430d52bcfc8566a43b2eb655688d38871: damaged: ", "a c"},
		{"blob_stream", blob + `stream HEAD~:a $p`, true, "", "a c"}, // no blob is read
		{"tree", blob + `stream HEAD~: $p`, true, "1 objects on the way could not be read, the first: ", "a c"},
		{"pack_is_junk", main + `garble $p junk`, true, "1 packs and 0 objects on the way could not be read, the first: ", "c"},
		{"pack_is_cut", main + `chmod u+w $p; truncate -s -21 $p`, true, "1 packs and 0 objects on the way could not be read, the first: ", "a c"},
		{"pack_is_gone", main + `rm -f $p ${p%pack}idx`, true, "", "c"},
		{"index_is_junk", main + `garble ${p%pack}idx junk`, true, "1 packs and 0 objects on the way could not be read, the first: ", "a c"},
		{"commits", main + `stream HEAD~ $p`, false, "the authors of 1 commits or tags could not be read, the first: ", "a c"},
		{"mapped_pack_is_cut", main + `chmod u+w $p; truncate -s 0 $p`, false, "the authors of 1 commits or tags could not be read, the first: ", "a c"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := scannertest.Repo(t, hurt+two+"\ncat >../damage <<'.'\n"+hurt+tt.script+"\n.\n")
			r := open(t, dir)
			defer r.Close()
			if tt.again {
				r.Seen = &State{Version: "1"}
			}
			if got := read(t, r); len(got.errs) > 0 {
				t.Fatal(got.errs)
			}
			commit, _ := pack.ParseID([]byte(scannertest.Git(t, dir, "rev-parse", "HEAD~")))
			shell(t, dir, "set -eu; . ../damage")
			if _, _, err := r.lastGraph.Store.Read(commit, objects.NoLimit); err == nil && !tt.again {
				tt.want = "" // the pack was not mapped but read into memory
			}
			var paths []string
			err := r.Locate(context.Background(), []finding.BlobID{"f719efd430d52bcfc8566a43b2eb655688d38871", "2bdf67abb163a4ffb2d7f3f0880c9fe5068ce782"}, func(_ finding.BlobID, p finding.Location) error {
				paths = append(paths, p.Path)
				return nil
			})
			slices.Sort(paths)
			if got := strings.Join(paths, " "); got != tt.places {
				t.Errorf("places are %q, want %q", got, tt.places)
			}
			if got := fmt.Sprint(err); (err == nil) != (tt.want == "") || !strings.HasPrefix(got, tt.want) && tt.want != "" {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// TestReachableDamage cuts a pack between the two times that ReachableOnly reads it:
// what is lost is called unread.
func TestReachableDamage(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, put+"put f one; commit 1; git repack -qad; chmod u+w .git/objects/pack/*.pack\n")
	r := open(t, dir)
	s := r.dir.OpenStore(r.Rest, r.Seen.hasPack, nil)
	defer s.Close()
	reading := r.newWalk(s, scanner.Prefilter{Whole: func([]byte) bool { return true }}, func(scanner.Blob) error { return nil })
	if err := reading.All(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(packStems(t, filepath.Join(dir, ".git"))[0]+".pack", 0); err != nil {
		t.Fatal(err)
	}
	_, _, lost := s.Read(s.ID(0), objects.NoLimit) // unless the pack was not mapped but read into memory
	texts, unread := 0, 0
	end := history.Completeness{Walk: reading, Refs: r.dir.Refs(), Yield: func(b scanner.Blob) error {
		if texts++; b.Err != nil {
			unread++
		}
		return nil
	}}
	if err := end.YieldReachable(t.Context()); err != nil || texts != 3 || unread != 0 && unread != 3 || (unread > 0) != (lost != nil) {
		t.Errorf("%d texts, %d of them unread, error %v", texts, unread, err)
	}
}

// shell runs a script in dir.
func shell(t *testing.T, dir, script string) {
	t.Helper()
	scannertest.Git(t, dir, "-c", "alias.x=!"+script, "x")
}

// TestLocateFault cuts an index off while Locate reads: the pack is counted, and
// nothing crashes.
func TestLocateFault(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, put+"put f one; commit 1; git repack -qad; chmod u+w .git/objects/pack/*.idx\n")
	r := open(t, dir)
	var cutErr error
	ctx := hooked{t.Context(), sync.OnceFunc(func() { cutErr = os.Truncate(packStems(t, filepath.Join(dir, ".git"))[0]+".idx", 0) })}
	one := finding.BlobID("5626abf0f72e58d7a153368ba57db4c673c0e171")
	places := 0
	err := r.Locate(ctx, []finding.BlobID{one}, func(finding.BlobID, finding.Location) error { places++; return nil })
	if cutErr != nil {
		t.Fatal(cutErr)
	}
	if counted := strings.Contains(fmt.Sprint(err), "1 packs and 0 objects on the way could not be read"); counted == (places == 1) {
		t.Errorf("%d places, error %v", places, err)
	}
}

// A hooked context calls hook when it is first used for goroutines: the index is
// open then, and the packs have not been read.
type hooked struct {
	context.Context
	hook func()
}

func (h hooked) Done() <-chan struct{} {
	h.hook()
	return h.Context.Done()
}

// packStems returns the packs in a git directory, without ".pack".
func packStems(t testing.TB, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "objects/pack/*.pack"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no packs in %s: %v", dir, err)
	}
	for i := range files {
		files[i] = strings.TrimSuffix(files[i], ".pack")
	}
	return files
}

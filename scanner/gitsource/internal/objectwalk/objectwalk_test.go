package objectwalk

import (
	"context"
	"errors"
	"testing"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/repo"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// commitsInTwoPacks makes packs of 60 and of 20 commits.
const commitsInTwoPacks = `
for size in 60 20; do
  for n in $(seq $size); do git commit --allow-empty -qm "$size $n"; done
  git repack -dq
done
`

// walkTwoPacks returns a walk over two packs.
func walkTwoPacks(t *testing.T) *Walk {
	t.Helper()
	d, err := repo.Find(scannertest.Repo(t, commitsInTwoPacks))
	if err != nil {
		t.Fatal(err)
	}
	s := d.OpenStore(false, func(*pack.Pack) bool { return false }, nil)
	t.Cleanup(s.Close)
	if len(s.Packs) != 2 {
		t.Fatalf("there are %d packs", len(s.Packs))
	}
	w := NewWalk(s, objects.NoLimit, scanner.Prefilter{}, func(scanner.Blob) error { return nil })
	w.SkipPack, w.SkipLoose = func(*pack.Pack) bool { return false }, func(objects.Loose) bool { return false }
	return w
}

// TestRoomForCommits holds that the list of commits is made once, for all packs.
func TestRoomForCommits(t *testing.T) {
	w := walkTwoPacks(t)
	if err := w.Links(context.Background()); err != nil {
		t.Fatal(err)
	}
	n := len(w.Graph.Commits)
	if room := cap(w.Graph.Commits); n < 80 || room > n+n/8 {
		t.Errorf("%d commits have room for %d", n, room)
	}
}

// TestEndedWalk holds that a walk that was canceled while it read blobs goes on to no pack, not
// even to count its commits.
func TestEndedWalk(t *testing.T) {
	w := walkTwoPacks(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	asked := 0
	w.SkipPack = func(*pack.Pack) bool { asked++; return false }
	if err := w.All(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	if asked > 1+2 { // whether there is a new pack, then for the blobs of each
		t.Errorf("the walk came to packs %d times", asked)
	}
}

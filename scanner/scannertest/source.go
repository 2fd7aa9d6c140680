package scannertest

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// Source checks that src keeps the contract of scanner.Source. src must hold at
// least one text that can be read, and may be read any number of times.
func Source(t *testing.T, src scanner.Source) {
	t.Helper()
	ids := checkBlobs(t, src)
	if len(ids) == 0 {
		t.Fatal("source yields nothing to check")
	}
	t.Run("LocateAsked", func(t *testing.T) { checkLocate(t, src, ids) })
	t.Run("BlobsError", func(t *testing.T) { checkBlobsError(t, src) })
	t.Run("LocateError", func(t *testing.T) { checkLocateError(t, src, ids) })
	t.Run("Cancelled", func(t *testing.T) { checkCancelled(t, src, ids) })
}

// checkBlobs reads src. It returns the ids of the texts that were read, and of those that
// were not.
func checkBlobs(t *testing.T, src scanner.Source) []finding.BlobID {
	t.Helper()
	var mu sync.Mutex
	var ids []finding.BlobID
	seen := map[finding.BlobID]bool{}
	err := src.Blobs(context.Background(), func(b scanner.Blob) error {
		before := bytes.Clone(b.Data)
		runtime.Gosched() // lets others run, that might write to the same buffer
		mu.Lock()
		defer mu.Unlock()
		checkBlob(t, b)
		if b.Err == nil {
			if seen[b.ID] {
				t.Errorf("blob %s is yielded twice", b.ID)
			}
			seen[b.ID] = true
			ids = append(ids, b.ID)
		}
		if !bytes.Equal(before, b.Data) {
			t.Errorf("data of blob %s changed while yield ran", b.ID)
		}
		return nil
	})
	if err != nil {
		t.Errorf("Blobs: %v", err)
	}
	return ids
}

func checkBlob(t *testing.T, b scanner.Blob) {
	t.Helper()
	if b.ID == "" || b.Kind == "" || b.Name == "" {
		t.Errorf("blob without id, kind or name: %q %q %q", b.ID, b.Kind, b.Name)
	}
	if b.Err != nil && len(b.Data) > 0 {
		t.Errorf("blob %s has both data and the error %v", b.ID, b.Err)
	}
}

func checkLocate(t *testing.T, src scanner.Source, ids []finding.BlobID) {
	t.Helper()
	for _, asked := range [][]finding.BlobID{nil, {unknownID}, ids[:1], ids} {
		want := map[finding.BlobID]bool{}
		for _, id := range asked {
			want[id] = true
		}
		got := map[finding.BlobID]bool{}
		var running atomic.Int32
		err := src.Locate(context.Background(), asked, func(id finding.BlobID, p finding.Location) error {
			if running.Add(1) != 1 {
				t.Error("Locate calls yield concurrently")
			}
			defer running.Add(-1)
			if !want[id] {
				t.Errorf("Locate yields %s, which was not asked for", id)
			}
			if p.Kind == "" {
				t.Errorf("place of %s has no kind: %+v", id, p)
			}
			got[id] = true
			return nil
		})
		if err != nil {
			t.Errorf("Locate: %v", err)
		}
		for _, id := range asked {
			if !got[id] && id != unknownID {
				t.Errorf("Locate does not know where %s is", id)
			}
		}
	}
}

var errStop = errors.New("stop")

const unknownID = "there is no such id"

func checkBlobsError(t *testing.T, src scanner.Source) {
	t.Helper()
	var after atomic.Int32
	err := src.Blobs(context.Background(), func(scanner.Blob) error {
		after.Add(1)
		return errStop
	})
	if !errors.Is(err, errStop) {
		t.Errorf("Blobs returns %v, not the error of yield", err)
	}
	// Calls that are under way in other goroutines end, new ones do not begin.
	if n := int(after.Load()); n > runtime.GOMAXPROCS(0) {
		t.Errorf("Blobs calls yield %d times after it returned an error", n)
	}
}

func checkLocateError(t *testing.T, src scanner.Source, ids []finding.BlobID) {
	t.Helper()
	calls := 0
	err := src.Locate(context.Background(), ids, func(finding.BlobID, finding.Location) error {
		calls++
		return errStop
	})
	if !errors.Is(err, errStop) || calls != 1 {
		t.Errorf("Locate returns %v after %d calls, not the error of yield after one", err, calls)
	}
}

func checkCancelled(t *testing.T, src scanner.Source, ids []finding.BlobID) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := src.Blobs(ctx, func(scanner.Blob) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Blobs returns %v when cancelled", err)
	}
	err = src.Locate(ctx, ids, func(finding.BlobID, finding.Location) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Locate returns %v when cancelled", err)
	}
}

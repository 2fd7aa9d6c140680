package gitsource

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// large makes a blob that is read in windows.
const large = `head -c 65M /dev/zero >f; commit 1; `

// TestLargeReachable: a blob that comes in windows is yielded with ReachableOnly
// too, or is called unread.
func TestLargeReachable(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, large+"\n")
	for _, gc := range []string{"", "gc"} {
		if gc != "" {
			scannertest.Git(t, dir, gc, "-q")
		}
		r := open(t, dir)
		r.ReachableOnly = true
		for _, tt := range []struct {
			limit int64
			want  string // of what is unread
		}{{0, ""}, {1 << 20, "larger than 32 MiB; raise --max-size to read it"}} {
			r.MaxBlobSize = tt.limit
			size, unread := 0, ""
			var mu sync.Mutex
			err := r.Blobs(t.Context(), func(b scanner.Blob) error {
				mu.Lock()
				defer mu.Unlock()
				size += len(b.Data)
				if b.Err != nil {
					unread += b.Err.Error()
				}
				return nil
			})
			if err != nil || (size > scanner.LargeText) != (tt.want == "") || !strings.HasSuffix(unread, tt.want) || (unread == "") != (tt.want == "") {
				t.Errorf("%q, limit %d: read %d bytes, unread %q, error %v", gc, tt.limit, size, unread, err)
			}
		}
	}
}

// TestLargeShort: a loose object that has less than it says is damaged, in windows
// too.
func TestLargeShort(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, large+"\n")
	id := scannertest.Git(t, dir, "rev-parse", "HEAD:f")
	var b bytes.Buffer
	w, _ := zlib.NewWriterLevel(&b, zlib.BestSpeed)
	fmt.Fprintf(w, "blob %d\x00text", 66<<20)
	_, _ = w.Write(bytes.Repeat([]byte("0123456789abcdef"), 4<<20+4))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, ".git", "objects", id[:2], id[2:])
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := read(t, open(t, dir)); len(got.errs) != 1 || !strings.Contains(got.errs[0], "not 69206016 as it says") {
		t.Errorf("unread: %q", got.errs)
	}
}

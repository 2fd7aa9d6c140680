package gitsource

import (
	"testing"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestTotal: a repository says beforehand how many objects it reads, and how many of them are
// contents of files in a pack.
func TestTotal(t *testing.T) {
	t.Parallel()
	r := open(t, scannertest.Repo(t, "echo one >a; echo two >b; commit x; git gc -q; echo three >c; commit y\n"))
	var objects, contents int64
	p := scanner.Prefilter{Whole: func([]byte) bool { return true }, Total: func(n, first int64) { objects, contents = objects+n, contents+first }}
	if err := r.BlobsMatching(t.Context(), p, func(scanner.Blob) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if objects != 7 || contents != 2 {
		t.Errorf("%d objects, the first %d of them contents; want 7, and 2", objects, contents)
	}
}

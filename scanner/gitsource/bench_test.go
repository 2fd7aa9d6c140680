package gitsource

import (
	"context"
	"os"
	"sync/atomic"
	"testing"

	"github.com/stanch-dev/stanch/scanner"
)

// benchRepo opens the repository that STANCH_REPO names.
func benchRepo(b *testing.B) *Repository {
	b.Helper()
	path := os.Getenv("STANCH_REPO")
	if path == "" {
		b.Skip("STANCH_REPO names no repository")
	}
	r, err := Open(path)
	if err != nil {
		b.Fatal(err)
	}
	r.MaxBlobSize = 10 << 20
	return r
}

func BenchmarkBlobs(b *testing.B) {
	r := benchRepo(b)
	var texts, size atomic.Int64
	b.ReportAllocs()
	for b.Loop() {
		err := r.Blobs(context.Background(), func(t scanner.Blob) error {
			texts.Add(1)
			size.Add(int64(len(t.Data)))
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(size.Load() / int64(b.N))
	b.ReportMetric(float64(texts.Load())/float64(b.N), "texts/op")
}

package gitsource

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// pointer returns the pointer of Git LFS to content.
func pointer(content string) (text, oid string) {
	oid = fmt.Sprintf("%x", sha256.Sum256([]byte(content)))
	return fmt.Sprintf("version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n", oid, len(content)), oid
}

// store puts content where git-lfs has it.
func store(t *testing.T, dir, oid, content string) {
	t.Helper()
	folder := filepath.Join(dir, ".git", "lfs", "objects", oid[:2], oid[2:4])
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, oid), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestLFS: content of Git LFS that is on disk is read in place of its pointer, whichever way
// a repository is read.
func TestLFS(t *testing.T) {
	const content = "the content\nof a file\n"
	here, oid := pointer(content)
	elsewhere, _ := pointer("not here")
	cut, cutOID := pointer("as it was")
	dir := scannertest.Repo(t, "git commit -q --allow-empty -m 1\ngit add .\n-- here.bin --\n"+here+"-- elsewhere.bin --\n"+elsewhere+"-- cut.bin --\n"+cut)
	store(t, dir, oid, content)
	store(t, dir, cutOID, "as")
	want := []string{content, elsewhere, "! reading its content in Git LFS: it has another size than its pointer says"}
	check := func(name string, src scanner.Source) {
		t.Helper()
		var mu sync.Mutex
		var got []string
		err := src.Blobs(t.Context(), func(b scanner.Blob) error {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case b.Err != nil:
				got = append(got, "! "+b.Err.Error())
			case b.Kind == finding.KindBlob || b.Kind == finding.KindIndex:
				got = append(got, string(b.Data))
			}
			return nil
		})
		slices.Sort(got)
		if want := slices.Sorted(slices.Values(want)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %q, want %q", name, err, got, want)
		}
	}
	r := openRepo(t, dir)
	check("repository", r)
	check("staged", stagedIn(t, dir))
	scannertest.Git(t, dir, "commit", "-qm", "2")
	commits := strings.Fields(scannertest.Git(t, dir, "rev-parse", "HEAD", "HEAD^"))
	check("range", &Range{Repo: openRepo(t, dir), Include: commits[:1], Exclude: commits[1:]})
	// Locations are those of the pointer.
	r = openRepo(t, dir)
	var id finding.BlobID
	if err := r.Blobs(t.Context(), func(b scanner.Blob) error {
		if string(b.Data) == content {
			id = b.ID
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	paths := ""
	err := r.Locate(context.Background(), []finding.BlobID{id}, func(_ finding.BlobID, l finding.Location) error {
		paths += l.Path
		return nil
	})
	if err != nil || paths != "here.bin" {
		t.Errorf("%v, located at %q", err, paths)
	}
}

package gitsource

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestFetchCommits fetches what a server has and no ref leads to, and what it has lost.
func TestFetchCommits(t *testing.T) {
	t.Parallel()
	scannertest.Need(t, "git", "sh")
	dir := scannertest.Repo(t, `echo a >f; commit 1
		echo b >f; commit 2; git rev-parse HEAD >.git/forced; git reset -q --hard HEAD~
		git switch -q -c x; echo c >f; commit 3; git rev-parse HEAD >.git/deleted; git switch -q -; git branch -q -D x
		git config uploadpack.allowAnySHA1InWant true`)
	ids := strings.Fields(scannertest.Git(t, dir, "rev-list", "--reflog", "--not", "HEAD"))
	if len(ids) != 2 {
		t.Fatal(ids)
	}
	lost := []string{strings.Repeat("ab", 20), strings.Repeat("cd", 20)}
	server := "file://" + filepath.ToSlash(dir)
	repo, err := Clone(t.Context(), server, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = repo.Close() }()
	gone, err := repo.FetchCommits(t.Context(), server, slices.Concat(lost[:1], ids, lost[1:]))
	if slices.Sort(gone); err != nil || !slices.Equal(gone, lost) {
		t.Errorf("gone %v: %v", gone, err)
	}
	var read, places []string
	var found []scanner.BlobID
	err = repo.Blobs(t.Context(), func(b scanner.Blob) error {
		if b.Err != nil || b.Kind == scanner.KindReflog {
			t.Errorf("%s: %v", b.Name, b.Err)
		}
		if slices.Contains([]string{"a\n", "b\n", "c\n"}, string(b.Data)) {
			read, found = append(read, string(b.Data)), append(found, b.ID)
		}
		return nil
	})
	if err != nil || len(read) != 3 {
		t.Errorf("read %q: %v", read, err)
	}
	err = repo.Locate(t.Context(), found, func(_ scanner.BlobID, p scanner.Provenance) error {
		places = append(places, p.Path+" "+p.Unreachable)
		return nil
	})
	if slices.Sort(places); err != nil || len(places) != 3 || places[0] != "f " || !strings.HasPrefix(places[1], "f dangling commit") {
		t.Errorf("%q: %v", places, err)
	}
	for _, id := range []string{"--upload-pack=x", "+refs/heads/*:refs/heads/*", ids[0][:12]} {
		if _, err := repo.FetchCommits(t.Context(), server, []string{id}); err == nil || !strings.Contains(err.Error(), "is no object id") {
			t.Errorf("%s: %v", id, err)
		}
	}
	if _, err := repo.FetchCommits(t.Context(), server+"-not-there", lost); err == nil || !strings.Contains(err.Error(), "git fetch: ") {
		t.Error(err)
	}
}

package repo

import (
	"path/filepath"
	"testing"
)

// TestRefPacked: a ref that git packs after its file was listed is no broken one.
func TestRefPacked(t *testing.T) {
	s := &RefSet{ByName: map[string]int{}}
	s.readLoose(filepath.Join(t.TempDir(), "refs/heads/other"), "refs/heads/other")
	if len(s.Broken)+len(s.Refs) > 0 {
		t.Errorf("broken: %v", s.Broken)
	}
}

package atomicfile_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stanch-dev/stanch/scanner/atomicfile"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "hook")
	for _, text := range []string{"old", "new"} {
		if err := atomicfile.Write(name, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(name); string(got) != text || err != nil {
			t.Errorf("the file holds %q (%v), want %q", got, err, text)
		}
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm()&0o100 == 0 {
		t.Errorf("mode %v, %v: not executable", info.Mode(), err)
	}
	onlyFile(t, dir, "hook")
}

// TestFailure: the old file stays, and nothing else.
func TestFailure(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "folder")
	if err := os.MkdirAll(filepath.Join(name, "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(name, []byte("text"), 0o600); err == nil {
		t.Error("a file took the place of a folder")
	}
	onlyFile(t, dir, "folder")
}

func TestDiscard(t *testing.T) {
	dir := t.TempDir()
	f, err := atomicfile.Create(filepath.Join(dir, "report"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("half"); err != nil {
		t.Fatal(err)
	}
	f.Discard()
	onlyFile(t, dir)

	if f, err = atomicfile.Create(filepath.Join(dir, "report")); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	f.Discard()
	onlyFile(t, dir, "report")
}

// onlyFile checks that dir holds nothing but names.
func onlyFile(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(names) {
		t.Fatalf("%s holds %v (%v), want %q", dir, entries, err, names)
	}
	for i, e := range entries {
		if e.Name() != names[i] {
			t.Errorf("%s holds %v, want %q", dir, entries, names)
		}
	}
}

package database

import (
	"path/filepath"
	"testing"
)

func TestDefaultFile(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home) // on Windows
	for state, want := range map[string]string{
		"":                         filepath.Join(home, ".local", "state", "stanch", "sweep.db"),
		filepath.Join(home, "own"): filepath.Join(home, "own", "stanch", "sweep.db"),
	} {
		t.Setenv("XDG_STATE_HOME", state)
		if got, err := DefaultFile(); got != want || err != nil {
			t.Errorf("XDG_STATE_HOME=%q: %q, %v; want %q", state, got, err, want)
		}
	}
}

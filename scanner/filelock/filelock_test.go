package filelock_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/stanch-dev/stanch/scanner/filelock"
)

func TestAcquire(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	first, err := filelock.Acquire(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := filelock.Acquire(name); !errors.Is(err, filelock.ErrHeld) {
		t.Errorf("a second lock: %v, want ErrHeld", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := filelock.Acquire(name)
	if err != nil {
		t.Fatalf("the lock is not free after Close: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/stanch-dev/stanch/scanner/filelock"
)

// ErrHeld is in the error for a journal that another process has open.
var ErrHeld = errors.New("another stanch is running")

// A lock lasts until the process that took it ends, however it ends. The file names the
// holder; it stays behind.
type lock struct{ file *os.File }

type holder struct {
	Actor string    `json:"actor"`
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
}

func acquire(name, actor string) (*lock, error) {
	file, err := filelock.Acquire(name)
	if errors.Is(err, filelock.ErrHeld) {
		return nil, heldBy(name)
	}
	if err != nil {
		return nil, err
	}
	host, _ := os.Hostname() // "" says that it is not known
	b, err := json.Marshal(holder{actor, os.Getpid(), host, time.Now().UTC().Truncate(time.Second)})
	if err == nil {
		err = file.Truncate(0)
	}
	if err == nil {
		_, err = file.WriteAt(b, 0)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return &lock{file}, nil
}

// heldBy names the holder of the lock, as far as it can be read.
func heldBy(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return ErrHeld
	}
	defer file.Close()
	b, err := io.ReadAll(file)
	var h holder
	if err != nil || json.Unmarshal(b, &h) != nil {
		return ErrHeld
	}
	return fmt.Errorf("%w: %s, process %d on %s, since %s", ErrHeld, h.Actor, h.PID, h.Host, h.Since.Format(time.RFC3339))
}

func (l *lock) release() { _ = l.file.Close() }

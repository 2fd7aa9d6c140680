package report

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
)

// TestInterrupted: Ctrl-C ends the reading and the merging of large reports, and leaves no file.
func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	saved, out := filepath.Join(dir, "a.jsonl"), filepath.Join(dir, "out.html")
	stream := `{"type":"scan","schema":"stanch/v1","source":"dir","target":"x"}` + "\n" +
		`{"type":"finding","fingerprint":"f","rule":"r","state":"live","locations":[]}` + "\n" + `{"type":"summary"}` + "\n"
	if err := os.WriteFile(saved, []byte(stream), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, files := range [][]string{{saved}, {saved, saved}} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for _, interrupted := range []bool{false, true} {
			if interrupted {
				cancel()
			}
			_ = os.Remove(out)
			cmd := NewReport(cli.NewStreams(strings.NewReader(""), io.Discard, io.Discard, ""))
			cmd.SetArgs(append([]string{"-o", out}, files...))
			err := cmd.ExecuteContext(ctx)
			if _, missing := os.Stat(out); errors.Is(err, context.Canceled) != interrupted || (missing != nil) != interrupted {
				t.Errorf("%d files, interrupted %v: %v, a page: %v", len(files), interrupted, err, missing)
			}
		}
	}
}

package pack

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestWriteIndex: the index is that of git, byte for byte.
func TestWriteIndex(t *testing.T) {
	for name, script := range map[string]string{
		"one":       `echo x >f; commit 1; git gc -q` + "\n",
		"deltas":    history(`git gc -q`),
		"ref_delta": history(`git -c repack.useDeltaBaseOffset=false repack -qadf`),
		"flat":      history(`git repack -qadf --depth=0`),
		"sha256":    "rm -rf .git; git init -q -b main --object-format=sha256 .\n" + history(`git gc -q`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := scannertest.Repo(t, script)
			indexes, _ := filepath.Glob(filepath.Join(dir, ".git/objects/pack/*.idx"))
			if len(indexes) != 1 {
				t.Fatal(indexes)
			}
			want, err := os.ReadFile(indexes[0])
			if err == nil {
				err = os.Remove(indexes[0])
			}
			if err != nil {
				t.Fatal(err)
			}
			hash := 20
			if name == "sha256" {
				hash = 32
			}
			stem := strings.TrimSuffix(indexes[0], ".idx")
			for how, write := range map[string]func() error{
				"received": receive(t, stem, hash).WriteIndex,
				"walk":     func() error { return numberByWalk(t, receive(t, stem, hash)) },
			} {
				if err := write(); err != nil {
					t.Fatal(how, err)
				}
				got, err := os.ReadFile(indexes[0])
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s: index of %d bytes differs from that of git, %d bytes, %v", how, len(got), len(want), err)
				}
				if err := os.Remove(indexes[0]); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkWriteIndex makes the index of the pack that STANCH_PACK names, beside git.
func BenchmarkWriteIndex(b *testing.B) {
	source := os.Getenv("STANCH_PACK")
	if source == "" {
		b.Skip("STANCH_PACK names no pack")
	}
	data, err := os.ReadFile(source)
	if err != nil {
		b.Fatal(err)
	}
	stem := filepath.Join(b.TempDir(), "x")
	if err := os.WriteFile(stem+".pack", data, 0o600); err != nil {
		b.Fatal(err)
	}
	for name, write := range map[string]func() error{
		"own": func() error {
			got, err := Receive(io.Discard, bytes.NewReader(data), 20, nil)
			if err != nil {
				return err
			}
			got.Stem = stem
			return got.WriteIndex()
		},
		"git": func() error {
			return exec.CommandContext(b.Context(), "git", "index-pack", "--threads=2", "-o", stem+".idx", stem+".pack").Run()
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := write(); err != nil {
					b.Fatal(err)
				}
				if err := os.Remove(stem + ".idx"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

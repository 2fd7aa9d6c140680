package pack

import (
	"bytes"
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
				"alone":    func() error { return WriteIndex(stem, hash) },
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

// TestWriteIndexOfLies: a pack that is not what it says gets no index.
func TestWriteIndexOfLies(t *testing.T) {
	dir := scannertest.Repo(t, "seq 1 900 >f; commit 1; echo 1 >>f; commit 2; git gc -q\n")
	packs, _ := filepath.Glob(filepath.Join(dir, ".git/objects/pack/*.pack"))
	if len(packs) != 1 {
		t.Fatal(packs)
	}
	good, err := os.ReadFile(packs[0])
	if err != nil {
		t.Fatal(err)
	}
	edit := func(change func([]byte) []byte) []byte { return change(bytes.Clone(good)) }
	for name, lie := range map[string][]byte{
		"more":     edit(func(b []byte) []byte { b[11]++; return b }),
		"fewer":    edit(func(b []byte) []byte { b[11]--; return b }),
		"junk":     edit(func(b []byte) []byte { return append(b, "junk"...) }),
		"cut_off":  good[:len(good)-30],
		"header":   edit(func(b []byte) []byte { b[0] = 'X'; return b }),
		"millions": edit(func(b []byte) []byte { b[8] = 0xff; return b }),
		"empty":    {},
	} {
		stem := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(stem+".pack", lie, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := WriteIndex(stem, 20); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := os.Stat(stem + ".idx"); err == nil {
			t.Errorf("%s: there is an index", name)
		}
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
		"own": func() error { return WriteIndex(stem, 20) },
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

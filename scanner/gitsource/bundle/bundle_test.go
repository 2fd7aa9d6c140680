package bundle

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// bundled returns the bundle that git makes of the repository of script.
func bundled(t testing.TB, script string, args ...string) []byte {
	t.Helper()
	dir := scannertest.Repo(t, script)
	file := filepath.Join(filepath.Dir(dir), "x.bundle")
	scannertest.Git(t, dir, append([]string{"bundle", "create", "-q", file}, args...)...)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// texts returns what Walk yields: names, with the first line of files, and errors. Ids are
// left out.
func texts(t testing.TB, data []byte) []string {
	t.Helper()
	var got []string
	err := Walk(t.Context(), data, 1<<20, 1<<24, func(name string, data []byte, err error) error {
		kind, _, isObject := strings.Cut(name, " ")
		line, _, _ := strings.Cut(string(data), "\n")
		switch {
		case err != nil:
			got = append(got, name+"! "+err.Error())
		case isObject:
			got = append(got, kind)
		case name == "names":
			got = append(got, name+": "+strings.ReplaceAll(string(data), "\n", " "))
		case name == "refs":
			got = append(got, name+": "+string(data[strings.LastIndexByte(string(data), ' ')+1:]))
		default:
			got = append(got, name+": "+line)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	return got
}

const history = "mkdir -p a/b; seq 1 500 >a/b/f; echo one >g; commit 1; echo x >>a/b/f; commit 2; git tag -am m t\n"

func TestWalk(t *testing.T) {
	whole := []string{"a/b/f: 1", "a/b/f: 1", "commit", "commit", "g: one", "names: a b f g", "refs: refs/heads/main", "tag"}
	for _, tt := range []struct {
		name string
		data []byte
		want []string
	}{
		{"whole", bundled(t, history, "t", "main"), whole},
		{"sha256", bundled(t, "rm -rf .git; git init -q -b main --object-format=sha256 .\n"+history, "t", "main"), whole},
		{"new_commits", bundled(t, history, "main", "^main~1"), []string{"! its pack: damaged: 1 of 5 objects have no base, or are deltas of more than 64 MiB: it builds on commits that are not in it", "commit", "names: a b f g", "refs: refs/heads/main"}},
		{"no_pack", []byte("# v2 git bundle\n\nhello"), []string{"! its pack: damaged: not a pack", "refs: "}},
		{"no_refs", []byte("# v2 git bundle\n"), []string{"! a git bundle without an end of its list of refs"}},
	} {
		if diff := cmp.Diff(tt.want, texts(t, tt.data)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.name, diff)
		}
	}
}

// TestCutOff: whatever is left of a bundle is read, and the rest reported.
func TestCutOff(t *testing.T) {
	data := bundled(t, history, "t", "main")
	for n := 0; n < len(data); n += 7 {
		if got := texts(t, data[:n]); !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, "!") }) {
			t.Errorf("cut off at %d of %d: %q", n, len(data), got)
		}
	}
}

// TestBomb: a bundle that unpacks to more than it may is not unpacked to its end.
func TestBomb(t *testing.T) {
	data := bundled(t, "head -c 300000 /dev/zero >f; commit 1; for i in $(seq 50); do echo $i >>f; commit $i; done\n", "main")
	size := 0
	var errs []string
	err := Walk(t.Context(), data, 1<<20, 1<<20, func(_ string, data []byte, err error) error {
		if size += len(data); err != nil {
			errs = append(errs, err.Error())
		}
		return nil
	})
	if err != nil || len(data) > 20_000 || size > 4<<20 || len(errs) != 1 || !strings.Contains(errs[0], "larger than is read") {
		t.Errorf("%d bytes became %d: %v, %q", len(data), size, err, errs)
	}
}

func FuzzWalk(f *testing.F) {
	f.Add(bundled(f, history, "main"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_ = Walk(context.Background(), data, 1<<20, 1<<24, func(string, []byte, error) error { return nil })
	})
}

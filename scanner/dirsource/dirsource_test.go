//go:build unix

package dirsource_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/dirsource"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// read renders the texts of src, sorted: "name=content" or "name:error".
func read(t *testing.T, src scanner.Source, trim string) []string {
	t.Helper()
	var mu sync.Mutex
	var got []string
	err := src.Blobs(t.Context(), func(b scanner.Blob) error {
		mu.Lock()
		defer mu.Unlock()
		line := strings.TrimPrefix(b.Name, trim) + "=" + string(b.Data)
		if b.Err != nil {
			line = strings.TrimPrefix(b.Name, trim) + ":" + b.Err.Error()
		}
		got = append(got, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	sort.Strings(got)
	return got
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	write("a.txt", "a")
	write("sub/.hidden", "h")
	write("sub/new\nline", "n")
	write("sub/invalid\xff", "i")
	write(".git/config", "not read")
	write("big", strings.Repeat("x", 2<<20))
	err := errors.Join(
		os.Symlink("no/such/target", filepath.Join(dir, "broken")),
		os.Symlink("..", filepath.Join(dir, "sub/loop")),
		syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a.txt=a", "big=" + strings.Repeat("x", 2<<20), "broken=no/such/target",
		"sub/.hidden=h", "sub/invalid\xff=i", "sub/loop=..", "sub/new\nline=n"}
	src := &dirsource.Files{Paths: []string{dir}, MaxSize: 1 << 20}
	if diff := cmp.Diff(want, read(t, src, dir+"/")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	scannertest.Source(t, src)

	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(filepath.Join(dir, "sub"), link); err != nil {
		t.Fatal(err)
	}
	if got := read(t, &dirsource.Files{Paths: []string{link}}, link+"/"); len(got) != 4 {
		t.Errorf("through a link: %q", got)
	}
}

// TestUnreadable: each path that cannot be read is named, and the others are
// read.
func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	pipe, broken, good := filepath.Join(dir, "pipe"), filepath.Join(dir, "broken"), filepath.Join(dir, "good")
	err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.Symlink("nowhere", broken), os.WriteFile(good, []byte("g"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"broken:no such file or directory", "good=g", "missing:no such file or directory", "pipe:not a regular file"}
	src := &dirsource.Files{Paths: []string{pipe, broken, filepath.Join(dir, "missing"), good}}
	if diff := cmp.Diff(want, read(t, src, dir+"/")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestReadError: a file that can be opened and not read. Root too gets an error
// for the first byte of its memory.
func TestReadError(t *testing.T) {
	const path = "/proc/self/mem"
	if runtime.GOOS != "linux" {
		t.Skip("there is no " + path)
	}
	want := []string{path + ":input/output error"}
	if diff := cmp.Diff(want, read(t, &dirsource.Files{Paths: []string{path}}, "")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestPermission runs as a user only: root reads everything.
func TestPermission(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read any file")
	}
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, nil, 0o000); err != nil {
		t.Fatal(err)
	}
	want := []string{path + ":permission denied"}
	if diff := cmp.Diff(want, read(t, &dirsource.Files{Paths: []string{path}}, "")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestStream(t *testing.T) {
	for _, tt := range []struct {
		name string
		r    io.Reader
		want []string
	}{
		{"whole", strings.NewReader("abc"), []string{"stdin=abc"}},
		{"empty", strings.NewReader(""), []string{"stdin="}},
		{"over_the_limit", strings.NewReader(strings.Repeat("x", 1<<20) + "y"), []string{"stdin=" + strings.Repeat("x", 1<<20) + "y"}},
		{"broken", io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(errors.New("broken"))), []string{"stdin:broken", "stdin=abc"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := read(t, &dirsource.Stream{Reader: tt.r, Name: "stdin", MaxSize: 1 << 20}, "")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestLarge: a text that is too large to be held comes in windows, whatever the
// limit, and an archive only if it is over the limit.
func TestLarge(t *testing.T) {
	const size = scanner.LargeText + 100
	broken := errors.New("broken")
	for _, tt := range []struct {
		name, head string
		limit      int64
		want       string // the text as it is yielded: whole, windows, error
	}{
		{"text", "text", 1 << 20, "windows"},
		{"text_without_limit", "text", 0, "windows"},
		{"archive", "\x1f\x8b\x08", 0, "whole"},
		{"archive_below_the_limit", "\x1f\x8b\x08", size, "whole"},
		{"archive_over_the_limit", "\x1f\x8b\x08", size - 1, "windows"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "large")
			if err := errors.Join(os.WriteFile(name, []byte(tt.head), 0o600), os.Truncate(name, size)); err != nil {
				t.Fatal(err)
			}
			if got := shape(t, &dirsource.Files{Paths: []string{name}, MaxSize: tt.limit}, size); got != tt.want {
				t.Errorf("file: %s, want %s", got, tt.want)
			}
			open := func() io.Reader {
				f, err := os.Open(name)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { f.Close() })
				return f
			}
			if got := shape(t, &dirsource.Stream{Reader: open(), Name: "stdin", MaxSize: tt.limit}, size); got != tt.want {
				t.Errorf("stream: %s, want %s", got, tt.want)
			}
			r := io.MultiReader(open(), iotest.ErrReader(broken))
			if got := shape(t, &dirsource.Stream{Reader: r, Name: "stdin", MaxSize: tt.limit}, size); got != tt.want+" error" {
				t.Errorf("broken stream: %s, want %s error", got, tt.want)
			}
		})
	}
}

// shape says how src yields its text of size bytes.
func shape(t *testing.T, src scanner.Source, size int64) string {
	t.Helper()
	var got []string
	end := int64(0)
	err := src.Blobs(t.Context(), func(b scanner.Blob) error {
		switch {
		case b.Err != nil:
			got = append(got, "error")
		case b.Window == nil:
			got = append(got, "whole")
			end = int64(len(b.Data))
		case b.Window.Offset == 0:
			got = append(got, "windows")
			fallthrough
		default:
			end = b.Window.Offset + int64(len(b.Data))
		}
		return nil
	})
	if err != nil || end != size {
		t.Errorf("error %v, %d bytes of %d", err, end, size)
	}
	return strings.Join(got, " ")
}

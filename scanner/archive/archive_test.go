package archive_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/stanch-dev/stanch/scanner/archive"
)

func zipped(t *testing.T, name string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create(name)
	if err == nil {
		_, err = f.Write(data)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(data)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tarred(t *testing.T, name string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Typeflag: tar.TypeReg})
	if err == nil {
		_, err = w.Write(data)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstded(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b)
	if err == nil {
		_, err = w.Write(data)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pdf is as much of one as is read: an object with a stream.
func pdf(t *testing.T, stream string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, err := w.Write([]byte(stream))
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return []byte(fmt.Sprintf("%%PDF-1.7\n1 0 obj\n<< /Length %d /Filter /FlateDecode >>\nstream\r\n%s\nendstream\nendobj\n", b.Len(), &b))
}

// testdata reads a file that this repository has no writer for: of xz and sqlite3.
func testdata(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// bzipped is "hello\n": the standard library only reads bzip2.
const bzipped = "BZh91AY&SY\xc1\xc0\x80\xe2\x00\x00\x01A\x00\x00\x10\x02D\xa0\x000\xcd\x00\xc3F)\x97\x17rE8P\x90\xc1\xc0\x80\xe2"

// lfs is a pointer of Git LFS to content of size bytes, with more lines.
func lfs(size int, more string) []byte {
	return fmt.Appendf(nil, "version https://git-lfs.github.com/spec/v1\n%soid sha256:%064x\nsize %d\n", more, 10, size)
}

func TestWalk(t *testing.T) {
	text := []byte("some text")
	deep := text
	for range 9 {
		deep = zipped(t, "in.zip", deep)
	}
	var tooDeep []string
	for i := range 7 {
		tooDeep = append(tooDeep, strings.Repeat("in.zip!", i)+"in.zip=…")
	}
	truncated := gzipped(t, []byte(strings.Repeat("0123456789", 10000)))
	for _, tt := range []struct {
		name string
		data []byte
		want []string // "name=content", "name:error"
	}{
		{"no_archive", text, nil},
		{"zip", zipped(t, "a/b.txt", text), []string{"a/b.txt=some text"}},
		{"tar", tarred(t, "a/b.txt", text), []string{"a/b.txt=some text"}},
		{"gzip", gzipped(t, text), []string{"gunzip=some text"}},
		{"bzip2", []byte(bzipped), []string{"bunzip2=hello\n"}},
		{"zip_in_zip", zipped(t, "in.zip", zipped(t, "x", text)), []string{"in.zip=…", "in.zip!x=some text"}},
		{"gzip_in_gzip", gzipped(t, gzipped(t, text)), []string{"gunzip=some text"}},
		{"xz", testdata(t, "hello.xz"), []string{"unxz=hello\n"}},
		{"zstd", zstded(t, text), []string{"unzstd=some text"}},
		{"tar_in_zstd", zstded(t, tarred(t, "a/b.txt", text)), []string{"a/b.txt=some text"}},
		{"docker_save", tarred(t, "0a1b/layer.tar", tarred(t, "app/.env", text)), []string{"0a1b/layer.tar!app/.env=some text"}},
		{"image_of_oci", tarred(t, "blobs/sha256/0a1b", gzipped(t, tarred(t, "app/.env", text))), []string{"blobs/sha256/0a1b!app/.env=some text"}},
		{"7z", []byte("7z\xbc\xaf\x27\x1c\x00\x04"), []string{":7z is not unpacked"}},
		{"rar", []byte("Rar!\x1a\x07\x01\x00"), []string{":rar is not unpacked"}},
		{"pdf", pdf(t, "BT /F1 12 Tf (some) Tj [(te)-20(xt \\(1\\))] TJ ET"), []string{"text=some\ntext (1)\n\n"}},
		{"pdf_metadata", pdf(t, "<x>some text</x>"), []string{"text=<x>some text</x>\n"}},
		{"lfs", lfs(8, ""), []string{":its content is in Git LFS and not here: this is only the pointer"}},
		{"lfs_with_an_extension", lfs(8, "ext-0-foo sha256:00\n"), []string{":its content is in Git LFS and not here: this is only the pointer"}},
		{"lfs_in_zip", zipped(t, "a.psd", lfs(8, "")), []string{"a.psd=…", "a.psd:its content is in Git LFS and not here: this is only the pointer"}},
		{"lfs_of_nothing", lfs(0, ""), nil},
		{"about_lfs", append(lfs(8, ""), "\nis a pointer.\n"...), nil},
		{"too_deep", deep, append(tooDeep, strings.Repeat("in.zip!", 7)+"in.zip:nested deeper than 8 archives")},
		{"damaged_zip", zipped(t, "a", text)[:20], []string{":damaged archive: zip: not a valid zip file"}},
		{"damaged_gzip", truncated[:len(truncated)-9], []string{"gunzip=…", "gunzip:damaged archive: unexpected EOF"}},
		{"damaged_tar", tarred(t, "a", []byte(strings.Repeat("x", 2000)))[:1000], []string{"a=…", "a:damaged archive: unexpected EOF", ":damaged archive: unexpected EOF"}},
		{"gzip_magic_only", []byte("\x1f\x8b\x08"), nil},
		{"bomb", gzipped(t, make([]byte, 65<<20)), []string{"gunzip=…", "gunzip:larger unpacked than is read"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			err := archive.Walk(t.Context(), tt.data, func(name string, data []byte, err error) error {
				switch {
				case err != nil:
					got = append(got, name+":"+err.Error())
				case len(data) > 20:
					got = append(got, name+"=…")
				default:
					got = append(got, name+"="+string(data))
				}
				return nil
			})
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("error %v (-want +got)\n%s", err, diff)
			}
		})
	}
}

func TestSQLite(t *testing.T) {
	var name, rows string
	err := archive.Walk(t.Context(), testdata(t, "rows.sqlite"), func(n string, data []byte, err error) error {
		name, rows = n, string(data)
		return err
	})
	if err != nil || name != "rows" {
		t.Fatalf("%q, error %v", name, err)
	}
	var long strings.Builder // over several pages
	for i := range 300 {
		fmt.Fprintf(&long, "%04d,", i)
	}
	for _, row := range []string{"first\tsecond\t", long.String() + "\tafter\t", "row 0\tvalue\t", "row 59\tvalue\t"} {
		if !strings.Contains("\n"+rows, "\n"+row+"\n") {
			t.Errorf("no row %.40q in %.200q", row, rows)
		}
	}
}

// TestHostile holds that an archive that is made to break a reader costs bounded memory and
// work, and is reported.
func TestHostile(t *testing.T) {
	deepGzip, deepZip := []byte("x"), []byte("x")
	for range 100 {
		deepGzip, deepZip = gzipped(t, deepGzip), zipped(t, "in.zip", deepZip)
	}
	empty := zeros(t, 64<<20)
	bomb := bytes.Repeat(empty, 160) // members of gzip, one behind the other: 10 GiB
	for _, tt := range []struct {
		name, why string
		data      []byte
	}{
		{"sparse_gzip", "larger unpacked than is read", bomb},
		{"sparse_tar", "larger unpacked than is read", sparse(t)},
		{"many_in_a_zip", "larger unpacked than is read", zipOf(t, 100, empty)},
		{"deep_gzip", "nested deeper than 8 archives", deepGzip},
		{"deep_zip", "nested deeper than 8 archives", deepZip},
	} {
		t.Run(tt.name, func(t *testing.T) {
			runtime.GC()
			var most uint64
			var unpacked int64
			var why string
			err := archive.Walk(t.Context(), tt.data, func(_ string, data []byte, err error) error {
				if unpacked += int64(len(data)); err != nil {
					why = err.Error()
				}
				most = max(most, heap())
				return nil
			})
			t.Logf("%d bytes of %d, heap %d MiB", unpacked, len(tt.data), most>>20)
			if err != nil || why != tt.why {
				t.Errorf("error %v, reported %q, want %q", err, why, tt.why)
			}
			if unpacked > 2<<30 || most > 300<<20 {
				t.Errorf("unpacked %d bytes, with a heap of %d", unpacked, most)
			}
		})
	}
}

// heap returns the bytes of the heap that are in use or not yet collected.
func heap() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// zeros is n zeros in gzip.
func zeros(t *testing.T, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.CopyN(w, zeroReader{}, int64(n))
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// zipOf is a zip that holds data n times.
func zipOf(t *testing.T, n int, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := range n {
		f, err := w.Create(fmt.Sprint(i))
		if err == nil {
			_, err = f.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sparse is a tar with a file of 10 GiB that has no byte (GNU's format, PAX 1.0).
func sparse(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	const layout = "1\n10737418240\n0\n"
	err := w.WriteHeader(&tar.Header{Name: "x", Size: 512, Typeflag: tar.TypeReg, Format: tar.FormatPAX, PAXRecords: map[string]string{
		"GNX.sparse.major": "1", "GNX.sparse.minor": "0", "GNX.sparse.name": "x", "GNX.sparse.realsize": "10737418240",
	}})
	if err == nil {
		_, err = w.Write(append([]byte(layout), make([]byte, 512-len(layout))...))
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	// The writer refuses records of GNU's own.
	return bytes.ReplaceAll(b.Bytes(), []byte("GNX."), []byte("GNU."))
}

func TestWalkStops(t *testing.T) {
	data, stop := zipped(t, "a", []byte("x")), errors.New("stop")
	if err := archive.Walk(t.Context(), data, func(string, []byte, error) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("error %v, want that of yield", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := archive.Walk(ctx, data, func(string, []byte, error) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

package archive_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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

// bzipped is "hello\n": the standard library only reads bzip2.
const bzipped = "BZh91AY&SY\xc1\xc0\x80\xe2\x00\x00\x01A\x00\x00\x10\x02D\xa0\x000\xcd\x00\xc3F)\x97\x17rE8P\x90\xc1\xc0\x80\xe2"

func TestWalk(t *testing.T) {
	text := []byte("some text")
	deep := text
	for range 6 {
		deep = gzipped(t, deep)
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
		{"too_deep", deep, []string{"gunzip=…", "gunzip!gunzip=…", "gunzip!gunzip!gunzip=…", "gunzip!gunzip!gunzip!gunzip=…",
			"gunzip!gunzip!gunzip!gunzip:nested deeper than 4 archives"}},
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

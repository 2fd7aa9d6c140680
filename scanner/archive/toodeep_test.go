package archive_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/archive"
)

// files is a tar of several files, in order: names and contents in turn.
func files(t *testing.T, fields ...any) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	var errs []error
	for i := 0; i < len(fields); i += 2 {
		data := fields[i+1].([]byte)
		errs = append(errs, w.WriteHeader(&tar.Header{Name: fields[i].(string), Size: int64(len(data)), Typeflag: tar.TypeReg}))
		_, err := w.Write(data)
		errs = append(errs, err)
	}
	if err := errors.Join(append(errs, w.Close())...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestTooDeep: an archive that is nested too deep is reported once, and not at all if it
// stands higher up too, as in https://github.com/boto/boto, dist/boto-0.9b.tar.gz.
func TestTooDeep(t *testing.T) {
	var releases []any // each holds those before it
	for i := range 7 {
		releases = append(releases, fmt.Sprintf("dist/%d.tgz", i), gzipped(t, files(t, append([]any{"README", []byte(fmt.Sprint("release ", i))}, releases...)...)))
	}
	chain := []byte("text")
	for range 10 {
		chain = gzipped(t, files(t, "a", chain))
	}
	for _, tt := range []struct {
		name   string
		data   []byte
		unread []string
	}{
		{"releases", files(t, releases...), nil},
		{"chain", chain, []string{"a!a!a!a"}},
		{"chain_twice", files(t, "x", chain, "y", chain), []string{"x!a!a!a"}},
		{"chain_and_its_parts", files(t, "x", chain, "y", tail(t, chain, 3), "z", tail(t, chain, 6), "end", tail(t, chain, 9)), nil},
	} {
		var unread []string
		texts := 0
		err := archive.Walk(t.Context(), tt.data, func(name string, _ []byte, err error) error {
			if err != nil {
				unread = append(unread, name)
			}
			texts++
			return nil
		})
		if err != nil || strings.Join(unread, " ") != strings.Join(tt.unread, " ") || texts == 0 {
			t.Errorf("%s: %v, unread %q, want %q", tt.name, err, unread, tt.unread)
		}
	}
}

// tail unpacks a chain of archives n times.
func tail(t *testing.T, chain []byte, n int) []byte {
	t.Helper()
	for range n {
		z, err := gzip.NewReader(bytes.NewReader(chain))
		if err != nil {
			t.Fatal(err)
		}
		r := tar.NewReader(z)
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(r); err != nil {
			t.Fatal(err)
		}
		chain = b.Bytes()
	}
	return chain
}

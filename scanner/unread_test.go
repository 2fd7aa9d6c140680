package scanner_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// packed is a source of archives that cannot be unpacked in full. As in git, their
// names are ids until they are located.
type packed struct {
	blobs  int
	places map[finding.BlobID][]finding.Location
	asked  *[]finding.BlobID
}

func damagedZip() []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range []string{"good.txt", "bad.txt"} {
		f, _ := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		_, _ = f.Write([]byte("content of " + name))
	}
	_ = w.Close()
	return bytes.Replace(b.Bytes(), []byte("content of bad"), []byte("kontent of bad"), 1)
}

func (p packed) Blobs(_ context.Context, yield func(scanner.Blob) error) error {
	for i := range p.blobs {
		id := fmt.Sprintf("id%04d", p.blobs-i)
		if err := yield(scanner.Blob{ID: finding.BlobID(id), Kind: finding.KindBlob, Name: id, Data: damagedZip()}); err != nil {
			return err
		}
	}
	return yield(scanner.Blob{ID: "gone", Name: "gone", Err: errors.New("missing")})
}

func (p packed) Locate(_ context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	*p.asked = ids
	for _, id := range ids {
		for _, place := range p.places[id] {
			if err := yield(id, place); err != nil {
				return err
			}
		}
	}
	return nil
}

// TestUnreadMembers: a member that cannot be read within a blob is called by the path that a
// finding would name first, and by the id of the blob if there is none.
func TestUnreadMembers(t *testing.T) {
	src := packed{4, map[finding.BlobID][]finding.Location{
		"id0001": {{Path: "z.zip", Commit: "1"}, {Path: "new/a.zip", Commit: "2", AtHead: true}, {Path: "b.zip", Commit: "3", AtHead: true}},
		"id0003": {{Unreachable: "nothing leads to it"}},
		"id0004": {{Path: "m.jar"}},
	}, new([]finding.BlobID)}
	const why = "damaged archive: zip: checksum error"
	want := []finding.Unread{
		{What: "b.zip!bad.txt", Why: why, Blob: "id0001"}, {What: "gone", Why: "missing", Blob: "gone"}, {What: "id0002!bad.txt", Why: why, Blob: "id0002"},
		{What: "id0003!bad.txt", Why: why, Blob: "id0003"}, {What: "m.jar!bad.txt", Why: why, Blob: "id0004"},
	}
	for range 3 {
		if diff := cmp.Diff(want, unread(t, src)); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
	}
	if want := []finding.BlobID{"id0001", "id0002", "id0003", "id0004"}; !cmp.Equal(want, *src.asked) {
		t.Errorf("asked for %v", *src.asked)
	}
}

// TestManyUnreadMembers: names are worth a walk for so many, and no more.
func TestManyUnreadMembers(t *testing.T) {
	src := packed{1200, nil, new([]finding.BlobID)}
	if got := unread(t, src); len(got) != 1201 || len(*src.asked) != 1000 || (*src.asked)[999] != "id1000" {
		t.Errorf("%d unread, asked for %d", len(got), len(*src.asked))
	}
}

func unread(t *testing.T, src scanner.Source) []finding.Unread {
	t.Helper()
	s := scanner.Scanner{Detectors: detectors.NewSet(awskeys.Detector{}), Verifier: &oracle{}}
	sink := &scannertest.Sink{}
	if err := s.Scan(t.Context(), src, sink); err != nil {
		t.Fatal(err)
	}
	return sink.Summary.Unread
}

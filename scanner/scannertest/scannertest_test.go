package scannertest

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
)

func TestRepo(t *testing.T) {
	const script = `
commit first
git rm -q b/c.txt
commit 'second one'
-- a.txt --
A
-- b/c.txt --
C
`
	dir := Repo(t, script)
	want := "1600000360 Ada second one\n1600000180 Ada first"
	if got := Git(t, dir, "log", "--format=%ct %an %s"); got != want {
		t.Errorf("log:\n%s\nwant:\n%s", got, want)
	}
	if a, b := Git(t, dir, "rev-parse", "HEAD"), Git(t, Repo(t, script), "rev-parse", "HEAD"); a != b {
		t.Errorf("two runs make two histories: %s %s", a, b)
	}
}

func TestSink(t *testing.T) {
	var s Sink
	f := finding.Finding{Locations: []finding.Location{{Line: 1}}}
	if err := s.Finding(&f); err != nil {
		t.Fatal(err)
	}
	f.Locations[0].Line = 2
	if got := s.Findings[0].Locations[0].Line; got != 1 {
		t.Errorf("the sink keeps what the scanner reuses: line %d", got)
	}
	if err := errors.Join(s.Close(finding.Summary{Findings: 1}), s.Close(finding.Summary{})); err == nil || s.Summary.Findings != 1 {
		t.Errorf("closing twice: %v, %+v", err, s.Summary)
	}
	if err := s.Finding(&f); err == nil {
		t.Error("no error for a finding after close")
	}
}

// words is the least source: each word is a text.
type words []string

func (w words) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	for _, s := range w {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := yield(scanner.Blob{ID: finding.BlobID(s), Kind: finding.KindBlob, Name: s, Data: []byte(s)}); err != nil {
			return err
		}
	}
	return nil
}

func (w words) Locate(ctx context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return err
		}
		if id == unknownID {
			continue
		}
		if err := yield(id, finding.Location{Kind: finding.KindBlob, Path: string(id)}); err != nil {
			return err
		}
	}
	return nil
}

func TestSource(t *testing.T) {
	src := words{"one", "two"}
	Source(t, src)
	if diff := cmp.Diff([]finding.BlobID{"one", "two"}, checkBlobs(t, src)); diff != "" {
		t.Error(diff)
	}
}

package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner"
)

// plainSource yields two texts, one of them in two windows.
type plainSource struct{ scanner.Source }

func (plainSource) Blobs(_ context.Context, yield func(scanner.Blob) error) error {
	for _, w := range []*scanner.Window{nil, {}, {Offset: 10}} {
		if err := yield(scanner.Blob{Data: make([]byte, 10), Window: w}); err != nil {
			return err
		}
	}
	return nil
}

// selectiveSource leaves out three texts more.
type selectiveSource struct{ plainSource }

func (s selectiveSource) BlobsMatching(ctx context.Context, p scanner.Prefilter, yield func(scanner.Blob) error) error {
	p.Passed(3, 300)
	return s.Blobs(ctx, yield)
}

// TestMeter: a SelectiveSource stays a SelectiveSource, and what it leaves out is counted.
func TestMeter(t *testing.T) {
	var screen bytes.Buffer
	if _, ok := Metered(plainSource{}, &screen).(scanner.SelectiveSource); ok {
		t.Error("a Source that cannot leave texts out says that it can")
	}
	selective, ok := Metered(selectiveSource{}, &screen).(scanner.SelectiveSource)
	if !ok {
		t.Fatal("a SelectiveSource became a mere Source")
	}
	passed, yielded := int64(0), 0
	count := scanner.Prefilter{Passed: func(objects, bytes int64) { passed += objects + bytes }}
	for _, p := range []scanner.Prefilter{count, {}} {
		if err := selective.BlobsMatching(t.Context(), p, func(scanner.Blob) error { yielded++; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if passed != 303 || yielded != 6 || !strings.HasSuffix(screen.String(), "\r\x1b[K") {
		t.Errorf("passed %d, yielded %d, left on the terminal: %q", passed, yielded, &screen)
	}
}

func TestCounter(t *testing.T) {
	var c counter
	if err := (plainSource{}).Blobs(t.Context(), c.counted(func(scanner.Blob) error { return nil })); err != nil {
		t.Fatal(err)
	}
	c.add(3, 300)
	if c.objects.Load() != 5 || c.bytes.Load() != 330 {
		t.Errorf("%d objects, %d bytes; want 5, 330", c.objects.Load(), c.bytes.Load())
	}
}

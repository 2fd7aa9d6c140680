package cli

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

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

// selectiveSource leaves out three texts more, and knows that there are 50.
type selectiveSource struct{ plainSource }

func (s selectiveSource) BlobsMatching(ctx context.Context, p scanner.Prefilter, yield func(scanner.Blob) error) error {
	if p.Total != nil {
		p.Total(50, 20)
	}
	p.Passed(3, 300)
	return s.Blobs(ctx, yield)
}

// TestMeter: a SelectiveSource stays a SelectiveSource, and what it leaves out is counted.
func TestMeter(t *testing.T) {
	m := &Meter{Line: lineOn(&bytes.Buffer{}, 80)}
	if _, ok := m.Source(plainSource{}).(scanner.SelectiveSource); ok {
		t.Error("a Source that cannot leave texts out says that it can")
	}
	selective, ok := m.Source(selectiveSource{}).(scanner.SelectiveSource)
	if !ok {
		t.Fatal("a SelectiveSource became a mere Source")
	}
	passed, yielded := int64(0), 0
	count := scanner.Prefilter{Passed: func(objects, bytes int64) { passed += objects + bytes }, Total: func(n, _ int64) { passed += n }}
	for _, p := range []scanner.Prefilter{count, {}} {
		if err := selective.BlobsMatching(t.Context(), p, func(scanner.Blob) error { yielded++; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if passed != 353 || yielded != 6 || m.objects.Load() != 10 || m.bytes.Load() != 660 || m.total.Load() != 100 {
		t.Errorf("passed %d, yielded %d, counted %d of %d", passed, yielded, m.objects.Load(), m.total.Load())
	}
	if src := (&Meter{}).Source(selectiveSource{}); src != (selectiveSource{}) {
		t.Errorf("without a Line the source is %T", src)
	}
}

// TestMeterSays holds the words for each phase: no percentage without a total, no time left
// before some seconds and objects have passed.
func TestMeterSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &Meter{Line: lineOn(&bytes.Buffer{}, 80)}
		says := func(want string) {
			t.Helper()
			if got := m.text(); got != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		}
		says("")
		m.Part("repository 12 of 230: acme/app")
		says("repository 12 of 230: acme/app")
		m.Part("repository 13 of 230: acme/web")
		end := m.beginRead()
		m.add(1, 5_000_000)
		says("repository 13 of 230: acme/web · 1 object, 5 MB read")
		m.add(430_999, 4_700_000_000)
		m.total.Store(1_050_000)
		m.contents.Store(450_000)
		time.Sleep(time.Second)
		says("repository 13 of 230: acme/web · 41 % · 431,000 of 1,050,000 objects")
		time.Sleep(42 * time.Second)
		says("repository 13 of 230: acme/web · 41 % · 431,000 of 1,050,000 objects · 17 s left") // a content takes 0.1 ms, the rest a fourth of it
		m.add(500_000, 0)
		says("repository 13 of 230: acme/web · 88 % · 931,000 of 1,050,000 objects · 2 s left")
		m.add(200_000, 0) // more than was said
		says("repository 13 of 230: acme/web · 1,131,000 objects, 4,705 MB read")
		end()
		says("repository 13 of 230: acme/web · 1,131,000 objects read · looking where the findings are")
		m.Part("repository 14 of 230: acme/x")
		says("repository 14 of 230: acme/x")
		m.beginRead()
		m.add(7, 0)
		says("repository 14 of 230: acme/x · 7 objects, 0 MB read")
		m.Verified(0, 500, 0)
		says("repository 14 of 230: acme/x · asking AWS: 0 of 500 keys (Ctrl-C keeps the report)")
		time.Sleep(10 * time.Second)
		m.Verified(44, 500, 0)
		says("repository 14 of 230: acme/x · asking AWS: 44 of 500 keys · 2 min left (Ctrl-C keeps the report)")
		m.Verified(0, 500, 498)
		says("repository 14 of 230: acme/x · asking AWS: 0 of 500 keys, 498 of them ignored (Ctrl-C keeps the report)")
		m.Verified(500, 500, 0)
		says("")
		m.Last = "asking AWS more"
		says("asking AWS more")
		m.Verified(0, 0, 0) // nobody to be asked
		says("asking AWS more")
	})
}

func TestRough(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"1 s": 0, "12 s": 11900 * time.Millisecond, "89 s": 89 * time.Second, "2 min": 2 * time.Minute, "89 min": 89 * time.Minute, "26 h": 26 * time.Hour,
	} {
		if got := rough(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

// TestAsking: the number of keys is shown as soon as it is known.
func TestAsking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a Asking
		got := []string{a.Text()}
		a.Step(0, 1)
		time.Sleep(3 * time.Second)
		got = append(got, a.Text())
		a.Step(0, 2000)
		got = append(got, a.Text())
		a.Step(1500, 2000)
		got = append(got, a.Text())
		for i, want := range []string{"asking AWS · 1 s", "asking AWS · 3 s", "asking AWS: 0 of 2,000 keys", "asking AWS: 1,500 of 2,000 keys · 1 s left"} {
			if got[i] != want {
				t.Errorf("got %q, want %q", got[i], want)
			}
		}
	})
}

// TestCloneProgress: the messages of git in few words; a server's own messages are left out.
func TestCloneProgress(t *testing.T) {
	for _, tt := range []struct{ git, want string }{
		{"", "cloning"},
		{"Cloning into bare repository 'x'...\n", "cloning"},
		{"remote: Compressing objects:  41% (41/100)\r", "cloning: the server prepares · 41 %"},
		{"Receiving objects:   7% (7/100)\r", "cloning: 7 %"},
		{"Receiving objects:  41% (41/100), 102.00 MiB | 5.00 MiB/s\r", "cloning: 41 % · 102.00 MiB · 5.00 MiB/s"},
		{"Receiving objects: 100% (100/100), 102.00 MiB | 5.00 MiB/s, done.\n", "cloning: 100 % · 102.00 MiB · 5.00 MiB/s"},
		{"Receiving objects: 99% (1/1), 1 MiB | 1 MiB/s\rResolving deltas:  50% (1/2)\rReceiving", "cloning: making the index · 50 %"},
		{"remote: Buy objects: 50% off\r", "cloning"},
		{"remote: Receiving objects: evil% (1)\r", "cloning"},
	} {
		for _, size := range []int{1, 1000} {
			var c CloneProgress
			for text := []byte(tt.git); len(text) > 0; {
				n := min(size, len(text))
				if got, err := c.Write(text[:n]); got != n || err != nil {
					t.Fatalf("Write: %d, %v", got, err)
				}
				text = text[n:]
			}
			if got := c.Text(); got != tt.want {
				t.Errorf("%q, %d bytes at a time: %q, want %q", tt.git, size, got, tt.want)
			}
		}
	}
}

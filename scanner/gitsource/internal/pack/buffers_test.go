package pack

import "testing"

// TestBuffers: a buffer that comes back is used again, even if larger ones came back before.
// No more than maxKept is kept.
func TestBuffers(t *testing.T) {
	var b buffers
	for range 3 {
		b.put(make([]byte, 0, maxKept/2))
	}
	small := b.get(100)
	small[0] = 'x'
	b.put(small)
	if again := b.get(70); &again[0] != &small[0] || len(again) != 70 {
		t.Error("a small buffer that came back after large ones is not used again")
	}
	b.put(make([]byte, 0, 2*maxKept))
	kept := 0
	for class, list := range b.free {
		kept += len(list) << class
	}
	if kept != b.kept || kept > maxKept {
		t.Errorf("%d bytes are kept, counted as %d; the limit is %d", kept, b.kept, maxKept)
	}
}

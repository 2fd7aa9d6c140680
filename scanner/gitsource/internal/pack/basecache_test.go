package pack

import "testing"

// TestBaseCache holds a bounded number of bytes, and no large base.
func TestBaseCache(t *testing.T) {
	t.Parallel()
	var c baseCache
	for offset := range int64(100) {
		c.put(offset, base{Blob, make([]byte, maxBases/10)})
		if b, ok := c.get(offset); !ok || b.typ != Blob || c.size > maxBases {
			t.Fatalf("after %d bases: %t, %s, %d bytes", offset+1, ok, b.typ, c.size)
		}
	}
	if _, ok := c.get(0); ok || len(c.held) > 10 {
		t.Errorf("%d of 100 bases are held", len(c.held))
	}
	c.put(100, base{Blob, make([]byte, maxBase+1)})
	if _, ok := c.get(100); ok {
		t.Error("a large base is held")
	}
}

package pack

import "sync"

// A baseCache holds objects of a pack that others are deltas on. git makes each version of a
// file or folder a delta on the next newer one. Without the cache, a reader of the versions of
// 300 commits, one by one, would put the newest together 300 times. Concurrent calls are
// allowed.
type baseCache struct {
	mu   sync.Mutex
	held map[int64]base // by offset of the entry
	size int
}

// A base is an object, which nobody changes.
type base struct {
	typ  Type
	data []byte
}

const (
	// maxBases is how many bytes of bases are held. Before there are more, all are dropped: most
	// of them were of use long ago.
	maxBases = 8 << 20
	// maxBase is the size of the largest base that is held.
	maxBase = 1 << 20
)

func (c *baseCache) get(offset int64) (b base, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b, ok = c.held[offset]
	return b, ok
}

func (c *baseCache) put(offset int64, b base) {
	if len(b.data) > maxBase {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size += len(b.data); c.held == nil || c.size > maxBases {
		c.held, c.size = map[int64]base{}, len(b.data)
	}
	c.held[offset] = b
}

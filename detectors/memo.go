package detectors

import "hash/maphash"

// A Memo remembers the answers of a detector about places of texts, by the bytes around them.
// A history holds hundreds of versions of a file, and each is decoded to several views: nearly
// all that is said about a place there was said before. It holds nothing of the texts but the
// answers.
//
// The zero value works. A nil Memo remembers nothing. It is for one goroutine at a time.
type Memo struct {
	seed  maphash.Seed
	known map[memoKey]any
	whole int // see Whole
}

// Whole returns the length of the text that is searched, or 0 if it is not known: a view of a
// long text may be short.
func (m *Memo) Whole() int {
	if m == nil {
		return 0
	}
	return m.whole
}

// A Place is a place of a text, and all bytes of the text that tell about it.
type Place struct {
	Kind string // the question; the answers to it are of one type
	// Head is the beginning of the text, Around the bytes around the place. At and Len say
	// where it is; two places with the same bytes and numbers are alike.
	Head, Around []byte
	At, Len      int
}

type memoKey struct {
	kind                  string
	hash                  uint64
	head, around, at, len int
}

// maxRemembered bounds the places that a Memo knows: then it starts afresh.
const maxRemembered = 1 << 13

// Recall returns the answer of workOut about p, which m may know already. The caller must not
// change it.
//
// Places are told apart by a hash of 64 bits with a random seed. With a million questions in
// a scan, one in a billion scans takes a place for another.
func Recall[T any](m *Memo, p Place, workOut func() T) T {
	if m == nil {
		return workOut()
	}
	if m.known == nil {
		m.seed, m.known = maphash.MakeSeed(), map[memoKey]any{}
	}
	key := memoKey{p.Kind, maphash.Bytes(m.seed, p.Around), len(p.Head), len(p.Around), p.At, p.Len}
	if len(p.Head) > 0 {
		key.hash ^= maphash.Bytes(m.seed, p.Head) * 31
	}
	if known, ok := m.known[key]; ok {
		return known.(T)
	}
	if len(m.known) == maxRemembered {
		clear(m.known)
	}
	v := workOut()
	m.known[key] = v
	return v
}

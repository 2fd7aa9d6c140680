package scanner

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"sort"
	"sync"
	"unicode/utf8"

	"github.com/stanch-dev/stanch/detectors"
)

// A hit is a match at one place of one text.
type hit struct {
	match  detectors.Match
	blob   BlobID
	member string // of an archive
	start  int
	place  Location // without provenance
}

// hits collects what the goroutines of a source find.
type hits struct {
	mu     sync.Mutex
	hits   []hit
	blobs  map[BlobID]Provenance // what is known of a blob before it is located
	placed map[BlobID][]Provenance
	failed []Unread
}

// add records the matches of data, which is the content of b or of a member of
// it. Positions are worked out now: data is gone later.
func (h *hits) add(b Blob, member string, data []byte, matches []detectors.Match) {
	if len(matches) == 0 {
		return
	}
	lines := newLines(data)
	slices.SortStableFunc(matches, func(a, b detectors.Match) int { return cmp.Compare(a.Start, b.Start) })
	found := make([]hit, len(matches))
	for i, m := range matches {
		found[i] = hit{m, b.ID, member, m.Start, lines.place(m)}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.blobs == nil {
		h.blobs = map[BlobID]Provenance{}
	}
	h.blobs[b.ID] = Provenance{Kind: b.Kind, Path: b.Name}
	h.hits = append(h.hits, found...)
}

// unread records that what could not be read.
func (h *hits) unread(what string, why error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failed = append(h.failed, Unread{what, why.Error()})
}

// unreadParts returns what was recorded, in a stable order.
func (h *hits) unreadParts() []Unread {
	slices.SortStableFunc(h.failed, func(a, b Unread) int { return cmp.Compare(a.What, b.What) })
	return h.failed
}

// locate asks src for the places of all texts that hold a hit.
func (h *hits) locate(ctx context.Context, src Source) error {
	if len(h.blobs) == 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	ids := make([]BlobID, 0, len(h.blobs))
	for id := range h.blobs {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	h.placed = map[BlobID][]Provenance{}
	return src.Locate(ctx, ids, func(id BlobID, p Provenance) error {
		h.placed[id] = append(h.placed[id], p)
		return nil
	})
}

// places returns where the blob is stored; if the source could not say, what
// was known when it was read.
func (h *hits) places(id BlobID) []Provenance {
	if p := h.placed[id]; len(p) > 0 {
		return p
	}
	return []Provenance{h.blobs[id]}
}

// lines finds lines and columns in a text.
type lines struct {
	data  []byte
	start []int // offsets of line starts
	// The place that was asked for last: a line of a megabyte with many matches
	// is counted once.
	line, at, column int
}

func newLines(data []byte) *lines {
	l := &lines{data: data, start: []int{0}}
	for i := 0; ; {
		k := bytes.IndexByte(data[i:], '\n')
		if k < 0 {
			return l
		}
		i += k + 1
		l.start = append(l.start, i)
	}
}

// of returns the 1-based line of offset at.
func (l *lines) of(at int) int {
	return sort.Search(len(l.start), func(i int) bool { return l.start[i] > at })
}

// place returns where m is. Calls in the order of the matches are cheap.
func (l *lines) place(m detectors.Match) Location {
	if line := l.of(m.Start); line != l.line || m.Start < l.at {
		l.line, l.at, l.column = line, l.start[line-1], 1
	}
	l.column += utf8.RuneCount(l.data[l.at:m.Start])
	l.at = m.Start
	p := Location{Line: l.line, Column: l.column}
	p.EndColumn = p.Column + utf8.RuneCount(l.data[m.Start:m.End])
	if !m.Secret.Empty() {
		p.SecretLine = l.of(m.Secret.Start)
	}
	return p
}

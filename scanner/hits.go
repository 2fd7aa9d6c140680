package scanner

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
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
	lines := &lines{data: data}
	if b.Window != nil {
		lines.line, lines.column = b.Window.Line, b.Window.Column
	}
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

// maxPartners is how many places of secrets that may be anybody's are kept.
const maxPartners = 10_000

// dropPartners forgets secrets that may be anybody's if there is no id that they
// could belong to, so that their texts need not be located. h.hits is sorted: of
// too many, the same are kept in each scan.
func (h *hits) dropPartners() {
	room := 0
	if slices.ContainsFunc(h.hits, func(x hit) bool { return x.match.Needs != 0 }) {
		room = maxPartners
	}
	h.hits = slices.DeleteFunc(h.hits, func(x hit) bool {
		if x.match.Partner {
			room--
		}
		return x.match.Partner && room < 0
	})
	held := map[BlobID]bool{}
	for _, x := range h.hits {
		held[x.blob] = true
	}
	maps.DeleteFunc(h.blobs, func(id BlobID, _ Provenance) bool { return !held[id] })
}

// unread records that what could not be read.
func (h *hits) unread(what string, why error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failed = append(h.failed, Unread{what, why.Error()})
}

// unreadParts returns what was recorded, in a stable order.
func (h *hits) unreadParts() []Unread {
	slices.SortStableFunc(h.failed, func(a, b Unread) int { return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.Why, b.Why)) })
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

// lines finds lines and columns in a text. It goes through the text once, and
// keeps no list of its lines: a file of newlines has as many as bytes.
type lines struct {
	data             []byte
	at, line, column int // the place that was asked for last; line counts from 0
}

// place returns where m is. Calls are in the order of the matches.
func (l *lines) place(m detectors.Match) Location {
	between := l.data[l.at:m.Start]
	if n := bytes.Count(between, []byte{'\n'}); n > 0 {
		l.line += n
		l.column = 0
		between = between[bytes.LastIndexByte(between, '\n')+1:]
	}
	l.column += utf8.RuneCount(between)
	l.at = m.Start
	p := Location{Line: l.line + 1, Column: l.column + 1}
	p.EndColumn = p.Column + utf8.RuneCount(l.data[m.Start:m.End])
	if !m.Secret.Empty() {
		p.SecretLine = l.lineOf(m.Secret.Start)
	}
	return p
}

// lineOf returns the 1-based line of offset at, counting from the last place: a
// secret is close to its id.
func (l *lines) lineOf(at int) int {
	if at < l.at {
		return l.line + 1 - bytes.Count(l.data[at:l.at], []byte{'\n'})
	}
	return l.line + 1 + bytes.Count(l.data[l.at:at], []byte{'\n'})
}

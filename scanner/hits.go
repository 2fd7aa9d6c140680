package scanner

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// A hit is a match at one place of one text.
type hit struct {
	match    detectors.Match
	blob     finding.BlobID
	member   string // of an archive
	start    int
	location finding.Location // without provenance
}

// hits collects the matches that the goroutines of a source find.
type hits struct {
	mu      sync.Mutex
	hits    []*hit
	blobs   map[finding.BlobID]finding.Location // as the blob was named when it was read
	located map[finding.BlobID][]finding.Location
	failed  []unread
}

// An unread is a part that could not be read. If it is a member of an archive, What names
// the member; the path of the blob is added once it is known.
type unread struct {
	finding.Unread
	blob finding.BlobID
	name string // of the blob, before it is located
}

// add records the matches of data, which is the content of b or of a member of it. It works
// positions out now, since data is gone later.
func (h *hits) add(b Blob, member string, data []byte, matches []detectors.Match) {
	matches = b.Window.ownMatches(matches, len(data))
	if member == "" { // in an archive that has changed, all is new
		matches = b.newMatches(matches)
	}
	if len(matches) == 0 {
		return
	}
	lines, offset := &lines{data: data}, 0
	if b.Window != nil {
		lines.line, lines.column, offset = b.Window.Line, b.Window.Column, int(b.Window.Offset)
	}
	slices.SortStableFunc(matches, func(a, b detectors.Match) int { return cmp.Compare(a.Start, b.Start) })
	found, comments := make([]*hit, len(matches)), switchesIn(data)
	for i, m := range matches {
		found[i] = &hit{m, b.ID, member, offset + m.Start, lines.location(m)}
		found[i].location.Around = around(data, &m, comments)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.blobs == nil {
		h.blobs = map[finding.BlobID]finding.Location{}
	}
	h.blobs[b.ID] = finding.Location{Kind: b.Kind, Path: b.Name}
	h.hits = append(h.hits, found...)
}

// newMatches returns the matches that have a new part.
func (b Blob) newMatches(matches []detectors.Match) []detectors.Match {
	if b.New == nil {
		return matches
	}
	isNew := func(s detectors.Span) bool { return !s.Empty() && b.New(s.Start, s.End) }
	return slices.DeleteFunc(matches, func(m detectors.Match) bool { return !isNew(m.Span) && !isNew(m.Secret) && !isNew(m.Token) })
}

// maxPartners is how many places of secrets that may be anybody's are kept.
const maxPartners = 10_000

// dropPartners forgets secrets that may be anybody's if there is no id that they could
// belong to, so that their texts need not be located. h.hits is sorted, so that each scan
// keeps the same ones if there are too many.
func (h *hits) dropPartners() {
	room, fileRoom := 0, maxPartners
	if slices.ContainsFunc(h.hits, func(x *hit) bool { return x.match.Needs != 0 }) {
		room = maxPartners
	}
	h.hits = slices.DeleteFunc(h.hits, func(x *hit) bool {
		switch {
		case !x.match.NeedsID:
			return false
		case x.match.NameAt != nil: // the name of its file may say more
			fileRoom--
			return fileRoom < 0
		}
		room--
		return room < 0
	})
	held := map[finding.BlobID]bool{}
	for _, x := range h.hits {
		held[x.blob] = true
	}
	maps.DeleteFunc(h.blobs, func(id finding.BlobID, _ finding.Location) bool { return !held[id] })
}

// unread records that something could not be read.
func (h *hits) unread(what string, why error) {
	h.fail(unread{Unread: finding.Unread{What: what, Why: finding.Why(why)}})
}

// unreadMember records that a member of b could not be read, "" for all of it.
func (h *hits) unreadMember(b Blob, member string, why error) {
	h.fail(unread{finding.Unread{What: member, Why: finding.Why(why), Blob: b.ID}, b.ID, b.Name})
}

func (h *hits) fail(u unread) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failed = append(h.failed, u)
}

// unreadParts returns the recorded parts in a stable order.
func (h *hits) unreadParts() []finding.Unread {
	var parts []finding.Unread
	for _, u := range h.failed {
		if u.blob != "" {
			u.What = strings.TrimSuffix(h.pathOf(u)+"!"+u.What, "!")
		}
		parts = append(parts, u.Unread)
	}
	slices.SortFunc(parts, func(a, b finding.Unread) int { return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.Why, b.Why)) })
	return parts
}

// pathOf returns the path of the blob that u is in: the first path that a finding there
// would name or, if it was not located, the name under which it was read.
func (h *hits) pathOf(u unread) string {
	places := slices.DeleteFunc(slices.Clone(h.located[u.blob]), func(p finding.Location) bool { return p.Path == "" })
	if len(places) == 0 {
		return u.name
	}
	return slices.MinFunc(places, func(a, b finding.Location) int {
		return compareLocations(a, b)
	}).Path
}

// maxUnreadBlobs is how many blobs with unread members are located, to call them by their
// paths: a name is not worth a walk through everything that is damaged.
const maxUnreadBlobs = 1000

// toLocate returns the texts that hold a hit, and some of those with unread members.
func (h *hits) toLocate() []finding.BlobID {
	damaged := map[finding.BlobID]bool{}
	for _, u := range h.failed {
		if u.blob != "" {
			damaged[u.blob] = true
		}
	}
	ids := slices.Sorted(maps.Keys(damaged))
	ids = slices.AppendSeq(ids[:min(len(ids), maxUnreadBlobs)], maps.Keys(h.blobs))
	slices.Sort(ids)
	return slices.Compact(ids)
}

// locate asks src for the places of all texts that hold a hit.
func (h *hits) locate(ctx context.Context, src Source) error {
	ids := h.toLocate()
	if len(ids) == 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	h.located = map[finding.BlobID][]finding.Location{}
	return src.Locate(ctx, ids, func(id finding.BlobID, p finding.Location) error {
		h.located[id] = append(h.located[id], p)
		return nil
	})
}

// locations returns where the blob is stored. If the source could not say, it returns the
// name under which the blob was read.
func (h *hits) locations(id finding.BlobID) []finding.Location {
	if p := h.located[id]; len(p) > 0 {
		return p
	}
	return []finding.Location{h.blobs[id]}
}

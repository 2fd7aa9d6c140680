package gitsource

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	"golang.org/x/sync/errgroup"

	"github.com/stanch-dev/stanch/scanner"
)

// An item is an object to read.
type item struct {
	id   plumbing.Hash
	name string // where it was seen first: a path or a ref
	pack int
	off  int64
}

// A sighting is an object in one role. Roles are kept apart so that nobody can
// hide a file: an object that some tree calls a directory, which it is not, is
// still read where another calls it a file.
type sighting struct {
	id plumbing.Hash
	as role
}

type role uint8

const (
	asHistory role = iota // a ref, commit or tag leads to it
	asTree
	asBlob
)

// minGraphLimit is what a commit, tag or tree may have whatever the limit: one
// that is not read hides all that it leads to.
const minGraphLimit = 32 << 20

// maxPath is from how many bytes on the beginning of a path is cut off: trees
// that are nested a million times would have paths of a terabyte in all.
const maxPath = 4096

// A walk reads what roots reach. An object that one call has read is not read
// by the next.
type walk struct {
	store   *store
	limit   int64 // of a text, in bytes; 0 for none
	shallow map[plumbing.Hash]bool
	// report is told what cannot be read; concurrently.
	report func(scanner.Blob) error
	free   chan *reader

	mu      sync.Mutex // guards the rest
	seen    map[sighting]struct{}
	missing int // in a partial clone
}

func newWalk(s *store, shallow map[plumbing.Hash]bool, limit int64, report func(scanner.Blob) error) *walk {
	n := runtime.GOMAXPROCS(0)
	w := &walk{store: s, shallow: shallow, limit: limit, report: report, free: make(chan *reader, n), seen: map[sighting]struct{}{}}
	for range n {
		w.free <- newReader(s)
	}
	return w
}

func (w *walk) close() { w.store.close() }

// graphLimit is the limit of commits, tags and trees.
func (w *walk) graphLimit() int64 {
	if w.limit == 0 {
		return 0
	}
	return max(w.limit, minGraphLimit)
}

// cut cuts a path down to maxPath.
func cut(path string) string {
	if len(path) > maxPath {
		path = "…" + path[len(path)-maxPath:]
	}
	return path
}

// first reports whether id was not seen in the role before. Callers of
// concurrent code hold mu.
func (w *walk) first(id plumbing.Hash, as role) bool {
	n := len(w.seen)
	w.seen[sighting{id, as}] = struct{}{}
	return len(w.seen) > n
}

// readAll yields all that roots reach, blobs with the kind.
func (w *walk) readAll(ctx context.Context, roots []root, kind scanner.Kind, yield func(scanner.Blob) error) error {
	text := func(b scanner.Blob) error {
		if w.limit > 0 && int64(len(b.Data)) > w.limit {
			b.Data, b.Err = nil, fmt.Errorf("%s (%s): %w", b.ID, b.Name, sizeError(w.limit))
		}
		return yield(b)
	}
	h, err := w.history(ctx, roots, text)
	if err != nil {
		return err
	}
	blobs, err := w.trees(ctx, h.trees, func(it item, entries []entry) error {
		return text(scanner.Blob{ID: idOf(it.id), Kind: scanner.KindPath, Name: dirName(it.name), Data: joinNames(entries)})
	})
	if err != nil {
		return err
	}
	return w.each(ctx, append(blobs, h.blobs...), w.limit, func(_ *reader, it item, typ plumbing.ObjectType, data []byte) error {
		if typ != plumbing.BlobObject {
			return w.unreadable(it, kind, fmt.Errorf("object is a %s, not a blob", typ))
		}
		return yield(scanner.Blob{ID: idOf(it.id), Kind: kind, Name: it.name, Data: data})
	})
}

func joinNames(entries []entry) []byte {
	var b bytes.Buffer
	for i, e := range entries {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.Write(e.name)
	}
	return b.Bytes()
}

// A history is what refs and commits lead to.
type history struct {
	commits []commit
	trees   []item // root trees, and those that tags point to
	blobs   []item // that tags point to
}

// history reads commits and tags, depth first, in this goroutine: they lie
// together in a pack and are rarely deltas. Each is yielded.
func (w *walk) history(ctx context.Context, roots []root, yield func(scanner.Blob) error) (*history, error) {
	h := &history{}
	r := <-w.free
	defer func() { w.free <- r }()
	for _, ref := range roots {
		stack := []item{{id: ref.id, name: ref.name}}
		for len(stack) > 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			it := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if !w.first(it.id, asHistory) {
				continue
			}
			next, err := w.step(h, r, it, yield)
			if err != nil {
				return nil, err
			}
			stack = append(stack, next...)
		}
	}
	return h, nil
}

// step reads one object, adds it to h, and returns what history is to read next.
func (w *walk) step(h *history, r *reader, it item, yield func(scanner.Blob) error) ([]item, error) {
	typ, data, err := r.read(it.id, w.graphLimit())
	if isTooLarge(err) {
		return nil, w.unreadable(it, scanner.KindBlob, err) // most likely
	}
	if err != nil {
		return nil, w.unreadable(it, scanner.KindCommit, err)
	}
	switch typ {
	case plumbing.TreeObject:
		if w.first(it.id, asTree) {
			it.name += ":"
			h.trees = append(h.trees, it)
		}
		return nil, nil
	case plumbing.BlobObject:
		if w.first(it.id, asBlob) {
			h.blobs = append(h.blobs, it)
		}
		return nil, nil
	case plumbing.TagObject:
		if err := yield(scanner.Blob{ID: idOf(it.id), Kind: scanner.KindTag, Name: it.name, Data: data}); err != nil {
			return nil, err
		}
		target, err := parseTag(data)
		if err != nil {
			return nil, w.unreadable(it, scanner.KindTag, err)
		}
		return []item{{id: target, name: it.name}}, nil
	}
	if err := yield(scanner.Blob{ID: idOf(it.id), Kind: scanner.KindCommit, Name: it.id.String(), Data: data}); err != nil {
		return nil, err
	}
	return w.stepCommit(h, it, data)
}

func (w *walk) stepCommit(h *history, it item, data []byte) ([]item, error) {
	c, err := parseCommit(it.id, data)
	if err != nil {
		return nil, w.unreadable(it, scanner.KindCommit, err)
	}
	if w.shallow[c.id] {
		c.parents = nil // named by the commit, and known not to be here
	}
	h.commits = append(h.commits, c)
	if w.first(c.tree, asTree) {
		h.trees = append(h.trees, item{id: c.tree})
	}
	next := make([]item, len(c.parents))
	for i, p := range c.parents {
		next[i] = item{id: p, name: c.id.String() + "^"}
	}
	return next, nil
}

// trees reads the trees of a level and those below, level by level, and returns
// the blobs met first. visit is called concurrently; entries are valid until it
// returns.
func (w *walk) trees(ctx context.Context, level []item, visit func(item, []entry) error) (blobs []item, err error) {
	for len(level) > 0 {
		var next []item
		err := w.each(ctx, level, w.graphLimit(), func(r *reader, it item, typ plumbing.ObjectType, data []byte) error {
			entries, err := r.parse(typ, data)
			if err != nil {
				if err := w.unreadable(it, scanner.KindPath, err); err != nil {
					return err
				}
			}
			w.mu.Lock()
			for _, e := range entries {
				if e.tree && w.first(e.id, asTree) {
					next = append(next, item{id: e.id, name: cut(it.name + string(e.name) + "/")})
				} else if !e.tree && w.first(e.id, asBlob) {
					blobs = append(blobs, item{id: e.id, name: cut(it.name + string(e.name))})
				}
			}
			w.mu.Unlock()
			return visit(it, entries)
		})
		if err != nil {
			return nil, err
		}
		level = next
	}
	return blobs, nil
}

// parse parses a tree into the reader's own entries.
func (r *reader) parse(typ plumbing.ObjectType, data []byte) (_ []entry, err error) {
	if typ != plumbing.TreeObject {
		return nil, fmt.Errorf("object is a %s, not a tree", typ)
	}
	r.entries, err = parseTree(r.entries[:0], data)
	return r.entries, err
}

// chunk is how many objects a reader gets at once: enough that most find their
// delta bases in its cache, few enough that all readers end together.
const chunk = 1024

// each reads items in the order in which they are stored, with all readers at
// once, and calls fn concurrently. It sorts items. data is valid until fn returns.
func (w *walk) each(ctx context.Context, items []item, limit int64,
	fn func(r *reader, it item, typ plumbing.ObjectType, data []byte) error) error {
	for i := range items {
		items[i].pack, items[i].off = w.store.find(items[i].id)
	}
	slices.SortFunc(items, func(a, b item) int {
		return cmp.Or(cmp.Compare(a.pack, b.pack), cmp.Compare(a.off, b.off), bytes.Compare(a.id[:], b.id[:]))
	})
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(cap(w.free))
	for part := range slices.Chunk(items, chunk) {
		g.Go(func() error {
			r := <-w.free
			defer func() { w.free <- r }()
			return w.part(ctx, r, part, limit, fn)
		})
	}
	return g.Wait()
}

func (w *walk) part(ctx context.Context, r *reader, items []item, limit int64,
	fn func(r *reader, it item, typ plumbing.ObjectType, data []byte) error) error {
	for _, it := range items {
		if err := ctx.Err(); err != nil {
			return err
		}
		typ, data, err := r.read(it.id, limit)
		if err != nil {
			err = w.unreadable(it, scanner.KindBlob, err)
		} else {
			err = fn(r, it, typ, data)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unreadable reports an object that cannot be read, or counts it if it was left
// out of a partial clone.
func (w *walk) unreadable(it item, kind scanner.Kind, err error) error {
	if errors.Is(err, errMissing) && w.store.partial {
		w.mu.Lock()
		w.missing++
		w.mu.Unlock()
		return nil
	}
	name := it.name
	if name == "" {
		name = it.id.String()
	}
	return w.report(scanner.Blob{ID: idOf(it.id), Kind: kind, Name: name, Err: fmt.Errorf("%s (%s): %w", it.id, name, err)})
}

// reportMissing reports, in one blob, what a partial clone left out.
func (w *walk) reportMissing() error {
	if w.missing == 0 {
		return nil
	}
	return w.report(scanner.Blob{
		ID: "partial clone", Kind: scanner.KindBlob, Name: "partial clone",
		Err: fmt.Errorf("%d objects are not in this partial clone and are never fetched; clone again without --filter", w.missing),
	})
}

// shallowBlob says that history is missing by intent: one blob, or none.
func (w *walk) shallowBlob() []scanner.Blob {
	if len(w.shallow) == 0 {
		return nil
	}
	return []scanner.Blob{{
		ID: "shallow clone", Kind: scanner.KindCommit, Name: "shallow clone",
		Err: fmt.Errorf("history is cut off at %d shallow commits; run git fetch --unshallow", len(w.shallow)),
	}}
}

func idOf(id plumbing.Hash) scanner.BlobID { return scanner.BlobID(id.String()) }

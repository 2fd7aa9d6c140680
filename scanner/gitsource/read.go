package gitsource

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// A reading is one pass over all objects of a store. It yields their texts and
// makes the graph on the way.
type reading struct {
	store   *store
	graph   *graph
	limit   int64 // of an object that is held in memory
	noBlobs bool  // the graph is all that is wanted
	skip    func(pack *pack.Pack) bool
	seen    func(loose) bool
	pre     scanner.Prefilter
	yield   func(scanner.Blob) error
	report  func(scanner.Blob) error // what cannot be read

	lost map[int]bool // packs that could not be read to the end
	late []int32      // trees of which a second copy is to be read

	mu     sync.Mutex
	held   bitset          // what was yielded
	bad    map[int32]error // objects that cannot be read; nil if another copy can
	badIDs []int32         // in the order of their discovery
}

func newReading(s *store, limit int64, p scanner.Prefilter, yield func(scanner.Blob) error) *reading {
	return &reading{
		store: s, graph: newGraph(s), limit: limit, pre: p, yield: yield, report: yield,
		bad: map[int32]error{}, lost: map[int]bool{}, held: newBitset(s.len()),
	}
}

// all reads blobs first, since trees are recorded with the blobs that matter, and
// trees last. Each object is read once.
func (r *reading) all(ctx context.Context) error {
	if !r.nothingNew() {
		for i, p := range r.store.packs {
			err := pack.Guard(func() error { p.Index().Prepare(); return nil })
			if err = r.lose(i, err); err != nil {
				return err
			}
		}
	}
	var trees []int32 // loose ones
	var err error
	if !r.noBlobs {
		err = r.walk(ctx, []pack.Type{pack.Blob}, r.limit, func(v *visitor) pack.Visitor { return &blobVisitor{visitor: v} })
	}
	if err == nil {
		trees, err = r.loose(ctx)
	}
	if err == nil {
		err = r.walk(ctx, []pack.Type{pack.Commit, pack.Tag}, r.graphLimit(), func(v *visitor) pack.Visitor {
			return &historyVisitor{visitor: v}
		})
	}
	for _, node := range r.badIDs { // to be called by their path
		r.graph.mark(node)
	}
	if err == nil {
		err = r.walk(ctx, []pack.Type{pack.Tree}, r.graphLimit(), func(v *visitor) pack.Visitor { return v.trees() })
	}
	if err == nil {
		err = r.otherTrees(ctx, append(trees, r.late...))
	}
	return err
}

// nothingNew reports whether all packs were read before. What is loose then is so
// little that a fast index costs more than it saves.
func (r *reading) nothingNew() bool {
	return !slices.ContainsFunc(r.store.packs, func(p *pack.Pack) bool { return !r.skip(p) })
}

// links reads what makes the graph, and no blobs.
func (r *reading) links(ctx context.Context) error {
	r.noBlobs = true
	return r.all(ctx)
}

// lose reports a pack that cannot be read any further, and passes on other errors.
func (r *reading) lose(i int, err error) error {
	if !errors.Is(err, pack.ErrDamaged) {
		return err
	}
	r.lost[i] = true
	name := r.store.packs[i].Name
	return r.report(scanner.Blob{ID: scanner.BlobID(name), Kind: scanner.KindBlob, Name: name, Err: fmt.Errorf("reading pack %s: %w", name, err)})
}

// unreadLinks returns an error that counts what links could not read: objects, and
// packs, of which lost says why.
func (r *reading) unreadLinks(lost []error) error {
	if len(lost) > 0 {
		return fmt.Errorf("%d packs and %d objects on the way could not be read, the first: %w", len(lost), len(r.badIDs), lost[0])
	}
	if len(r.badIDs) > 0 {
		first := r.badIDs[0]
		return fmt.Errorf("%d objects on the way could not be read, the first: %s: %w", len(r.badIDs), r.store.id(first), r.bad[first])
	}
	return nil
}

// graphLimit is the limit of commits, tags and trees.
func (r *reading) graphLimit() int64 { return max(r.limit, minGraphLimit) }

func (r *reading) walk(ctx context.Context, types []pack.Type, limit int64, of func(*visitor) pack.Visitor) error {
	for i, p := range r.store.packs {
		if r.skip(p) || r.lost[i] {
			continue
		}
		var visitors []*visitor
		err := p.Walk(ctx, pack.Walk{
			Types: types, Limit: limit, Stream: scanner.LargeText,
			Base: func(id pack.ID) (pack.Type, []byte, error) { return r.store.readBut(id, limit, p, 1) },
			Visitor: func() pack.Visitor {
				v := &visitor{reading: r, pack: i}
				visitors = append(visitors, v)
				return of(v)
			},
		})
		for _, v := range visitors {
			v.tell()
		}
		if err := r.lose(i, err); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// A visitor is what the visitors of all types have in common. It is used by one
// goroutine.
type visitor struct {
	*reading
	pack  int // the packs, then the loose objects
	fresh []byte
	head  []byte

	passed, passedBytes int64 // not yet told to pre.Passed
}

func (v *visitor) trees() *treeVisitor {
	return &treeVisitor{visitor: v, rec: v.graph.recorder(), own: &listing{}}
}

// number returns the number in the store of an object of the pack.
func (v *visitor) number(i int) int32 { return int32(v.store.first[v.pack] + i) }

// canonical reports whether an object is read here, and not from a pack before.
func (v *visitor) canonical(node int32) bool {
	if v.pack == 0 {
		return true
	}
	n := v.store.find([]byte(v.store.id(node)))
	return n == node || n == none // of an index that is out of order
}

// Bad implements pack.Visitor. Another copy will do.
func (v *visitor) Bad(i int, err error) error {
	node := v.number(i)
	if !v.canonical(node) {
		return nil
	}
	return v.other(node, err)
}

// Done implements pack.Visitor.
func (v *visitor) Done(any) {}

// other reads another copy of an object of which the first cannot be read.
func (v *visitor) other(node int32, why error) error {
	if !v.first(node) {
		return nil // what is no object at all is met with each type
	}
	var tooLarge *pack.TooLargeError
	if errors.As(why, &tooLarge) {
		return v.unread(node, why)
	}
	typ, data, err := v.store.readBut(v.store.id(node), v.graphLimit(), v.store.packs[v.pack], 1)
	if err != nil {
		if !errors.Is(err, errMissing) {
			why = errors.Join(why, err)
		}
		return v.unread(node, why)
	}
	if typ == pack.Tree { // with the others, when it is known which blobs matter
		v.mu.Lock()
		defer v.mu.Unlock()
		v.late = append(v.late, node)
		return nil
	}
	return v.object(node, typ, data)
}

// first reports whether node was not found bad before.
func (v *visitor) first(node int32) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, known := v.bad[node]
	if !known {
		v.bad[node] = nil
	}
	return !known
}

// object takes a whole object of any type.
func (v *visitor) object(node int32, typ pack.Type, data []byte) error {
	switch typ {
	case pack.Blob:
		if v.noBlobs {
			return nil
		}
		return (&blobVisitor{visitor: v}).take(node, data, v.judge(data))
	case pack.Tree:
		return v.trees().tree(node, data, &listing{}, nil, true)
	}
	return (&historyVisitor{visitor: v}).whole(node, typ, data)
}

// unread notes that an object could not be read. It is reported when there is a
// path to call it by.
func (v *visitor) unread(node int32, err error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.bad[node] == nil {
		v.bad[node] = err
		v.badIDs = append(v.badIDs, node)
	}
	return nil
}

// text yields the text of an object.
func (v *visitor) text(node int32, kind scanner.Kind, data []byte) error {
	id := v.store.id(node).String()
	v.mu.Lock()
	v.held.set(node)
	v.mu.Unlock()
	return v.yield(scanner.Blob{ID: scanner.BlobID(id), Kind: kind, Name: id, Data: data})
}

// pass counts a text that is not yielded.
func (v *visitor) pass(size int64) {
	v.passed++
	v.passedBytes += size
	if v.passed >= 1024 { // often enough for a meter
		v.tell()
	}
}

// tell tells the prefilter of what was passed.
func (v *visitor) tell() {
	if v.pre.Passed != nil {
		v.pre.Passed(v.passed, v.passedBytes)
	}
	v.passed, v.passedBytes = 0, 0
}

// complete returns the names of the packs, and the ids of the loose objects, that could be
// read whole.
func (r *reading) complete() (packs, looseIDs []string) {
	packs, looseIDs = []string{}, []string{}
	damaged := maps.Clone(r.lost)
	for _, n := range r.badIDs {
		damaged[r.store.packOf(n)] = true
	}
	for _, n := range r.store.notes {
		for i, p := range r.store.packs {
			if strings.HasSuffix(n.path, p.Name+".pack") {
				damaged[i] = true
			}
		}
	}
	for i, p := range r.store.packs {
		// A pack without an index is one that git has not finished.
		if !damaged[i] && strings.HasPrefix(p.Name, "pack-") {
			packs = append(packs, p.Name)
		}
	}
	for _, l := range r.store.loose {
		if r.bad[r.store.find([]byte(l.id))] == nil {
			looseIDs = append(looseIDs, l.id.String())
		}
	}
	slices.Sort(packs)
	return packs, slices.Compact(looseIDs) // an alternate may have it too
}

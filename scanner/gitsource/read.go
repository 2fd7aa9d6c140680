package gitsource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

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

	shallow map[pack.ID]bool

	mu     sync.Mutex
	held   bitset          // what was yielded
	bad    map[int32]error // objects that cannot be read; nil if another copy can
	badIDs []int32         // in the order of their discovery
}

// minGraphLimit is what a commit, tag or tree may have whatever the limit: one
// that is not read hides all that it leads to.
const minGraphLimit = 32 << 20

// all reads blobs first, since trees are recorded with the blobs that matter, and
// trees last. Each object is read once.
func (r *reading) all(ctx context.Context) error {
	if !r.nothingNew() {
		for _, p := range r.store.packs {
			p.Index().Prepare()
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
		err = r.looseTrees(ctx, trees)
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

// unreadLinks returns an error that counts what links could not read.
func (r *reading) unreadLinks() error {
	for _, n := range r.badIDs {
		if err := r.bad[n]; err != nil {
			return fmt.Errorf("%d objects on the way could not be read, the first: %s: %w", len(r.badIDs), r.store.id(n), err)
		}
	}
	return nil
}

// graphLimit is the limit of commits, tags and trees.
func (r *reading) graphLimit() int64 { return max(r.limit, minGraphLimit) }

func (r *reading) walk(ctx context.Context, types []pack.Type, limit int64, of func(*visitor) pack.Visitor) error {
	for i, p := range r.store.packs {
		if r.skip(p) {
			continue
		}
		var visitors []*visitor
		err := p.Walk(ctx, pack.Walk{
			Types: types, Limit: limit, Stream: scanner.LargeText,
			Base: func(id pack.ID) (pack.Type, []byte, error) { return r.store.readBut(id, limit, i, 1) },
			Visitor: func() pack.Visitor {
				v := &visitor{reading: r, pack: i}
				visitors = append(visitors, v)
				return of(v)
			},
		})
		for _, v := range visitors {
			v.tell()
		}
		if errors.Is(err, pack.ErrDamaged) {
			err = r.yield(scanner.Blob{ID: scanner.BlobID(p.Name), Kind: scanner.KindBlob, Name: p.Name, Err: err})
		}
		if err != nil {
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
	typ, data, err := v.store.readBut(v.store.id(node), v.graphLimit(), v.pack, 1)
	if err != nil {
		if !errors.Is(err, errMissing) {
			why = errors.Join(why, err)
		}
		return v.unread(node, why)
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

// holds reports whether text may hold a match. Without a prefilter all may.
func (v *visitor) holds(text []byte) bool { return v.judge(text) == holds }

// judge is what the prefilter says of a whole text.
func (v *visitor) judge(text []byte) verdict {
	switch {
	case v.noBlobs:
		return empty
	case v.pre.Holds == nil:
		return holds
	case !v.pre.Hints(text):
		return empty
	case !v.pre.Holds(text):
		return hints
	}
	return holds
}

// A verdict is what is known of a text: that it holds no match and hints at none,
// that it holds none, or that it may hold one.
type verdict uint8

const (
	empty verdict = iota
	hints
	holds
)

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

// A blobVisitor reads blobs. The note of a blob is the verdict: what it holds or
// hints at, those made from it may hold too.
type blobVisitor struct{ *visitor }

// Visit implements pack.Visitor.
func (v *blobVisitor) Visit(n *pack.Node) error {
	node := v.number(n.Number())
	base := n.Base()
	if base == nil || v.pre.Holds == nil {
		return v.full(n, node)
	}
	// What is new must make the difference, together with what it stands beside.
	known, _ := base.Note.(verdict)
	more := false
	switch known {
	case empty:
		v.fresh = n.AppendFresh(v.fresh[:0], v.pre.HintSpan)
		more = v.pre.Hints(v.fresh)
	case hints:
		v.fresh = n.AppendFresh(v.fresh[:0], v.pre.HoldSpan)
		more = v.pre.Holds(v.fresh)
	case holds:
		more = true
	}
	if more {
		return v.full(n, node)
	}
	v.head = n.AppendHead(v.head[:0], v.pre.HeadSize)
	if v.pre.Whole(v.head) {
		return v.full(n, node)
	}
	n.Note = known
	if v.canonical(node) {
		v.pass(n.Size)
	}
	return nil
}

// full looks at all of a blob.
func (v *blobVisitor) full(n *pack.Node, node int32) error {
	data, err := n.Data()
	if err != nil {
		r, openErr := n.Open()
		if openErr != nil {
			return v.Bad(n.Number(), err)
		}
		v.head = n.AppendHead(v.head[:0], v.pre.HeadSize)
		if n.Size > v.limit || !v.pre.Whole(v.head) {
			return v.windows(n, node, r)
		}
		if data, err = io.ReadAll(io.LimitReader(r, n.Size)); err != nil {
			return v.Bad(n.Number(), err)
		}
	}
	known := v.judge(data)
	n.Note = known
	if !v.canonical(node) {
		return nil
	}
	return v.take(node, data, known)
}

// take yields a blob that may hold a match or must be seen whole.
func (v *blobVisitor) take(node int32, data []byte, known verdict) error {
	if known == holds || v.pre.Whole(data[:min(len(data), v.pre.HeadSize)]) {
		v.graph.mark(node)
		return v.text(node, scanner.KindBlob, data)
	}
	v.pass(int64(len(data)))
	return nil
}

// windows yields a blob that is too large to be held.
func (v *blobVisitor) windows(n *pack.Node, node int32, r io.Reader) error {
	if !v.canonical(node) {
		return nil
	}
	return v.stream(node, io.LimitReader(r, n.Size), n.Size)
}

// stream yields in windows what r reads, which should be size bytes.
func (v *visitor) stream(node int32, r io.Reader, size int64) error {
	v.graph.mark(node)
	v.mu.Lock()
	v.held.set(node)
	v.mu.Unlock()
	id := v.store.id(node).String()
	b := scanner.Blob{ID: scanner.BlobID(id), Kind: scanner.KindBlob, Name: id}
	var stop error
	var end int64
	err := scanner.Windows(r, b, func(b scanner.Blob) error {
		end = b.Window.Offset + int64(len(b.Data))
		stop = v.yield(b)
		return stop
	})
	if err == nil && end != size {
		err = fmt.Errorf("%w: it has %d bytes, not %d as it says", pack.ErrDamaged, end, size)
	}
	if err != nil && stop == nil {
		return v.unread(node, err)
	}
	return err
}

// A historyVisitor reads commits and tags.
type historyVisitor struct {
	*visitor
	links links
}

// Visit implements pack.Visitor.
func (v *historyVisitor) Visit(n *pack.Node) error {
	data, err := n.Data()
	if err != nil {
		return v.Bad(n.Number(), err)
	}
	node := v.number(n.Number())
	if !v.canonical(node) {
		return nil
	}
	return v.whole(node, n.Type, data)
}

func (v *historyVisitor) whole(node int32, typ pack.Type, data []byte) error {
	kind, link := scanner.KindCommit, v.commit
	if typ == pack.Tag {
		kind, link = scanner.KindTag, v.tag
	}
	if err := link(node, data); err != nil {
		if err := v.unread(node, err); err != nil {
			return err
		}
	}
	if !v.holds(data) {
		v.pass(int64(len(data)))
		return nil
	}
	v.graph.mark(node)
	return v.text(node, kind, data)
}

func (v *historyVisitor) commit(node int32, data []byte) error {
	var err error
	if v.links, err = parseCommit(links{parents: v.links.parents[:0]}, data); err != nil {
		return err
	}
	c := commit{node: node, tree: v.lookup(v.links.tree), when: v.links.when}
	if n := len(v.links.parents); n > 0 {
		c.parents = make([]int32, n)
		for i, p := range v.links.parents {
			c.parents[i] = v.lookup(p)
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.graph.commits = append(v.graph.commits, c)
	return nil
}

func (v *historyVisitor) tag(node int32, data []byte) error {
	target, err := parseTag(data)
	if err != nil {
		return err
	}
	t := tag{node, v.lookup(target)}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.graph.tags = append(v.graph.tags, t)
	return nil
}

func (v *historyVisitor) lookup(id pack.ID) int32 {
	if n := v.store.find([]byte(id)); n != none {
		return n
	}
	return v.graph.lose(id)
}

// loose reads the loose objects but for the trees, which it returns.
func (r *reading) loose(ctx context.Context) (trees []int32, err error) {
	var nodes []int32
	for i, l := range r.store.loose {
		node := int32(r.store.packed() + i)
		if !r.seen(l) && r.store.find([]byte(l.id)) == node {
			nodes = append(nodes, node)
		}
	}
	var mu sync.Mutex
	err = r.each(ctx, nodes, func(v *visitor, files *pack.Loose, node int32) error {
		l := v.store.loose[int(node)-v.store.packed()]
		typ, err := v.looseObject(files, l, node)
		if typ == pack.Tree {
			mu.Lock()
			trees = append(trees, node)
			mu.Unlock()
		}
		return err
	})
	return trees, err
}

// looseObject reads a loose object; of a tree only the header.
func (v *visitor) looseObject(files *pack.Loose, l loose, node int32) (pack.Type, error) {
	o, err := files.Open(v.store.looseFile(l))
	if err != nil {
		return 0, v.unread(node, err)
	}
	defer o.Close()
	switch {
	case o.Type == pack.Tree, v.noBlobs && o.Type == pack.Blob:
		return o.Type, nil
	case o.Type == pack.Blob && o.Size > scanner.LargeText:
		return o.Type, v.stream(node, o, o.Size)
	}
	limit := v.limit
	if o.Type != pack.Blob {
		limit = v.graphLimit()
	}
	if o.Size > limit {
		return o.Type, v.unread(node, &pack.TooLargeError{Size: o.Size, Limit: limit})
	}
	data, err := o.Data(v.store.hash, l.id)
	if err != nil {
		return o.Type, v.unread(node, err)
	}
	return o.Type, v.object(node, o.Type, data)
}

func (r *reading) looseTrees(ctx context.Context, trees []int32) error {
	slices.Sort(trees)
	return r.each(ctx, trees, func(v *visitor, _ *pack.Loose, node int32) error {
		_, data, err := v.store.readLoose(v.store.loose[int(node)-v.store.packed()], v.graphLimit())
		if err != nil {
			return v.unread(node, err)
		}
		return v.object(node, pack.Tree, data)
	})
}

// each calls fn for each of nodes, several at once.
func (r *reading) each(ctx context.Context, nodes []int32, fn func(*visitor, *pack.Loose, int32) error) error {
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range min(runtime.GOMAXPROCS(0), len(nodes)) {
		v := &visitor{reading: r, pack: len(r.store.packs)}
		files := &pack.Loose{}
		g.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(nodes) {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				err := fn(v, files, nodes[i])
				v.tell()
				if err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// noLimit is the limit of a Repository with MaxBlobSize 0.
const noLimit = math.MaxInt64

// describe names an object in a message.
func describe(id, name string) string {
	if name == "" || name == id {
		return id
	}
	return fmt.Sprintf("%s (%s)", id, name)
}

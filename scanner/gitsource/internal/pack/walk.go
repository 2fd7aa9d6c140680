package pack

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/inflate"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/prefetch"
)

// A Walk says which objects of a pack to visit, and how.
type Walk struct {
	// Types are the types to visit.
	Types []Type
	// Limit is the size in bytes from which an object is not put together: its
	// Data is an error, unless it is stored whole and can be read by Open. It
	// bounds the memory of a walk, together with the number of CPUs and the
	// logarithm of the number of objects.
	Limit int64
	// Stream is the size from which an object that is stored whole, and is no base, is not
	// put together: see Open.
	Stream int64
	// Base returns the object with an id that is not in the pack.
	Base func(ID) (Type, []byte, error)
	// Visitor returns a visitor. It is called once for each goroutine of the walk,
	// before they start.
	Visitor func() Visitor
}

// A Visitor is told of objects, by one goroutine.
type Visitor interface {
	// Visit is called for each object, after its base. n and everything that its methods
	// return are valid until Visit returns. n.Base() and the notes stay valid while nodes
	// below them are visited.
	Visit(n *Node) error
	// Bad is called for each object that cannot be read: itself, or its base.
	Bad(number int, err error) error
	// Done is called with the note of each object that was visited and has one,
	// when nothing will be visited below it any more.
	Done(note any)
}

// A Node is an object that a walk has come to.
type Node struct {
	Type Type
	Size int64
	// Note is for the visitor, which sees it again as Base().Note.
	Note any

	w     *walker
	entry int32
	base  *Node
	head  entry // of the entry
	delta delta
	data  []byte // nil until it is put together
	built bool

	next int32 // the child to go down to
}

// Number is the number of the object in the index.
func (n *Node) Number() int { return int(n.w.p.forest.numbers[n.entry]) }

// Base is the object that n was made from, nil for an object that is stored whole.
func (n *Node) Base() *Node { return n.base }

// Inner reports whether other objects are made from n.
func (n *Node) Inner() bool { return n.w.p.forest.child[n.entry] != none }

// Stored is the number of bytes that the stream of n inflates to: less than Size
// for a delta.
func (n *Node) Stored() int64 { return n.head.size }

// Data is the content. It is a TooLargeError if it was not put together.
func (n *Node) Data() ([]byte, error) {
	if !n.built {
		if n.Size > n.w.limit {
			return nil, &TooLargeError{n.Size, n.w.limit}
		}
		if n.base == nil {
			return nil, &TooLargeError{n.Size, n.w.stream}
		}
		n.data = n.w.get(n.Size)
		n.delta.apply(n.data, n.base.data)
		n.built = true
	}
	return n.data, nil
}

// AppendFresh appends the pieces of the object that may hold text that its base does not: any
// run of span bytes of it lies in one piece, or in the base. Pieces are set apart by a
// newline. An object of at most span bytes is one piece, unless it is the base. The object
// must have a base.
func (n *Node) AppendFresh(dst []byte, span int) []byte {
	if n.built {
		return n.delta.appendFreshOf(dst, n.data, len(n.base.data), span)
	}
	return n.delta.appendFresh(dst, n.base.data, span)
}

// Parts returns the pieces that the object is made of, in order. The object must
// have a base.
func (n *Node) Parts() []Part { return n.delta.parts }

// AppendHead appends the first bytes of the object, as many as size at most.
func (n *Node) AppendHead(dst []byte, size int) []byte {
	if n.built {
		return append(dst, n.data[:min(size, len(n.data))]...)
	}
	if n.base == nil {
		at := len(dst)
		dst = append(dst, make([]byte, min(int64(size), n.Size))...)
		k, _ := n.w.inflater.Head(dst[at:], n.w.p.file.data[n.head.stream:n.w.p.end])
		return dst[:at+k]
	}
	return n.delta.appendHead(dst, n.base.data, size)
}

// Walk visits the objects of p, in several goroutines at once. It returns the first error
// of a visitor, the error of ctx, or one that wraps ErrDamaged if the index can no longer
// be read.
func (p *Pack) Walk(ctx context.Context, walk Walk) error {
	wanted := [16]bool{}
	for _, t := range walk.Types {
		wanted[t] = true
	}
	trees, err := p.trees()
	if err != nil {
		return err
	}
	types := walk.Types
	for t := Commit; p.unknown != nil && t <= Tag; t++ { // all objects are hashed
		if !wanted[t] {
			types = append(slices.Clip(types), t)
		}
	}
	queue := newQueue(trees.roots, trees.types, types)
	g, ctx := errgroup.WithContext(ctx)
	for range workers() {
		w := &walker{p: p, wanted: wanted, limit: walk.Limit, stream: walk.Stream, external: walk.Base, visitor: walk.Visitor()}
		if p.unknown != nil {
			w.identifier = &identifier{p: p, hash: newHash(p.hash), ids: p.unknown}
		}
		g.Go(func() (err error) {
			defer recoverFault(&err)() // of the index, which visitors read
			for {
				batch := queue.take()
				if len(batch) == 0 {
					return nil
				}
				if err := w.roots(ctx, batch); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// A walker is one goroutine of a walk.
type walker struct {
	p        *Pack
	wanted   [16]bool
	limit    int64
	stream   int64
	external func(ID) (Type, []byte, error)
	visitor  Visitor
	// identifier sees each object first, if the pack has no numbers yet.
	identifier *identifier
	inflater   inflate.Decoder
	deltas     []byte // room for the instructions of a delta
	parts      []Part
	stack      []*Node
	spare      []*Node
	told       []int32 // of the tree at hand: objects that the visitor has been told of
	buffers
}

func (w *walker) roots(ctx context.Context, roots []root) error {
	for _, r := range roots {
		if err := ctx.Err(); err != nil {
			return err
		}
		visit, err := w.tree(r.entry)
		if visit != nil {
			return visit
		}
		if err != nil { // a fault: the file ends before this tree does
			w.drop()
			if err := w.bad(r.entry, err, w.told); err != nil {
				return err
			}
		}
	}
	return nil
}

// tree visits the tree of root, base first. visit is an error of the visitor,
// fault one of the file.
func (w *walker) tree(root int32) (visit, fault error) {
	defer recoverFault(&fault)()
	w.told = w.told[:0]
	top, err := w.plant(root)
	if err != nil {
		return w.bad(root, err, nil), nil
	}
	if top == nil {
		return nil, nil
	}
	if err := w.visit(top); err != nil {
		return err, nil
	}
	w.stack = append(w.stack, top)
	for len(w.stack) > 0 {
		n := w.stack[len(w.stack)-1]
		child := n.next
		if child == none {
			w.stack = w.stack[:len(w.stack)-1]
			w.release(n)
			continue
		}
		n.next = w.p.forest.sibling[child]
		w.p.ahead(n.next)
		w.p.ahead(w.p.forest.child[child])
		if err := w.descend(n, child); err != nil {
			return err, nil
		}
	}
	return nil, nil
}

// ahead has the processor load what the walk reads first of object i, which may be none. To
// visit its neighbors takes about as long as the memory does.
func (p *Pack) ahead(i int32) {
	if i == none {
		return
	}
	f, at := p.forest, int(i)
	prefetch.Line(f.child, at)
	prefetch.Line(f.sibling, at)
	prefetch.Line(f.numbers, at)
	begin := int(f.offsets[i])
	prefetch.Line(p.file.data, begin)
	prefetch.Line(p.file.data, begin+64) // of the stream behind the header
}

// descend visits the child c of n, and pushes it if it has children.
func (w *walker) descend(n *Node, c int32) error {
	child, err := w.grow(n, c)
	if err != nil {
		return w.bad(c, err, nil)
	}
	inner := w.p.forest.child[c] != none
	if inner {
		if _, err := child.Data(); err != nil {
			w.release(child)
			return w.bad(c, err, nil)
		}
	}
	if err := w.visit(child); err != nil {
		return err
	}
	if !inner {
		w.release(child)
		return nil
	}
	if n.next != none {
		w.stack = append(w.stack, child)
		return nil
	}
	// This is the last child: n is no longer needed. So a long chain keeps two objects in
	// memory, not all.
	w.stack[len(w.stack)-1] = child
	child.base = nil
	w.release(n)
	return nil
}

func (w *walker) visit(n *Node) error {
	if w.identifier != nil {
		if err := w.identifier.Visit(n); err != nil {
			return err
		}
	}
	if !w.wanted[n.Type] {
		return nil
	}
	err := w.visitor.Visit(n)
	w.told = append(w.told, n.entry)
	return err
}

// plant makes the node of a root; nil if its type is not wanted.
func (w *walker) plant(r int32) (*Node, error) {
	p, f := w.p, w.p.forest
	if err := f.bad[r]; err != nil {
		return nil, err
	}
	if id, ok := f.outside[r]; ok {
		return w.plantOutside(r, id)
	}
	e, err := p.entry(f.offsets[r])
	if err != nil {
		return nil, err
	}
	n := w.node(r, e)
	n.Type, n.Size = e.typ, e.size
	if f.child[r] == none && e.size > w.stream && w.stream > 0 {
		return n, nil
	}
	if !e.fits(w.limit) {
		w.release(n)
		return nil, &TooLargeError{e.size, w.limit}
	}
	n.data = w.get(e.size)
	n.built = true
	if _, err := p.inflate(&w.inflater, n.data, e); err != nil {
		w.release(n)
		return nil, err
	}
	return n, nil
}

// plantOutside makes the node of a delta whose base is in another pack.
func (w *walker) plantOutside(r int32, id ID) (*Node, error) {
	typ, data, err := w.external(id)
	if err != nil {
		return nil, fmt.Errorf("base %s: %w", id, err)
	}
	if !w.wanted[typ] {
		return nil, nil
	}
	base := &Node{Type: typ, Size: int64(len(data)), w: w, entry: r, data: data, built: true}
	n, err := w.grow(base, r)
	if err != nil {
		return nil, err
	}
	if _, err := n.Data(); err != nil {
		w.release(n)
		return nil, err
	}
	n.base = nil // has no number and no note: n is a root to the visitor
	return n, nil
}

// grow makes the node of the delta i on base.
func (w *walker) grow(base *Node, i int32) (*Node, error) {
	p := w.p
	e, err := p.entry(p.forest.offsets[i])
	if err != nil {
		return nil, err
	}
	if !e.fits(w.limit) {
		return nil, &TooLargeError{e.size, w.limit}
	}
	if int64(cap(w.deltas)) < e.size {
		w.deltas = make([]byte, e.size*2)
	}
	w.deltas = w.deltas[:e.size]
	if _, err := p.inflate(&w.inflater, w.deltas, e); err != nil {
		return nil, err
	}
	d := delta{parts: w.parts}
	if err := d.parse(w.deltas, len(base.data)); err != nil {
		return nil, fmt.Errorf("entry at offset %d: %w", p.forest.offsets[i], err)
	}
	w.parts = d.parts
	n := w.node(i, e)
	n.Type, n.Size, n.base, n.delta = base.Type, d.size, base, d
	return n, nil
}

// node returns a fresh node.
func (w *walker) node(i int32, e entry) *Node {
	var n *Node
	if k := len(w.spare); k > 0 {
		n = w.spare[k-1]
		w.spare = w.spare[:k-1]
	} else {
		n = &Node{}
	}
	*n = Node{w: w, entry: i, head: e, next: w.p.forest.child[i]}
	return n
}

func (w *walker) release(n *Node) {
	if n.Note != nil {
		w.visitor.Done(n.Note)
	}
	w.put(n.data)
	*n = Node{}
	w.spare = append(w.spare, n)
}

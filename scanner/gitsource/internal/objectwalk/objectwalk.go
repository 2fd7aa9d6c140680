// Package objectwalk reads every object of a store once and yields its text.
//
//	blobs ──► yielded if they may hold a match
//	commits, tags ──► yielded likewise, and their links noted in the graph
//	trees ──► their names yielded likewise, and the entries that matter noted
//
// The order counts. Trees come last, since by then it is known which blobs matter, and only
// the entries that lead to one of these are noted.
package objectwalk

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/graph"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// A Walk is one pass over all objects of a store. It yields their texts and
// makes the graph on the way.
type Walk struct {
	Store     *objects.Store
	Graph     *graph.Graph
	limit     int64 // of an object that is held in memory
	linksOnly bool  // the graph is all that is wanted
	SkipPack  func(pack *pack.Pack) bool
	SkipLoose func(objects.Loose) bool
	prefilter scanner.Prefilter
	Yield     func(scanner.Blob) error
	report    func(scanner.Blob) error // gets objects and packs that cannot be read

	LostPacks map[int]bool // packs that could not be read to the end
	lateTrees []int32      // trees of which a second copy is to be read

	mu       sync.Mutex
	yielded  graph.Bitset    // texts that were yielded
	Failures map[int32]error // objects that cannot be read; nil if another copy can
	Failed   []int32         // in the order of their discovery
}

// NewWalk prepares a walk. Objects of more than limit bytes are not held in memory.
func NewWalk(s *objects.Store, limit int64, p scanner.Prefilter, yield func(scanner.Blob) error) *Walk {
	return &Walk{
		Store: s, Graph: graph.NewGraph(s), limit: limit, prefilter: p, Yield: yield, report: yield,
		Failures: map[int32]error{}, LostPacks: map[int]bool{}, yielded: graph.NewBitset(s.Len()),
	}
}

// All reads blobs first and trees last, since trees are recorded with the blobs that
// matter. It reads each object once.
func (r *Walk) All(ctx context.Context) error {
	if !r.nothingNew() {
		for i, p := range r.Store.Packs {
			err := pack.Guard(func() error { p.Index().Prepare(); return nil })
			if err = r.FailPack(i, err); err != nil {
				return err
			}
		}
	}
	var trees []int32 // loose ones
	var err error
	if !r.linksOnly {
		err = r.walkPacks(ctx, []pack.Type{pack.Blob}, r.limit, func(v *visitor) pack.Visitor { return &blobVisitor{visitor: v} })
	}
	if err == nil {
		err = r.number()
	}
	if err == nil {
		trees, err = r.readLoose(ctx)
	}
	if err == nil {
		r.makeRoomForCommits()
		err = r.walkPacks(ctx, []pack.Type{pack.Commit, pack.Tag}, r.graphLimit(), func(v *visitor) pack.Visitor {
			return &commitVisitor{visitor: v}
		})
	}
	for _, node := range r.Failed { // to be called by their path
		r.Graph.Mark(node)
	}
	if err == nil {
		err = r.walkPacks(ctx, []pack.Type{pack.Tree}, r.graphLimit(), func(v *visitor) pack.Visitor { return v.trees() })
	}
	for _, p := range r.Store.Packs { // nothing is walked over any more
		p.DropForest()
	}
	if err == nil {
		err = r.readOtherTrees(ctx, append(trees, r.lateTrees...))
	}
	return err
}

// makeRoomForCommits makes the list of commits as long as it becomes. To grow by and by would take
// five times the memory.
func (r *Walk) makeRoomForCommits() {
	commits := 0
	for i, p := range r.Store.Packs {
		if !r.SkipPack(p) && !r.LostPacks[i] {
			commits += p.Count(pack.Commit)
		}
	}
	r.Graph.Commits = slices.Grow(r.Graph.Commits, commits)
}

// number takes the numbers that the objects of packs have once these have an index. Commits
// and trees are read later, since their links lead to objects by id.
func (r *Walk) number() error {
	for i, p := range r.Store.Packs {
		numbers, err := p.Number()
		if err != nil {
			return fmt.Errorf("reading pack %s: %w", p.Name, err)
		}
		if numbers == nil {
			continue
		}
		p.Index().Prepare()
		now := func(n int32) int32 {
			if at := int(n) - r.Store.First[i]; at >= 0 && at < len(numbers) {
				return int32(r.Store.First[i]) + int32(numbers[at])
			}
			return n
		}
		r.yielded, r.Graph.Marks = r.yielded.Renumbered(now), r.Graph.Marks.Renumbered(now)
		failures := make(map[int32]error, len(r.Failures))
		for n, err := range r.Failures {
			failures[now(n)] = err
		}
		r.Failures = failures
		for k, n := range r.Failed {
			r.Failed[k] = now(n)
		}
	}
	return nil
}

// Total is how many objects All will read, nearly: those that are stored twice count twice.
// The first of them, which packs hold, are blobs.
func (r *Walk) Total() (objects, blobs int64) {
	for _, p := range r.Store.Packs {
		if !r.SkipPack(p) {
			objects += int64(p.Len())
			blobs += int64(p.Count(pack.Blob))
		}
	}
	for _, l := range r.Store.Loose {
		if !r.SkipLoose(l) {
			objects++
		}
	}
	return objects, blobs
}

// nothingNew reports whether all packs were read before. The loose objects are then so few
// that a fast index costs more than it saves.
func (r *Walk) nothingNew() bool {
	return !slices.ContainsFunc(r.Store.Packs, func(p *pack.Pack) bool { return !r.SkipPack(p) })
}

// Links reads the objects that make the graph, and no blobs.
func (r *Walk) Links(ctx context.Context) error {
	r.linksOnly = true
	return r.All(ctx)
}

// FailPack reports a pack that cannot be read any further, and passes on other errors.
func (r *Walk) FailPack(i int, err error) error {
	if !errors.Is(err, pack.ErrDamaged) {
		return err
	}
	r.LostPacks[i] = true
	name := r.Store.Packs[i].Name
	return r.report(scanner.Blob{ID: finding.BlobID(name), Kind: finding.KindBlob, Name: name, Err: fmt.Errorf("reading pack %s: %w", name, err)})
}

// UnreadLinks returns an error that counts the objects and packs that Links could not read.
// lost says why packs could not be.
func (r *Walk) UnreadLinks(lost []error) error {
	if len(lost) > 0 {
		return fmt.Errorf("%d packs and %d objects on the way could not be read, the first: %w", len(lost), len(r.Failed), lost[0])
	}
	if len(r.Failed) > 0 {
		first := r.Failed[0]
		return fmt.Errorf("%d objects on the way could not be read, the first: %s: %w", len(r.Failed), r.Store.ID(first), r.Failures[first])
	}
	return nil
}

// graphLimit is the limit of commits, tags and trees.
func (r *Walk) graphLimit() int64 { return max(r.limit, objects.MinGraphLimit) }

func (r *Walk) walkPacks(ctx context.Context, types []pack.Type, limit int64, of func(*visitor) pack.Visitor) error {
	for i, p := range r.Store.Packs {
		if r.SkipPack(p) || r.LostPacks[i] {
			continue
		}
		var visitors []*visitor
		err := p.Walk(ctx, pack.Walk{
			Types: types, Limit: limit, Stream: scanner.LargeText,
			Base: func(id pack.ID) (pack.Type, []byte, error) { return r.Store.ReadExcept(id, limit, p, 1) },
			Visitor: func() pack.Visitor {
				v := &visitor{Walk: r, pack: i}
				visitors = append(visitors, v)
				return of(v)
			},
		})
		for _, v := range visitors {
			v.reportPassed()
		}
		if err := r.FailPack(i, err); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// A visitor is the common part of the visitors of all types. It is used by one goroutine.
type visitor struct {
	*Walk
	pack     int // the packs, then the loose objects
	newBytes []byte
	head     []byte

	passedTexts, passedBytes int64 // not yet told to pre.Passed
}

func (v *visitor) trees() *treeVisitor {
	return &treeVisitor{visitor: v, recorder: v.Graph.Recorder(), unshared: &parsedTree{}}
}

// number returns the number in the store of an object of the pack.
func (v *visitor) number(i int) int32 { return int32(v.Store.First[v.pack] + i) }

// isFirstCopy reports whether an object is read here, and not from a pack before.
func (v *visitor) isFirstCopy(node int32) bool {
	if v.pack == 0 {
		return true
	}
	n := v.Store.Find([]byte(v.Store.ID(node)))
	return n == node || n == objects.None // of an index that is out of order
}

// Bad implements pack.Visitor. Another copy will do.
func (v *visitor) Bad(i int, err error) error {
	node := v.number(i)
	if !v.isFirstCopy(node) {
		return nil
	}
	return v.readOtherCopy(node, err)
}

// Done implements pack.Visitor.
func (v *visitor) Done(any) {}

// readOtherCopy reads another copy of an object whose first copy cannot be read.
func (v *visitor) readOtherCopy(node int32, why error) error {
	if !v.isFirstFailure(node) {
		return nil // bytes that are no object at all are met with each type
	}
	var tooLarge *pack.TooLargeError
	if errors.As(why, &tooLarge) {
		return v.addFailure(node, why)
	}
	typ, data, err := v.Store.ReadExcept(v.Store.ID(node), v.graphLimit(), v.Store.Packs[v.pack], 1)
	if err != nil {
		if !errors.Is(err, objects.ErrMissing) {
			why = errors.Join(why, err)
		}
		return v.addFailure(node, why)
	}
	if typ == pack.Tree { // with the others, when it is known which blobs matter
		v.mu.Lock()
		defer v.mu.Unlock()
		v.lateTrees = append(v.lateTrees, node)
		return nil
	}
	return v.object(node, typ, data)
}

// isFirstFailure reports whether node was not found bad before.
func (v *visitor) isFirstFailure(node int32) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, known := v.Failures[node]
	if !known {
		v.Failures[node] = nil
	}
	return !known
}

// object handles a whole object of any type.
func (v *visitor) object(node int32, typ pack.Type, data []byte) error {
	switch typ {
	case pack.Blob:
		if v.linksOnly {
			return nil
		}
		return (&blobVisitor{visitor: v}).yieldIfMayMatch(node, data, v.judge(data).highest())
	case pack.Tree:
		return v.trees().tree(node, data, &parsedTree{}, nil, true)
	}
	return (&commitVisitor{visitor: v}).object(node, typ, data)
}

// addFailure notes that an object could not be read. The object is reported later, when its
// path is known.
func (v *visitor) addFailure(node int32, err error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.Failures[node] == nil {
		v.Failures[node] = err
		v.Failed = append(v.Failed, node)
	}
	return nil
}

// yieldText yields the text of an object.
func (v *visitor) yieldText(node int32, kind finding.Kind, data []byte) error {
	return v.yieldBlob(node, scanner.Blob{Kind: kind, Data: data})
}

// yieldBlob yields b, the text of an object, under its id.
func (v *visitor) yieldBlob(node int32, b scanner.Blob) error {
	id := v.Store.ID(node).String()
	v.mu.Lock()
	v.yielded.Set(node)
	v.mu.Unlock()
	b.ID, b.Name = finding.BlobID(id), id
	return v.Yield(b)
}

// countPassed counts a text that is not yielded.
func (v *visitor) countPassed(size int64) {
	v.passedTexts++
	v.passedBytes += size
	if v.passedTexts >= 1024 { // often enough for a meter
		v.reportPassed()
	}
}

// reportPassed tells the prefilter how many texts were not yielded.
func (v *visitor) reportPassed() {
	if v.prefilter.Passed != nil {
		v.prefilter.Passed(v.passedTexts, v.passedBytes)
	}
	v.passedTexts, v.passedBytes = 0, 0
}

// ReadWhole returns the names of the packs, and the ids of the loose objects, that could be
// read whole.
func (r *Walk) ReadWhole() (packs, looseIDs []string) {
	packs, looseIDs = []string{}, []string{}
	damaged := maps.Clone(r.LostPacks)
	for _, n := range r.Failed {
		damaged[r.Store.PackOf(n)] = true
	}
	for _, n := range r.Store.Problems {
		for i, p := range r.Store.Packs {
			if strings.HasSuffix(n.Path, p.Name+".pack") {
				damaged[i] = true
			}
		}
	}
	for i, p := range r.Store.Packs {
		// A pack without an index is one that git has not finished.
		if !damaged[i] && strings.HasPrefix(p.Name, "pack-") {
			packs = append(packs, p.Name)
		}
	}
	for _, l := range r.Store.Loose {
		if r.Failures[r.Store.Find([]byte(l.ID))] == nil {
			looseIDs = append(looseIDs, l.ID.String())
		}
	}
	slices.Sort(packs)
	return packs, slices.Compact(looseIDs) // an alternate may have it too
}

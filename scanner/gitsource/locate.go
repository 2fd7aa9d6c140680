package gitsource

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/stanch-dev/stanch/scanner"
)

// Locate implements scanner.Source. Ids that it does not know, or that no ref
// reaches any more, are passed over. Of each id it yields
//
//   - blob: each path it ever had, with the first commit, parents before
//     children and then by commit date, that has it there; below refs/notes the
//     kind is KindNote and the path the id of the annotated object;
//   - tree: as for a blob, the path of the directory, "." for the root;
//   - commit: itself;
//   - annotated tag: the tagger, and the commit that it leads to, if any;
//   - ref name: the name, as Path.
//
// A blob or tree that no commit holds, only a tag, has no Commit and a path in
// the form "refs/tags/name:dir/file". yield is called in the calling goroutine.
//
// Of each id no more than 1,000 places are listed (maxPlaces), those of the
// first commits: a few trees that hold each other make for any number. Of a path
// with more than 4,096 bytes, the beginning is cut off.
//
// What cannot be read on the way, Blobs has reported. Locate returns one error
// that counts it, the boundary of a shallow history and what a partial clone
// left out apart.
func (r *Repository) Locate(ctx context.Context, ids []scanner.BlobID, yield func(scanner.BlobID, scanner.Provenance) error) error {
	var mu sync.Mutex
	var first error
	unread := map[scanner.BlobID]bool{}
	w := r.newWalk(func(b scanner.Blob) error {
		mu.Lock()
		defer mu.Unlock()
		first = cmp.Or(first, b.Err)
		unread[b.ID] = true
		return nil
	})
	defer w.close()
	l := newLocator(w, yield)
	if err := l.locate(ctx, r.refs(), ids); err != nil {
		return err
	}
	if len(unread) > 0 {
		return fmt.Errorf("%d objects on the way could not be read, the first: %w", len(unread), first)
	}
	return nil
}

// A locator finds where hits are. It numbers trees, which have many edges
// between them, to keep the graph small.
type locator struct {
	w        *walk
	yield    func(scanner.BlobID, scanner.Provenance) error
	hits     map[plumbing.Hash]bool // true once located
	numbers  map[plumbing.Hash]int32
	parents  [][]int32      // of each tree, the trees that hold it
	holds    []bool         // of each tree: it is a hit, or leads to one
	ways     *ways          // the part of the graph that leads to hits
	messages []scanner.Blob // commits and tags that are hits, to be located
	author   commitTexts
}

func newLocator(w *walk, yield func(scanner.BlobID, scanner.Provenance) error) *locator {
	return &locator{w: w, yield: yield, hits: map[plumbing.Hash]bool{}, numbers: map[plumbing.Hash]int32{}}
}

func (l *locator) locate(ctx context.Context, refs *refSet, ids []scanner.BlobID) error {
	for _, id := range ids {
		if h, ok := parseID([]byte(id)); ok {
			l.hits[h] = false
		} else if i, ok := refs.byName[string(id)]; ok && refs.roots[i].named() {
			if err := l.yield(id, scanner.Provenance{Kind: scanner.KindRefName, Path: string(id)}); err != nil {
				return err
			}
		}
	}
	if len(l.hits) == 0 {
		return ctx.Err()
	}
	var histories [len(contentKinds)]*history
	for i, kind := range contentKinds {
		h, err := l.graph(ctx, refs.of(kind))
		if err != nil {
			return err
		}
		histories[i] = h
	}
	if err := l.prune(ctx); err != nil {
		return err
	}
	for i, kind := range contentKinds {
		if err := l.history(ctx, histories[i], kind, refs.head); err != nil {
			return err
		}
	}
	return nil
}

// graph reads what roots reach, blobs excepted: commits and tags are located
// on the way, and of the trees it is noted which holds which.
func (l *locator) graph(ctx context.Context, roots []root) (*history, error) {
	h, err := l.w.history(ctx, roots, l.keepMessage)
	if err != nil {
		return nil, err
	}
	for _, b := range l.messages {
		if err := l.locateMessage(b); err != nil {
			return nil, err
		}
	}
	l.messages = nil
	_, err = l.w.trees(ctx, h.trees, func(it item, entries []entry) error {
		l.w.mu.Lock()
		defer l.w.mu.Unlock()
		n := l.number(it.id)
		for _, e := range entries {
			if e.tree {
				child := l.number(e.id)
				l.parents[child] = append(l.parents[child], n)
			} else if _, hit := l.hits[e.id]; hit {
				l.holds[n] = true
			}
		}
		return nil
	})
	return h, err
}

// number returns the number of a tree, a new one at first.
func (l *locator) number(tree plumbing.Hash) int32 {
	n, ok := l.numbers[tree]
	if !ok {
		n = int32(len(l.parents))
		_, hit := l.hits[tree]
		l.numbers[tree] = n
		l.parents = append(l.parents, nil)
		l.holds = append(l.holds, hit)
	}
	return n
}

// prune spreads holds from the hits upwards, and reads the trees that lead to a
// hit again, to keep those of their entries that do.
func (l *locator) prune(ctx context.Context) error {
	var stack []int32
	for n, holds := range l.holds {
		if holds {
			stack = append(stack, int32(n))
		}
	}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, p := range l.parents[n] {
			if !l.holds[p] {
				l.holds[p] = true
				stack = append(stack, p)
			}
		}
	}
	l.parents = nil
	l.ways = newWays(l.hits)
	var items []item
	for id, n := range l.numbers {
		if l.holds[n] {
			items = append(items, item{id: id})
		}
	}
	err := l.w.each(ctx, items, l.w.graphLimit(), func(r *reader, it item, typ plumbing.ObjectType, data []byte) error {
		entries, _ := r.parse(typ, data) // an error was reported before
		l.w.mu.Lock()
		defer l.w.mu.Unlock()
		l.ways.number(it.id, true)
		for _, e := range entries {
			if l.leads(e) {
				l.ways.add(it.id, e)
			}
		}
		return nil
	})
	l.numbers, l.holds = nil, nil
	l.ways.finish()
	return err
}

// leads reports whether e is a hit or leads to one.
func (l *locator) leads(e entry) bool {
	if !e.tree {
		_, hit := l.hits[e.id]
		return hit
	}
	n, ok := l.numbers[e.id]
	return ok && l.holds[n]
}

// history locates the blobs and trees of h. The first commit that has a place
// has no parent that has it: parents come first. So a place is where it was
// introduced when it is met for the first time.
func (l *locator) history(ctx context.Context, h *history, kind scanner.Kind, head plumbing.Hash) error {
	commits := topological(h.commits)
	headTree := none
	for _, c := range commits {
		if c.id == head && kind == scanner.KindBlob {
			headTree = l.ways.tree(c.tree)
		}
	}
	met := map[place]bool{}
	for _, c := range commits {
		if err := ctx.Err(); err != nil {
			return err
		}
		top := step{place: place{node: l.ways.tree(c.tree)}, head: headTree}
		if err := l.ways.descend(ctx, top, met, func(s step) error { return l.found(s, kind, c) }); err != nil {
			return err
		}
	}
	for _, it := range slices.Concat(h.trees, h.blobs) {
		if it.name == "" {
			continue // the tree of a commit
		}
		node := l.ways.number(it.id, strings.HasSuffix(it.name, ":"))
		if err := l.ways.descend(ctx, step{place{node, it.name}, none}, met, l.foundInTag); err != nil {
			return err
		}
	}
	return nil
}

// foundInTag yields the place of a hit that only a tag holds.
func (l *locator) foundInTag(s step) error {
	n := &l.ways.nodes[s.node]
	if l.hits[n.id] {
		return nil
	}
	kind := scanner.KindBlob
	if n.tree {
		kind = scanner.KindPath
	}
	return l.yield(idOf(n.id), scanner.Provenance{Kind: kind, Path: dirName(s.path)})
}

// found yields the place of a hit that c introduces.
func (l *locator) found(s step, kind scanner.Kind, c *commit) error {
	n := &l.ways.nodes[s.node]
	l.hits[n.id] = true
	where := l.author.of(l.w, c.id)
	where.Kind, where.Path, where.AtHead = kind, dirName(s.path), s.node == s.head
	switch {
	case kind == scanner.KindNote:
		// The id of the annotated object, cut into directories when there are
		// many (git's notes.c, "fanout").
		where.Path = strings.ReplaceAll(where.Path, "/", "")
	case n.tree:
		where.Kind = scanner.KindPath
	}
	return l.yield(idOf(n.id), where)
}

// keepMessage keeps the commits and tags that are hits.
func (l *locator) keepMessage(b scanner.Blob) error {
	id, _ := parseID([]byte(b.ID))
	if _, hit := l.hits[id]; hit {
		b.Data = bytes.Clone(b.Data)
		l.messages = append(l.messages, b)
	}
	return nil
}

// locateMessage yields the place of a commit or tag.
func (l *locator) locateMessage(b scanner.Blob) error {
	where := scanner.Provenance{Kind: b.Kind}
	if b.Kind == scanner.KindTag {
		sign(&where, header(b.Data, "tagger"))
		where.Commit = l.peel(b.Data)
	} else {
		sign(&where, header(b.Data, "author"))
		where.Commit = string(b.ID)
	}
	return l.yield(b.ID, where)
}

// maxTags is how many tags of tags are followed. People make two at most.
const maxTags = 100

// peel follows tags of tags and returns the commit at the end, "" if it is none.
func (l *locator) peel(data []byte) string {
	r := <-l.w.free
	defer func() { l.w.free <- r }()
	for range maxTags {
		target, err := parseTag(data)
		if err != nil {
			return ""
		}
		typ, next, err := r.read(target, l.w.graphLimit())
		switch {
		case err != nil:
			return "" // reported by history
		case typ == plumbing.CommitObject:
			return target.String()
		case typ != plumbing.TagObject:
			return ""
		}
		data = next
	}
	return ""
}

func sign(p *scanner.Provenance, line []byte) {
	s := signature(line)
	p.Author, p.Email, p.Time = s.Name, s.Email, s.When
}

// dirName returns the path of a directory without the slash at its end, and
// other paths as they are.
func dirName(path string) string {
	return cmp.Or(strings.TrimSuffix(path, "/"), ".")
}

// commitTexts reads who wrote a commit. It keeps the last: places come by commit.
type commitTexts struct{ last scanner.Provenance }

func (t *commitTexts) of(w *walk, id plumbing.Hash) scanner.Provenance {
	if t.last.Commit == id.String() {
		return t.last
	}
	r := <-w.free
	defer func() { w.free <- r }()
	t.last = scanner.Provenance{Commit: id.String()}
	if _, data, err := r.read(id, w.graphLimit()); err == nil {
		sign(&t.last, header(data, "author"))
	} else {
		_ = w.report(scanner.Blob{ID: idOf(id), Err: fmt.Errorf("commit %s: %w", id, err)})
	}
	return t.last
}

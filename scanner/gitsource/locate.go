package gitsource

import (
	"bytes"
	"cmp"
	"context"
	"errors"
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
func (r *Repository) Locate(ctx context.Context, ids []scanner.BlobID, yield func(scanner.BlobID, scanner.Provenance) error) error {
	var mu sync.Mutex
	var problems []error
	w, err := r.newWalk(func(b scanner.Blob) error {
		mu.Lock()
		defer mu.Unlock()
		problems = append(problems, b.Err)
		return nil
	})
	if err != nil {
		return err
	}
	defer w.close()
	l := newLocator(w, yield)
	if err := l.locate(ctx, r.refs(), ids); err != nil {
		return err
	}
	_ = w.reportMissing() // notes a problem, cannot fail
	return errors.Join(problems...)
}

// A locator finds where hits are. It numbers trees, which have many edges
// between them, to keep the graph small.
type locator struct {
	w        *walk
	yield    func(scanner.BlobID, scanner.Provenance) error
	hits     map[plumbing.Hash]bool // true once located
	numbers  map[plumbing.Hash]int32
	parents  [][]int32 // of each tree, the trees that hold it
	holds    []bool    // of each tree: it is a hit, or leads to one
	entries  map[plumbing.Hash][]place
	head     map[place]bool // the hits in HEAD
	messages []scanner.Blob // commits and tags that are hits, to be located
	author   commitTexts
}

// A place is an object at a path. The path of a tree is empty or ends with "/".
type place struct {
	id   plumbing.Hash
	path string
}

func (p place) tree() bool {
	return p.path == "" || strings.HasSuffix(p.path, "/") || strings.HasSuffix(p.path, ":")
}

func newLocator(w *walk, yield func(scanner.BlobID, scanner.Provenance) error) *locator {
	return &locator{
		w: w, yield: yield,
		hits:    map[plumbing.Hash]bool{},
		numbers: map[plumbing.Hash]int32{},
		entries: map[plumbing.Hash][]place{},
		head:    map[place]bool{},
	}
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

// leads reports whether tree is a hit or leads to one.
func (l *locator) leads(tree plumbing.Hash) bool {
	n, ok := l.numbers[tree]
	return ok && l.holds[n]
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
	var items []item
	for id := range l.numbers {
		if l.leads(id) {
			items = append(items, item{id: id})
		}
	}
	return l.w.each(ctx, items, 0, func(r *reader, it item, typ plumbing.ObjectType, data []byte) error {
		entries, _ := r.parse(typ, data) // an error was reported before
		kept := l.keep(entries)
		l.w.mu.Lock()
		l.entries[it.id] = kept
		l.w.mu.Unlock()
		return nil
	})
}

func (l *locator) keep(entries []entry) (kept []place) {
	for _, e := range entries {
		if e.tree && l.leads(e.id) {
			kept = append(kept, place{e.id, string(e.name) + "/"})
		} else if _, hit := l.hits[e.id]; hit && !e.tree {
			kept = append(kept, place{e.id, string(e.name)})
		}
	}
	return kept
}

// history locates the blobs and trees of h. The first commit that has a place
// has no parent that has it: parents come first. So a place is where it was
// introduced when it is met for the first time.
func (l *locator) history(ctx context.Context, h *history, kind scanner.Kind, head plumbing.Hash) error {
	commits := topological(h.commits)
	for _, c := range commits {
		if c.id == head {
			_ = l.descend(place{id: c.tree}, l.head, func(place) error { return nil })
		}
	}
	met := map[place]bool{}
	for _, c := range commits {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := l.descend(place{id: c.tree}, met, func(p place) error { return l.found(p, kind, c) })
		if err != nil {
			return err
		}
	}
	for _, it := range slices.Concat(h.trees, h.blobs) {
		if it.name == "" {
			continue // the tree of a commit
		}
		if err := l.descend(place{it.id, it.name}, met, l.foundInTag); err != nil {
			return err
		}
	}
	return nil
}

// foundInTag yields the place of a hit that only a tag holds.
func (l *locator) foundInTag(p place) error {
	if l.hits[p.id] {
		return nil
	}
	kind := scanner.KindBlob
	if p.tree() {
		kind = scanner.KindPath
	}
	return l.yield(idOf(p.id), scanner.Provenance{Kind: kind, Path: dirName(p.path)})
}

// descend calls found for the hits at and below top, those places apart that
// were met before.
func (l *locator) descend(top place, met map[place]bool, found func(place) error) error {
	stack := []place{top}
	for len(stack) > 0 {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if met[p] || p.tree() && !l.leads(p.id) {
			continue
		}
		met[p] = true
		if _, hit := l.hits[p.id]; hit {
			if err := found(p); err != nil {
				return err
			}
		}
		if p.tree() {
			for _, e := range l.entries[p.id] {
				stack = append(stack, place{e.id, p.path + e.path})
			}
		}
	}
	return nil
}

// found yields the place of a hit that c introduces.
func (l *locator) found(p place, kind scanner.Kind, c *commit) error {
	l.hits[p.id] = true
	where := l.author.of(l.w, c.id)
	where.Kind, where.Path, where.AtHead = kind, dirName(p.path), l.head[p] && kind == scanner.KindBlob
	switch {
	case kind == scanner.KindNote:
		// The id of the annotated object, cut into directories when there are
		// many (git's notes.c, "fanout").
		where.Path = strings.ReplaceAll(where.Path, "/", "")
	case p.tree():
		where.Kind = scanner.KindPath
	}
	return l.yield(idOf(p.id), where)
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

// peel follows tags of tags and returns the commit at the end, "" if it is none.
func (l *locator) peel(data []byte) string {
	r := <-l.w.free
	defer func() { l.w.free <- r }()
	for {
		target, err := parseTag(data)
		if err != nil {
			return ""
		}
		typ, next, err := r.read(target, 0)
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
	if _, data, err := r.read(id, 0); err == nil {
		sign(&t.last, header(data, "author"))
	} else {
		_ = w.report(scanner.Blob{Err: fmt.Errorf("commit %s: %w", id, err)})
	}
	return t.last
}

// Package bundle reads git bundles (gitformat-bundle(5)): a list of refs, and a pack. Walk is
// for archive.Walker: the pipeline itself knows nothing of git.
package bundle

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// Walk calls yield, one call at a time, for everything in the bundle data: for its refs
// ("refs"), for the names of its files ("names"), and for each file, commit and tag. A file
// is named by a path that it has, a commit or a tag by its id. An object that cannot be
// read is yielded as an error: one of more than limit bytes, or beyond total bytes. Walk
// returns the first error of yield, or that of ctx.
func Walk(ctx context.Context, data []byte, limit, total int64, yield func(name string, data []byte, err error) error) error {
	header, body, hash, err := cut(data)
	if err != nil {
		return yield("", nil, err)
	}
	_, refs, _ := bytes.Cut(header, []byte{'\n'}) // without the line that begins bundles
	if err := yield("refs", refs, nil); err != nil {
		return err
	}
	p, note, err := pack.OpenBytes(body, hash, total)
	if err = cmp.Or(err, note); err != nil {
		if bytes.Contains(header, []byte("\n-")) { // a prerequisite
			err = fmt.Errorf("%w: it builds on commits that are not in it", err)
		}
		if err := yield("", nil, fmt.Errorf("its pack: %w", err)); err != nil || p == nil {
			return err
		}
	}
	names := &treeNames{hash: hash, of: map[pack.ID]name{}}
	r := &reader{pack: p, names: names, yield: yield}
	r.trees.Store(total)
	if err := r.walk(ctx, limit, func() pack.Visitor { return treeVisitor{r} }, pack.Tree); err != nil {
		return err
	}
	if err := yield("names", names.list(), nil); err != nil {
		return err
	}
	if err := r.walk(ctx, limit, func() pack.Visitor { return textVisitor{r} }, pack.Blob, pack.Commit, pack.Tag); err != nil {
		return err
	}
	if r.bad > 0 {
		return yield("", nil, fmt.Errorf("%d objects cannot be read: %w", r.bad, r.why))
	}
	return nil
}

// cut returns the two parts of a bundle, and the length of its ids.
func cut(data []byte) (header, body []byte, hash int, err error) {
	header, body, ok := bytes.Cut(data, []byte("\n\n"))
	if !ok {
		return nil, nil, 0, errors.New("a git bundle without an end of its list of refs")
	}
	hash = sha1.Size
	if bytes.Contains(header, []byte("\n@object-format=sha256")) {
		hash = sha256.Size
	}
	return header, body, hash, nil
}

// A reader reads the objects of a pack.
type reader struct {
	pack  *pack.Pack
	names *treeNames
	trees atomic.Int64 // bytes of trees that may still be read

	mu    sync.Mutex // of all below
	yield func(name string, data []byte, err error) error
	bad   int
	why   error // of the first that is bad
}

func (r *reader) walk(ctx context.Context, limit int64, visitor func() pack.Visitor, types ...pack.Type) error {
	missing := errors.New("it is a difference to an object that the bundle does not have")
	return r.pack.Walk(ctx, pack.Walk{
		Types: types, Limit: limit, Stream: limit, Visitor: visitor,
		Base: func(pack.ID) (pack.Type, []byte, error) { return 0, nil, missing },
	})
}

// Bad implements pack.Visitor.
func (r *reader) Bad(_ int, err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bad++
	r.why = cmp.Or(r.why, err)
	return nil
}

// Done implements pack.Visitor.
func (*reader) Done(any) {}

// A treeVisitor notes the names of files.
type treeVisitor struct{ *reader }

// Bad implements pack.Visitor. The other walk counts.
func (treeVisitor) Bad(int, error) error { return nil }

// Visit implements pack.Visitor.
func (v treeVisitor) Visit(n *pack.Node) error {
	data, err := n.Data()
	if err == nil && v.trees.Add(-n.Size) < 0 {
		err = errors.New("larger unpacked than is read")
	}
	if err != nil {
		return v.reader.Bad(0, err)
	}
	v.names.add(v.pack.Index().ID(n.Number()), data)
	return nil
}

// A textVisitor yields texts.
type textVisitor struct{ *reader }

// Visit implements pack.Visitor.
func (v textVisitor) Visit(n *pack.Node) error {
	id := v.pack.Index().ID(n.Number())
	name := n.Type.String() + " " + id.String()
	if n.Type == pack.Blob {
		name = cmp.Or(v.names.path(id), name)
	}
	data, err := n.Data()
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.yield(name, data, err)
}

// treeNames are the names of the files in trees.
type treeNames struct {
	hash int
	mu   sync.Mutex
	of   map[pack.ID]name
}

// A name is that of an entry, in the tree dir. If an object has several, the least counts, so
// that each walk chooses the same.
type name struct {
	text string
	dir  pack.ID
}

// maxNames bounds the names that are kept. Files beyond it are named by their ids.
const maxNames = 1 << 20

func (t *treeNames) add(dir pack.ID, tree []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(tree) > 0 {
		e, n := objects.ParseTreeEntry(tree, t.hash)
		if n <= 0 {
			return
		}
		tree = tree[n:]
		id, now := pack.ID(e.ID), name{string(e.Name), dir}
		known, ok := t.of[id]
		if !ok && len(t.of) >= maxNames {
			continue
		}
		if !ok || cmp.Or(cmp.Compare(now.text, known.text), cmp.Compare(now.dir, known.dir)) < 0 {
			t.of[id] = now
		}
	}
}

// path returns a path of the object id, "" if it has none.
func (t *treeNames) path(id pack.ID) string {
	const maxParts = 64 // trees of strangers may lead in a circle
	var parts []string
	for n, ok := t.of[id]; ok && len(parts) < maxParts; n, ok = t.of[n.dir] {
		parts = append(parts, n.text)
	}
	slices.Reverse(parts)
	return path.Join(parts...)
}

// list returns all names, a line each.
func (t *treeNames) list() []byte {
	list := make([]string, 0, len(t.of))
	for _, n := range t.of {
		list = append(list, n.text)
	}
	slices.Sort(list)
	return []byte(strings.Join(slices.Compact(list), "\n"))
}

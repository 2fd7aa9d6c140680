package objectwalk

import (
	"context"
	"errors"
	"io/fs"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// readLoose reads the loose objects but for the trees, which it returns.
func (r *Walk) readLoose(ctx context.Context) (trees []int32, err error) {
	var nodes []int32
	for i, l := range r.Store.Loose {
		node := int32(r.Store.Packed() + i)
		if !r.SkipLoose(l) && r.Store.Find([]byte(l.ID)) == node {
			nodes = append(nodes, node)
		}
	}
	var mu sync.Mutex
	err = r.forEach(ctx, nodes, func(v *visitor, files *pack.Loose, node int32) error {
		var damage []error
		moved := false
		for _, l := range v.Store.LooseCopies(r.Store.Loose[int(node)-r.Store.Packed()].ID) {
			typ, bad, err := v.looseObject(files, l, node)
			if typ == pack.Tree {
				mu.Lock()
				trees = append(trees, node)
				mu.Unlock()
			}
			if bad == nil || err != nil {
				return err
			}
			damage = append(damage, bad)
			moved = moved || errors.Is(bad, fs.ErrNotExist)
		}
		if moved { // git has packed it since it was listed
			typ, data, err := v.Store.Read(v.Store.ID(node), v.graphLimit())
			switch {
			case err == nil && typ == pack.Tree:
				mu.Lock()
				defer mu.Unlock()
				trees = append(trees, node)
				return nil
			case err == nil:
				return v.object(node, typ, data)
			}
			damage = []error{err}
		}
		return v.addFailure(node, errors.Join(damage...))
	})
	return trees, err
}

// looseObject reads a loose object, or only the header of a tree. bad says how the object
// is damaged, if another copy may be whole.
func (v *visitor) looseObject(files *pack.Loose, l objects.Loose, node int32) (typ pack.Type, bad, err error) {
	o, err := files.Open(v.Store.LooseFile(l))
	if err != nil {
		return 0, err, nil
	}
	defer o.Close()
	switch {
	case o.Type == pack.Tree, v.linksOnly && o.Type == pack.Blob:
		return o.Type, nil, nil
	case o.Type == pack.Blob && o.Size > scanner.LargeText:
		return o.Type, nil, v.yieldStream(node, o.Checked(v.Store.Hash, l.ID), o.Size)
	}
	limit := v.limit
	if o.Type != pack.Blob {
		limit = v.graphLimit()
	}
	if o.Size > limit {
		return o.Type, nil, v.addFailure(node, &pack.TooLargeError{Size: o.Size, Limit: limit})
	}
	data, err := o.Data(v.Store.Hash, l.ID)
	if err != nil {
		return o.Type, err, nil
	}
	return o.Type, nil, v.object(node, o.Type, data)
}

// readOtherTrees reads trees that are loose, or whose first copy is damaged.
func (r *Walk) readOtherTrees(ctx context.Context, trees []int32) error {
	slices.Sort(trees)
	return r.forEach(ctx, trees, func(v *visitor, _ *pack.Loose, node int32) error {
		_, data, err := v.Store.Read(v.Store.ID(node), v.graphLimit())
		if err != nil {
			return v.addFailure(node, err)
		}
		return v.object(node, pack.Tree, data)
	})
}

// forEach calls fn for each of nodes, several at once.
func (r *Walk) forEach(ctx context.Context, nodes []int32, fn func(*visitor, *pack.Loose, int32) error) error {
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range min(runtime.GOMAXPROCS(0), len(nodes)) {
		v := &visitor{Walk: r, pack: len(r.Store.Packs)}
		files := &pack.Loose{}
		g.Go(func() error {
			return pack.Guard(func() error {
				for {
					i := int(next.Add(1)) - 1
					if i >= len(nodes) {
						return nil
					}
					if err := ctx.Err(); err != nil {
						return err
					}
					err := fn(v, files, nodes[i])
					v.reportPassed()
					if err != nil {
						return err
					}
				}
			})
		})
	}
	return g.Wait()
}

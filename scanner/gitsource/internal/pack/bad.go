package pack

import "fmt"

// bad reports i and all objects that are made from it, except those that the visitor has
// already been told of, as visited or as bad.
func (w *walker) bad(i int32, err error, told []int32) error {
	f := w.p.forest
	known := make(map[int32]bool, len(told))
	for _, k := range told {
		known[k] = true
	}
	why := fmt.Errorf("its base at offset %d cannot be read: %w", f.offsets[i], err)
	for todo := []int32{i}; len(todo) > 0; {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !known[at] {
			if err := w.visitor.Bad(int(f.numbers[at]), err); err != nil {
				return err
			}
			w.told = append(w.told, at)
		}
		if at == i {
			err = why
		}
		for c := f.child[at]; c != none; c = f.sibling[c] {
			todo = append(todo, c)
		}
	}
	return nil
}

// drop forgets a tree whose visit ended with a fault.
func (w *walker) drop() {
	for _, n := range w.stack {
		w.release(n)
	}
	w.stack = w.stack[:0]
}

// Package reftable reads refs and reflogs that git keeps in reftables (git's
// Documentation/technical/reftable).
//
//	s, unread := reftable.Open(".git/reftable", 20)
//	refs, unread := s.Refs()      // all of them
//	ref, err := s.Ref("HEAD")     // one
//	entries, unread := s.Logs()   // of all reflogs
//
// A repository has a stack of tables, listed in tables.list. A change adds a small table on
// top, and git merges tables now and then. A record of a table hides those of the same key in
// the tables below; a deletion is a record, too.
//
// The indexes in a table are not used, since blocks have no checksum: a look-up reads all refs
// of a table, 100,000 of them in less than 10 ms, and so sees damage that would lead it astray.
package reftable

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/boundedfile"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// A Ref is the record of a ref.
type Ref struct {
	Name   string
	ID     pack.ID // "" for a symbolic ref
	Target string  // of a symbolic ref
}

// An Entry is an entry of a reflog.
type Entry struct {
	Ref      string
	Old, New pack.ID
	Line     string // as it would stand in a file below logs, without the newline at its end
	index    uint64 // of the update
}

// A Stack is the tables of a repository or of a linked work tree.
type Stack struct {
	tables []*table // the oldest first
	names  []string
	errs   []error // about tables that could not be opened
	room   int     // how many bytes of names and texts may still be held
}

// Open opens the tables that are listed in dir. idSize is the length of the repository's ids
// in bytes. The errors are about tables that cannot be opened: the others are read.
func Open(dir string, idSize int) (*Stack, []error) {
	const tries = 100
	last := ""
	for i := 0; ; i++ {
		list, err := boundedfile.ReadText(filepath.Join(dir, "tables.list"), boundedfile.MaxSmall)
		if errors.Is(err, fs.ErrNotExist) {
			err = errMissing
		}
		if err != nil {
			s := &Stack{errs: []error{fmt.Errorf("reading the list of reftables: %w", err)}}
			return s, s.errs
		}
		s, gone := open(dir, list, idSize)
		// git replaces the list before it removes the tables that it has merged.
		if !gone || list == last || i == tries {
			return s, s.errs
		}
		last = list
	}
}

// errMissing is not fs.ErrNotExist, which would say that there is no such ref.
var errMissing = errors.New("the file is missing")

// open opens the tables of a list. gone says that one of them is not there.
func open(dir, list string, idSize int) (s *Stack, gone bool) {
	s = &Stack{room: boundedfile.MaxList}
	room := int64(boundedfile.MaxList) // for the files
	for name := range strings.Lines(list) {
		name = strings.TrimSuffix(name, "\n")
		if name == "" {
			continue
		}
		var t *table
		data, err := []byte(nil), fmt.Errorf("%q is not the name of a table", name)
		if filepath.IsLocal(name) && !strings.ContainsAny(name, `/\`) {
			data, err = boundedfile.ReadSmall(filepath.Join(dir, name), room)
		}
		switch {
		case err == nil:
			room -= int64(len(data))
			t, err = parse(data, idSize)
		case errors.Is(err, fs.ErrNotExist):
			gone, err = true, errMissing
		}
		if err != nil {
			s.errs = append(s.errs, fmt.Errorf("table %s: %w", name, err))
			continue
		}
		s.tables, s.names = append(s.tables, t), append(s.names, name)
	}
	return s, gone
}

// Refs returns all refs, sorted by name. The errors are about the parts that could not be
// read: refs may be missing then, or be those of before an update.
func (s *Stack) Refs() ([]Ref, []error) {
	var refs []versioned[Ref]
	errs := s.read(func(t *table) section { return t.refs }, func(t *table, r record) error {
		ref, deleted, err := t.ref(r)
		if err == nil {
			err = s.take(len(ref.Name) + len(ref.Target) + 2*t.idSize)
		}
		refs = append(refs, versioned[Ref]{ref, deleted})
		return err
	})
	return newest(refs, func(a, b Ref) int { return strings.Compare(a.Name, b.Name) }), errs
}

// Ref returns the ref with a name, if there is one. It returns an error if a table cannot be
// read that may hold it, or a newer record of it.
func (s *Stack) Ref(name string) (ref Ref, ok bool, err error) {
	if len(s.errs) > 0 {
		return Ref{}, false, s.errs[0]
	}
	for i, t := range slices.Backward(s.tables) {
		found, deleted := false, false
		errs := t.read(t.refs, func(r record) (err error) {
			if string(r.key) != name {
				return t.skipRef(r)
			}
			found = true
			ref, deleted, err = t.ref(r)
			return err
		})
		if len(errs) > 0 {
			return Ref{}, false, fmt.Errorf("table %s: %w", s.names[i], errs[0])
		}
		if found {
			return ref, !deleted, nil
		}
	}
	return Ref{}, false, nil
}

// Logs returns the entries of all reflogs, sorted by ref, the latest first.
func (s *Stack) Logs() ([]Entry, []error) {
	var entries []versioned[Entry]
	errs := s.read(func(t *table) section { return t.logs }, func(t *table, r record) error {
		e, deleted, err := t.entry(r)
		if err == nil {
			err = s.take(len(e.Ref) + len(e.Line) + 2*t.idSize)
		}
		entries = append(entries, versioned[Entry]{e, deleted})
		return err
	})
	return newest(entries, func(a, b Entry) int {
		return cmp.Or(strings.Compare(a.Ref, b.Ref), cmp.Compare(b.index, a.index))
	}), errs
}

// read reads a section of each table, the oldest first.
func (s *Stack) read(of func(*table) section, yield func(*table, record) error) (errs []error) {
	for i, t := range s.tables {
		for _, err := range t.read(of(t), func(r record) error { return yield(t, r) }) {
			errs = append(errs, fmt.Errorf("table %s: %w", s.names[i], err))
		}
	}
	return errs
}

// take makes room for n bytes, about as many as a file of refs or a log would have. Keys
// share prefixes and logs are deflated: a small table may hold terabytes.
func (s *Stack) take(n int) error {
	if s.room -= n; s.room < 0 {
		return damaged("more text than the refs of a repository have")
	}
	return nil
}

// A versioned record has others of the same key behind it that are newer.
type versioned[T any] struct {
	record  T
	deleted bool
}

// newest returns the last of each of the records that are equal, sorted, without deletions.
func newest[T any](all []versioned[T], compare func(a, b T) int) []T {
	slices.SortStableFunc(all, func(a, b versioned[T]) int { return compare(a.record, b.record) })
	list := make([]T, 0, len(all))
	for i, v := range all {
		if last := i+1 == len(all) || compare(v.record, all[i+1].record) != 0; last && !v.deleted {
			list = append(list, v.record)
		}
	}
	return list
}

// ref parses the record of a ref.
func (t *table) ref(r record) (ref Ref, deleted bool, err error) {
	ref.Name = string(r.key)
	r.value.varint() // the number of the update
	switch r.kind {
	case 0:
		deleted = true
	case 1:
		ref.ID = pack.ID(r.value.bytes(uint64(t.idSize)))
	case 2: // and the object that the tag leads to
		ref.ID = pack.ID(r.value.bytes(2 * uint64(t.idSize)))
		ref.ID = ref.ID[:len(ref.ID)/2]
	case 3:
		ref.Target = string(r.value.text())
	default:
		err = damaged("ref %q is of type %d, which is not known", ref.Name, r.kind)
	}
	return ref, deleted, err
}

// skipRef passes over the value of a ref.
func (t *table) skipRef(r record) error {
	r.value.varint()
	switch r.kind {
	case 0:
	case 1, 2:
		r.value.bytes(uint64(r.kind) * uint64(t.idSize))
	case 3:
		r.value.text()
	default:
		return damaged("ref %q is of type %d, which is not known", r.key, r.kind)
	}
	return nil
}

// entry parses the record of a change to a ref. Its key is the name, a zero, and the number of
// the update subtracted from the largest one.
func (t *table) entry(r record) (e Entry, deleted bool, err error) {
	at := len(r.key) - 9
	if at < 0 || r.key[at] != 0 {
		return e, false, damaged("a key of a reflog")
	}
	e.Ref, e.index = string(r.key[:at]), ^binary.BigEndian.Uint64(r.key[at+1:])
	switch r.kind {
	case 0:
		return e, true, nil
	case 1:
	default:
		return e, false, damaged("reflog of %q: an entry of type %d, which is not known", e.Ref, r.kind)
	}
	v := r.value
	e.Old, e.New = pack.ID(v.bytes(uint64(t.idSize))), pack.ID(v.bytes(uint64(t.idSize)))
	who, email, when := v.text(), v.text(), v.varint()
	zone, message := v.bytes(2), v.text()
	if v.bad {
		return e, false, damaged("reflog of %q: an entry is cut off", e.Ref)
	}
	// git writes the zone as in a file, +0130, and not in minutes, as the format says.
	e.Line = fmt.Sprintf("%s %s %s <%s> %d %+05d\t%s", e.Old, e.New, who, email, when, int16(binary.BigEndian.Uint16(zone)), bytes.TrimRight(message, "\n"))
	// Both ids are zero where git notes that there is a reflog, though an empty one.
	return e, strings.Trim(string(e.Old+e.New), "\x00") == "", nil
}

package repo

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/boundedfile"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// Resolve follows a ref, symbolic ones too, to an id, "" if there is no such ref.
func (d Dir) Resolve(name string) (pack.ID, error) {
	tables, err := d.hasReftables()
	if err != nil {
		return "", err
	}
	read := d.readNamed
	if tables {
		read = d.tabledRefs()
	}
	for range 6 { // git follows no more either
		ref, err := read(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return "", nil
		case err != nil:
			return "", fmt.Errorf("reading ref %s: %w", name, err)
		case ref.target == "":
			return ref.ID, nil
		}
		name = ref.target
	}
	return "", fmt.Errorf("reading ref %s: %w: symbolic refs lead to each other", name, objects.ErrMalformed)
}

// readNamed reads a ref by its full name: from a file of the work tree, else from one of
// the repository, else from packed-refs.
func (d Dir) readNamed(name string) (Ref, error) {
	var ref Ref
	err := fs.ErrNotExist
	for _, dir := range []string{d.GitDir, d.CommonDir} {
		if ref, err = ReadRef(filepath.Join(dir, filepath.FromSlash(name))); err == nil || dir == d.CommonDir {
			break
		}
	}
	if err == nil {
		return ref, nil
	}
	// A folder of the name, empty since its last ref was packed, is no ref either.
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, boundedfile.ErrNotRegular) {
		return Ref{}, err
	}
	text, err := boundedfile.ReadSmall(filepath.Join(d.CommonDir, "packed-refs"), boundedfile.MaxList)
	if err != nil {
		return Ref{}, err
	}
	at := bytes.Index(text, []byte(" "+name+"\n"))
	if at < 0 {
		return Ref{}, fs.ErrNotExist
	}
	id, ok := pack.ParseID(text[bytes.LastIndexByte(text[:at], '\n')+1 : at])
	if !ok {
		return Ref{}, objects.ErrMalformed
	}
	return Ref{ID: id}, nil
}

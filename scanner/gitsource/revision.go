package gitsource

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// Refs returns the refs whose full names begin with prefix, "refs/remotes/origin/",
// and the ids of what they point to, in hex. Symbolic refs are left out: what they
// name has a name of its own. If some cannot be read, it returns the others with an
// error; if none can, nil.
func (r *Repository) Refs(prefix string) (map[string]string, error) {
	if err := r.refsReadable(); err != nil {
		return nil, err
	}
	s := r.readRefs(strings.TrimSuffix(prefix[:strings.LastIndexByte(prefix, '/')+1], "/"))
	found := map[string]string{}
	for _, ref := range s.roots {
		if strings.HasPrefix(ref.name, prefix) && ref.id != "" {
			found[ref.name] = ref.id.String()
		}
	}
	if len(s.broken) > 0 {
		return found, s.broken[0].Err
	}
	return found, nil
}

// Resolve returns the id, in hex, of what a ref points to: HEAD, MERGE_HEAD, or a
// full name. It is "" if there is no such ref, as for HEAD before the first commit.
func (r *Repository) Resolve(name string) (string, error) {
	id, err := r.resolve(name)
	return id.String(), err
}

func (r *Repository) resolve(name string) (pack.ID, error) {
	if err := r.refsReadable(); err != nil {
		return "", err
	}
	for range 6 { // git follows no more either
		ref, err := r.readNamed(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return "", nil
		case err != nil:
			return "", fmt.Errorf("reading ref %s: %w", name, err)
		case ref.target == "":
			return ref.id, nil
		}
		name = ref.target
	}
	return "", fmt.Errorf("reading ref %s: %w: symbolic refs lead to each other", name, errMalformed)
}

// refsReadable returns an error if the refs are not in files.
func (r *Repository) refsReadable() error {
	if storage := refStorage(readConfig(r.commonDir)); storage != "" {
		return fmt.Errorf("refs are kept as %s, which stanch cannot read; git refs migrate --ref-format=files changes that", storage)
	}
	return nil
}

// readNamed reads a ref by its full name: from a file of the work tree, else from one of
// the repository, else from packed-refs.
func (r *Repository) readNamed(name string) (root, error) {
	var ref root
	err := fs.ErrNotExist
	for _, dir := range []string{r.gitDir, r.commonDir} {
		if ref, err = readRef(filepath.Join(dir, filepath.FromSlash(name))); err == nil || dir == r.commonDir {
			break
		}
	}
	if err == nil {
		return ref, nil
	}
	// A folder of the name, empty since its last ref was packed, is no ref either.
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errNotRegular) {
		return root{}, err
	}
	text, err := readSmall(filepath.Join(r.commonDir, "packed-refs"), maxList)
	if err != nil {
		return root{}, err
	}
	at := bytes.Index(text, []byte(" "+name+"\n"))
	if at < 0 {
		return root{}, fs.ErrNotExist
	}
	id, ok := pack.ParseID(text[bytes.LastIndexByte(text[:at], '\n')+1 : at])
	if !ok {
		return root{}, errMalformed
	}
	return root{id: id}, nil
}

package gitsource

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// staged returns the paths that the indexes of the work trees have for ids, and what
// of them could not be read.
func (r *Repository) staged(ids []pack.ID) (map[pack.ID]string, error) {
	staged := map[pack.ID]string{}
	for _, id := range ids {
		staged[id] = ""
	}
	files, _ := filepath.Glob(filepath.Join(r.commonDir, "worktrees", "*", "index"))
	shared, _ := filepath.Glob(filepath.Join(r.commonDir, "sharedindex.*")) // git-update-index(1), --split-index
	files = append(append(files, shared...), filepath.Join(r.commonDir, "index"))
	if r.gitDir != r.commonDir {
		files = append(files, filepath.Join(r.gitDir, "index")) // again, with the names of this work tree
	}
	if file := os.Getenv("GIT_INDEX_FILE"); file != "" {
		files = append(files, file)
	}
	var errs []error
	for _, file := range files {
		data, err := readSmall(file, maxList)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = readIndex(staged, data, hashSize(readConfig(r.commonDir)))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("reading the index %s: %w", file, err))
		}
	}
	return staged, errors.Join(errs...)
}

// readIndex fills in those of paths that are in an index (gitformat-index(5)). Of
// others it keeps nothing: a name of version 4 may be that of the entry before, and
// as long as the file. go-git reads none of SHA-256.
func readIndex(paths map[pack.ID]string, data []byte, hash int) error {
	if len(data) < 12 || string(data[:4]) != "DIRC" {
		return errMalformed
	}
	version, count := binary.BigEndian.Uint32(data[4:]), binary.BigEndian.Uint32(data[8:])
	if version < 2 || version > 4 {
		return fmt.Errorf("version %d is not known", version)
	}
	data = data[12:]
	var name []byte
	for range count {
		id, rest, ok := indexEntry(&name, data, int(version), hash)
		if !ok {
			return errMalformed
		}
		data = rest
		if _, ok := paths[id]; ok && len(name) > 0 { // else it is that of the shared index
			paths[id] = cut(string(name))
		}
	}
	return nil
}

// indexEntry reads the entry that data begins with. name is that of the entry before,
// and then of this.
func indexEntry(name *[]byte, data []byte, version, hash int) (id pack.ID, rest []byte, ok bool) {
	const stat = 40 // times, mode, size …
	fixed := stat + hash + 2
	if len(data) < fixed+2 {
		return "", nil, false
	}
	if version >= 3 && data[stat+hash]&0x40 != 0 { // more flags
		fixed += 2
	}
	text, keep := data[fixed:], 0
	if version == 4 { // as many bytes less of the name before, and what follows them
		drop, n := binaryOffset(text)
		if n == 0 || drop > len(*name) {
			return "", nil, false
		}
		text, keep = text[n:], len(*name)-drop
	}
	end := bytes.IndexByte(text, 0)
	if end < 0 {
		return "", nil, false
	}
	*name = append((*name)[:keep], text[:end]...)
	next := len(data) - len(text) + end + 1
	if version < 4 {
		next = (fixed + end + 8) &^ 7
	}
	if next > len(data) {
		return "", nil, false
	}
	return pack.ID(data[stat : stat+hash]), data[next:], true
}

// binaryOffset reads a number of 7 bits a byte, the highest first, with one added at
// each byte but the last (git's varint.c), and returns its length, 0 if it has no
// end.
func binaryOffset(b []byte) (v, n int) {
	for i, c := range b {
		if i > 3 { // more than any path has
			break
		}
		v |= int(c & 0x7f)
		if c < 0x80 {
			return v, i + 1
		}
		v = (v + 1) << 7
	}
	return 0, 0
}

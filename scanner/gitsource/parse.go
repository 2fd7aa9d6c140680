package gitsource

import (
	"bytes"
	"errors"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

var errMalformed = errors.New("malformed")

// A commit holds the links of a commit object; the texts are read again for the
// few that are reported.
type commit struct {
	id, tree plumbing.Hash
	parents  []plumbing.Hash
	when     int64 // of the committer, Unix seconds
}

// parseCommit reads the headers: "tree", any "parent", "author", "committer",
// others, then an empty line (git's Documentation/user-manual, "commit object").
func parseCommit(id plumbing.Hash, data []byte) (commit, error) {
	c := commit{id: id}
	tree := false
	for line := range bytes.Lines(data) {
		key, value, _ := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(" "))
		switch h, ok := parseID(value); {
		case len(key) == 0 && len(value) == 0:
			return c, malformedUnless(tree)
		case string(key) == "tree" && ok && !tree:
			c.tree, tree = h, true
		case string(key) == "parent" && ok:
			c.parents = append(c.parents, h)
		case string(key) == "parent" || string(key) == "tree":
			return c, errMalformed
		case string(key) == "committer":
			c.when = signature(value).When.Unix()
		}
	}
	return c, malformedUnless(tree)
}

func malformedUnless(ok bool) error {
	if ok {
		return nil
	}
	return errMalformed
}

// parseTag returns what a tag object points to: its first header.
func parseTag(data []byte) (plumbing.Hash, error) {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	value, ok := bytes.CutPrefix(line, []byte("object "))
	id, valid := parseID(value)
	return id, malformedUnless(ok && valid)
}

// header returns the value of the first header of a commit or tag with the key.
func header(data []byte, key string) []byte {
	for line := range bytes.Lines(data) {
		if len(line) == 1 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte(key+" ")); ok {
			return bytes.TrimSuffix(value, []byte("\n"))
		}
	}
	return nil
}

func signature(value []byte) (s object.Signature) {
	s.Decode(value)
	return s
}

// An entry is a line of a tree object.
type entry struct {
	id   plumbing.Hash
	name []byte // points into the object
	tree bool
}

// parseTree appends the entries of a tree: "<mode> SP <name> NUL <id>" each
// (git's tree-walk.c). Submodules are left out. At an error, the entries before
// it are returned.
func parseTree(dst []entry, data []byte) ([]entry, error) {
	for len(data) > 0 {
		mode, rest, ok := bytes.Cut(data, []byte(" "))
		name, rest, ok2 := bytes.Cut(rest, []byte{0})
		e := entry{name: name}
		if !ok || !ok2 || len(rest) < len(e.id) {
			return dst, errMalformed
		}
		data = rest[copy(e.id[:], rest):]
		// Old versions of git wrote the mode of a tree with a leading zero.
		switch string(bytes.TrimLeft(mode, "0")) {
		case "160000":
			continue
		case "40000":
			e.tree = true
		}
		dst = append(dst, e)
	}
	return dst, nil
}

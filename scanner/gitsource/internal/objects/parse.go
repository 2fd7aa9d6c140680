package objects

import (
	"bytes"
	"errors"
	"time"

	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
)

// ErrMalformed says that the content of an object, ref or index makes no sense.
var ErrMalformed = errors.New("malformed")

// CommitLinks are the ids in a commit, and its date.
type CommitLinks struct {
	Tree    pack.ID
	Parents []pack.ID
	When    int64 // of the committer, Unix seconds
}

// ParseCommit reads the headers: "tree", any "parent", "author", "committer", others, then
// an empty line (git's Documentation/user-manual, "commit object"). It appends the parents
// to the parents in dst.
func ParseCommit(dst CommitLinks, data []byte) (CommitLinks, error) {
	for len(data) > 0 {
		line, rest, _ := bytes.Cut(data, []byte{'\n'})
		data = rest
		if len(line) == 0 {
			break
		}
		key, value, _ := bytes.Cut(line, []byte{' '})
		switch string(key) {
		case "tree":
			id, ok := pack.ParseID(value)
			if !ok {
				return dst, ErrMalformed
			}
			if dst.Tree == "" {
				dst.Tree = id
			}
		case "parent":
			id, ok := pack.ParseID(value)
			if !ok {
				return dst, ErrMalformed
			}
			dst.Parents = append(dst.Parents, id)
		case "committer":
			dst.When = seconds(value)
		}
	}
	if dst.Tree == "" {
		return dst, ErrMalformed
	}
	return dst, nil
}

// seconds returns the time in "Name <e-mail> seconds zone", 0 if there is none.
func seconds(signature []byte) (t int64) {
	rest := signature[bytes.LastIndexByte(signature, '>')+1:]
	for _, c := range bytes.TrimLeft(rest, " ") {
		if c < '0' || c > '9' || t > 1<<40 {
			break
		}
		t = t*10 + int64(c-'0')
	}
	return t
}

// ParseTag returns the id that a tag object points to: its first header.
func ParseTag(data []byte) (pack.ID, error) {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	value, ok := bytes.CutPrefix(line, []byte("object "))
	id, valid := pack.ParseID(value)
	if !ok || !valid {
		return "", ErrMalformed
	}
	return id, nil
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

// Signature returns who made a commit or tag and when, from the header with the key.
func Signature(data []byte, key string) (s object.Signature) {
	s.Decode(header(data, key))
	s.When = saneTime(s.When)
	return s
}

// saneTime returns t, or zero if t has no meaning or JSON cannot hold it.
func saneTime(t time.Time) time.Time {
	if t.Unix() == 0 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// A TreeEntry is a line of a tree object: "<mode> SP <name> NUL <id>" (git's
// tree-walk.c). It points into the object.
type TreeEntry struct {
	Name, ID []byte
	Mode     Mode
}

// A Mode is the kind of a tree entry. All files have the same kind, symbolic links
// included.
type Mode uint8

const (
	File Mode = iota
	Directory
	Submodule
)

// ParseTreeEntry reads the entry that data begins with, and returns its length, 0 if
// it is malformed.
func ParseTreeEntry(data []byte, hash int) (e TreeEntry, n int) {
	space := bytes.IndexByte(data[:min(len(data), 8)], ' ')
	if space <= 0 {
		return e, 0
	}
	nul := bytes.IndexByte(data[space+1:], 0)
	n = space + 1 + nul + 1 + hash
	if nul < 0 || n > len(data) {
		return e, 0
	}
	e.Name, e.ID = data[space+1:space+1+nul], data[n-hash:n]
	// Old versions of git wrote the mode of a tree with a leading zero.
	switch m := data[:space]; {
	case string(m) == "40000" || string(m) == "040000":
		e.Mode = Directory
	case string(m) == "160000":
		e.Mode = Submodule
	}
	return e, n
}

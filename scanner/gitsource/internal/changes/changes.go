// Package changes reads the difference that a commit makes: between the index and HEAD
// (StagedFiles), or between each commit of a range and its parents (CommitRange).
//
//	commit walk or index ──► diff: files that equal no parent ──► added lines ──► yield
//
// Detection sees whole files, so that an id and its secret are found together even if only
// one of them is new. Blob.New tells the new lines from the others afterwards.
package changes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/gitsource/internal/repo"
)

// contentReader yields the new content of changes, and remembers where it is.
type contentReader struct {
	store *objects.Store
	limit int64
	kind  finding.Kind // of contents
	yield func(scanner.Blob) error
	// CountLines makes it count new lines. Then it reads the versions before of all texts,
	// otherwise only of texts with a hit.
	CountLines bool

	Files, Lines atomic.Int64

	mu           sync.Mutex
	locations    map[finding.BlobID][]location
	removed      []removedFile
	removedLines func() lineSet // made when it is needed: the lines of gone
}

// A location is where a text was found.
type location struct {
	kind   finding.Kind
	path   string
	commit pack.ID // "" if there is none yet
}

// maxRemoved is how many removed files are read, to recognise the old lines of a file that
// was renamed and edited. Beyond that all lines of new files are new: git gives up looking
// for renames at as many (diff.renameLimit).
const maxRemoved = 1000

// readAll reads the files of list, several at once. removed are the files that the same change
// has removed.
func (c *contentReader) readAll(ctx context.Context, list []changedFile, gone []removedFile, commit pack.ID) error {
	c.removed = gone
	c.removedLines = sync.OnceValue(c.readRemovedLines)
	renamed := map[pack.ID]bool{}
	for _, g := range gone {
		renamed[g.id] = true
	}
	contents := c.groupByContent(list, commit)
	var next atomic.Int64
	read := func(ctx context.Context) error {
		return pack.Guard(func() error {
			for i := next.Add(1) - 1; i < int64(len(contents)); i = next.Add(1) - 1 {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				x := contents[i]
				if err := c.read(x, renamed[x.files[0].id], commit); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if len(contents) == 1 { // in a push of many small commits, goroutines cost a third of the time
		return read(ctx)
	}
	group, each := errgroup.WithContext(ctx)
	// One goroutine for all files of a CPU: the stack of each grows, which would take 7 % of
	// the time if each file had its own.
	for range min(runtime.GOMAXPROCS(0), len(contents)) {
		group.Go(func() error { return read(each) })
	}
	return errors.Join(group.Wait(), ctx.Err())
}

// A content is shared by changed files with the same id.
type content struct {
	files []changedFile
	known bool // it was read before
}

// groupByContent groups list, in its order.
func (c *contentReader) groupByContent(list []changedFile, commit pack.ID) []*content {
	var groups []*content
	at := map[pack.ID]*content{}
	for _, x := range list {
		first := c.addLocation(finding.BlobID(x.id.String()), location{c.kind, x.path, commit})
		if at[x.id] == nil {
			at[x.id] = &content{known: !first}
			groups = append(groups, at[x.id])
		}
		at[x.id].files = append(at[x.id].files, x)
	}
	return groups
}

// addLocation remembers a location of a text, and reports whether it is the first.
func (c *contentReader) addLocation(id finding.BlobID, where location) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.locations == nil {
		c.locations = map[finding.BlobID][]location{}
	}
	known := c.locations[id]
	if len(known) < repo.MaxLocations {
		c.locations[id] = append(known, where)
	}
	return len(known) == 0
}

// read yields the names of files that are new, and the content.
func (c *contentReader) read(same *content, renamed bool, commit pack.ID) error {
	for _, x := range same.files {
		c.Files.Add(1)
		if len(x.olds) == 0 {
			if err := c.yieldName(x.path, commit); err != nil {
				return err
			}
		}
	}
	x := same.files[0]
	if same.known || renamed && !x.whole {
		return nil
	}
	id := x.id.String()
	b := scanner.Blob{ID: finding.BlobID(id), Kind: c.kind, Name: x.path}
	typ, data, err := c.store.Read(x.id, min(c.limit, scanner.LargeText))
	if tooLarge := (*pack.TooLargeError)(nil); errors.As(err, &tooLarge) {
		if large, err := c.yieldLarge(b, x.id); large || err != nil {
			return err
		}
		typ, data, err = c.store.Read(x.id, c.limit)
	}
	switch {
	case err != nil:
		b.Err = fmt.Errorf("object %s: %w", id, err)
		return c.yield(b)
	case typ != pack.Blob:
		b.Err = fmt.Errorf("object %s: %w: a %s where a file should be", id, objects.ErrMalformed, typ)
		return c.yield(b)
	}
	b.Data = data
	if x.whole {
		c.Lines.Add(countLines(data))
		return c.yield(b)
	}
	versions := sync.OnceValue(func() []*addedLines { return c.addedLinesOf(data, same.files) })
	if c.CountLines {
		c.Lines.Add(int64(slices.MaxFunc(versions(), func(a, b *addedLines) int { return a.count - b.count }).count))
	}
	b.New = func(from, to int) bool {
		return slices.ContainsFunc(versions(), func(a *addedLines) bool { return a.overlaps(from, to) })
	}
	return c.yield(b)
}

// yieldName yields the path of a new file, as a text.
func (c *contentReader) yieldName(path string, commit pack.ID) error {
	id := finding.BlobID("path " + path)
	if !c.addLocation(id, location{finding.KindPath, path, commit}) {
		return nil
	}
	return c.yield(scanner.Blob{ID: id, Kind: finding.KindPath, Name: path, Data: []byte(path)})
}

// addedLinesOf finds the new lines of data at each of its paths.
func (c *contentReader) addedLinesOf(data []byte, files []changedFile) (versions []*addedLines) {
	for _, x := range files {
		var olds [][]byte
		for _, old := range x.olds {
			if _, was, err := c.store.Read(old, c.limit); err == nil { // else more is new
				olds = append(olds, was)
			}
		}
		known := lineSet{}
		if len(x.olds) == 0 {
			known = c.removedLines()
		}
		versions = append(versions, findAddedLines(data, olds, known))
	}
	return versions
}

// readRemovedLines returns the lines of the files that were removed.
func (c *contentReader) readRemovedLines() (lines lineSet) {
	n := 0
	queue := slices.Clone(c.removed)
	for len(queue) > 0 {
		g := queue[0]
		queue = queue[1:]
		if n++; n > maxRemoved {
			return lineSet{}
		}
		typ, data, err := c.store.Read(g.id, c.limit)
		switch {
		case err != nil: // then more is new
		case typ == pack.Blob:
			lines.add(data)
		case typ == pack.Tree:
			for len(data) > 0 {
				e, size := objects.ParseTreeEntry(data, c.store.Hash)
				if size == 0 {
					break
				}
				if e.Mode != objects.Submodule {
					queue = append(queue, removedFile{pack.ID(e.ID), e.Mode})
				}
				data = data[size:]
			}
		}
	}
	return lines
}

// yieldLarge yields a loose object in windows if it is too large to be held. All of it
// counts as new.
func (c *contentReader) yieldLarge(b scanner.Blob, id pack.ID) (large bool, err error) {
	for _, l := range c.store.LooseCopies(id) {
		if large, err := c.yieldLargeFile(b, c.store.LooseFile(l)); large || err != nil {
			return large, err
		}
	}
	return false, nil
}

func (c *contentReader) yieldLargeFile(b scanner.Blob, file string) (large bool, err error) {
	var files pack.Loose
	o, err := files.Open(file)
	if err != nil {
		return false, nil // the read that follows looks for other copies, and reports the error
	}
	defer o.Close()
	if o.Type != pack.Blob || o.Size <= scanner.LargeText {
		return false, nil
	}
	var stop error
	read := scanner.Windows(o, b, func(w scanner.Blob) error {
		c.Lines.Add(countLines(w.Data[min(overlap(w), len(w.Data)):]))
		stop = c.yield(w)
		return stop
	})
	if read != nil && stop == nil {
		b.Err = read
		return true, c.yield(b)
	}
	return true, stop
}

// overlap is how much of a window the one before has held.
func overlap(w scanner.Blob) int {
	if w.Window.Offset == 0 {
		return 0
	}
	return scanner.Overlap
}

func countLines(text []byte) int64 {
	n := bytes.Count(text, []byte{'\n'})
	if len(text) > 0 && text[len(text)-1] != '\n' {
		n++
	}
	return int64(n)
}

// Locate yields the locations of ids.
func (c *contentReader) Locate(ctx context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	for _, id := range ids {
		for _, p := range c.locations[id] {
			if err := ctx.Err(); err != nil {
				return err
			}
			if c.isInCommit(id, p) {
				continue
			}
			if err := yield(id, c.provenance(p)); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// isInCommit reports whether p, in a tree that was read by itself, is known to be in a commit
// as well: a scan of the newest commit with all of its files reads both.
func (c *contentReader) isInCommit(id finding.BlobID, p location) bool {
	return p.commit == "" && slices.ContainsFunc(c.locations[id], func(other location) bool {
		return other.commit != "" && other.kind == p.kind && other.path == p.path
	})
}

// provenance returns a location as a report has it.
func (c *contentReader) provenance(p location) finding.Location {
	out := finding.Location{Kind: p.kind, Path: p.path}
	if p.commit == "" {
		return out
	}
	out.Commit = p.commit.String()
	if typ, data, err := c.store.Read(p.commit, objects.MinGraphLimit); err == nil && typ == pack.Commit {
		who := objects.Signature(data, "author")
		out.Author, out.Email, out.Time = who.Name, who.Email, who.When
	}
	return out
}

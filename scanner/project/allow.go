package project

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/detectors/rules"
	"github.com/stanch-dev/stanch/scanner/textfile"
)

// An Allowance asks for an entry [[allow]] in a configuration of stanch.
type Allowance struct {
	File string
	Name string // of the file in errors
	// Root is that of the project whose file it is, "" for a file that the user names: scans
	// read a link in a project only if it leads to another of its files.
	Root         string
	Reason       string
	Until        time.Time // the beginning of the last day; zero is for ever
	Fingerprints []string
	Now          time.Time
}

// Allowed says how Allow has left the file.
type Allowed struct {
	New     []string // fingerprints that have an entry now
	Line    int      // of that entry
	Created bool     // there was no file
	// Old has the fingerprints that had an entry before, Over those whose entry had expired.
	Old, Over []AllowedBefore
}

// An AllowedBefore is a fingerprint with the entry that it had.
type AllowedBefore struct {
	Fingerprint string
	rules.Note
}

// ErrUnwritable is the error for a file that cannot be changed, whatever it holds.
var ErrUnwritable = errors.New("cannot be written")

// Allow adds an entry for the fingerprints that the file does not allow yet. The file keeps its
// text, its mode and the links that lead to it, and changes in one step. After an error it is as
// it was: one is that the file allows a fingerprint until another day than the one asked for.
func (a *Allowance) Allow() (*Allowed, error) {
	e, err := openEdit(a.File, a.Root)
	if err != nil {
		return nil, unwritable(err)
	}
	defer e.discard()
	done := &Allowed{Created: e.isNew}
	if err := a.judge(e.data, done); err != nil || len(done.New) == 0 {
		return done, err
	}
	data, err := textfile.UTF8(e.data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.Name, err)
	}
	mark := e.data[:len(e.data)-len(data)]
	text, line, err := rules.AddAllow(a.Name, data, a.Reason, a.Until, done.New)
	if err != nil {
		return nil, err
	}
	done.Line = line
	return done, unwritable(e.commit(slices.Concat(mark, text)))
}

// judge sorts the fingerprints by the entries that data has for them.
func (a *Allowance) judge(data []byte, done *Allowed) error {
	data, err := textfile.UTF8(data)
	if err != nil {
		return fmt.Errorf("%s: %w", a.Name, err)
	}
	own := &rules.Own{}
	if rules.IsOwn(data) { // else AddAllow refuses it
		if own, err = rules.ReadOwn(a.Name, data, time.Local); err != nil {
			return err
		}
	}
	for _, fingerprint := range a.Fingerprints {
		var in, over *rules.Allow
		for _, entry := range own.Allow {
			switch {
			case !entry.Hides(fingerprint):
			case entry.Expired(a.Now):
				over = entry
			case in == nil:
				in = entry
			}
		}
		switch {
		case in != nil && !a.Until.IsZero() && !a.Until.Equal(in.Expires):
			return fmt.Errorf("%s: line %d allows %s already, %s: to change that, set expires there", a.Name, in.Line, fingerprint, Term(in.Expires))
		case in != nil:
			done.Old = append(done.Old, AllowedBefore{fingerprint, in.Note})
			continue
		case over != nil:
			done.Over = append(done.Over, AllowedBefore{fingerprint, over.Note})
		}
		done.New = append(done.New, fingerprint)
	}
	return nil
}

// NewConfig is the file that a project begins with. It says nothing but in comments: a line that
// begins with "#" and no space is a sample.
//
//go:embed sample.toml
var NewConfig string

// Term says until when an entry counts whose last day begins at until.
func Term(until time.Time) string {
	if until.IsZero() {
		return "for ever"
	}
	return "until " + until.Format(time.DateOnly)
}

// CreateConfig writes a new file, and is an error if there is one.
func CreateConfig(file, root string, text []byte) error {
	e, err := openEdit(file, root)
	if err != nil {
		return unwritable(err)
	}
	defer e.discard()
	if !e.isNew {
		return fs.ErrExist
	}
	return unwritable(e.commit(text))
}

func unwritable(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrUnwritable, err)
}

// An edit is a file that is being changed. While it is open, no other process has an edit of it.
type edit struct {
	path  string // links followed
	isNew bool
	mode  fs.FileMode
	data  []byte   // that the file holds
	next  *os.File // the lock, which gets the new text and then the name of the file
}

// openEdit opens the configuration called name. An error does not name it.
func openEdit(name, root string) (*edit, error) {
	e := &edit{path: name}
	if _, err := os.Lstat(name); err == nil {
		if e.path, err = filepath.EvalSymlinks(name); err != nil {
			return nil, errors.New("it is a symbolic link that leads nowhere")
		}
		if _, inside := below(root, e.path); root != "" && !inside {
			return nil, errors.New("it is a symbolic link that leads out of the project, and scans do not read it")
		}
	}
	if info, err := os.Stat(e.path); err == nil && !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	if err := e.lock(); err != nil {
		return nil, err
	}
	err := e.read()
	if err != nil {
		e.discard()
		return nil, err
	}
	return e, nil
}

// lockWait is how long an edit waits for another one.
const lockWait = 2 * time.Second

// lock creates the file that will replace the old one. As it can be created only once, it keeps
// other processes out, as in git (gitformat-index(5), index.lock).
func (e *edit) lock() (err error) {
	name := e.path + ".lock"
	for deadline := time.Now().Add(lockWait); ; time.Sleep(10 * time.Millisecond) {
		e.next, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		switch {
		case errors.Is(err, fs.ErrExist) && time.Now().After(deadline):
			return fmt.Errorf("another process is writing it, or was stopped while it did; if none is, remove %s", name)
		case !errors.Is(err, fs.ErrExist):
			return withoutPath(err)
		}
	}
}

// read reads the file, which nobody else changes from now on.
func (e *edit) read() error {
	info, err := os.Stat(e.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.isNew = true
		return nil
	case err != nil:
		return withoutPath(err)
	case info.Mode().Perm()&0o200 == 0:
		return errors.New("it is read-only: make it writable, then run the command again")
	}
	e.mode = info.Mode().Perm()
	e.data, err = os.ReadFile(e.path)
	return withoutPath(err)
}

// commit gives the file its new text.
func (e *edit) commit(text []byte) error {
	_, err := e.next.Write(text)
	if err == nil && !e.isNew {
		err = e.next.Chmod(e.mode)
	}
	err = errors.Join(err, e.next.Sync(), e.next.Close())
	if err == nil {
		err = os.Rename(e.next.Name(), e.path)
	}
	if err == nil {
		e.next = nil
	}
	return withoutPath(err)
}

// discard removes the lock, unless commit has renamed it.
func (e *edit) discard() {
	if e.next != nil {
		_ = e.next.Close()
		_ = os.Remove(e.next.Name())
	}
}

// withoutPath returns the cause of an error about a file, whose path says nothing to the user.
func withoutPath(err error) error {
	var of *fs.PathError
	var renamed *os.LinkError
	switch {
	case errors.As(err, &of):
		return of.Err
	case errors.As(err, &renamed):
		return renamed.Err
	}
	return err
}

// Package atomicfile writes files that appear under their name only when they are whole.
//
// A reader sees the old file or the new one, never half of one: the text goes to a
// temporary file in the same folder, which then takes the name (rename(2) replaces in one
// step). It imports the standard library only, so that every package may use it.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Write replaces the file called name by data, with exactly the permissions perm. If it
// fails, the old file is as it was and no temporary file stays behind.
func Write(name string, data []byte, perm fs.FileMode) error {
	f, err := Create(name)
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Chmod(perm); err != nil {
		return err
	}
	return f.Commit()
}

// A File is one that is being written. Only one goroutine may use it.
type File struct {
	*os.File
	name string // "" once the file is committed or discarded
}

// Create returns a File that Commit calls name. Until then it has another name in the
// same folder, which begins with ".stanch-", and only its owner can read it (mode 0600).
func Create(name string) (*File, error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".stanch-*")
	if err != nil {
		return nil, err
	}
	return &File{f, name}, nil
}

// Commit writes the file to disk, closes it and gives it its name. After an error it
// has removed the file.
func (f *File) Commit() error {
	err := errors.Join(f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.File.Name(), f.name)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.File.Name()))
	}
	f.name = ""
	return err
}

// Discard closes and removes the file, unless Commit was called. It may be deferred.
func (f *File) Discard() {
	if f.name == "" {
		return
	}
	_ = f.Close()
	_ = os.Remove(f.File.Name())
	f.name = ""
}

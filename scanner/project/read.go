package project

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/stanch-dev/stanch/scanner/textfile"
)

// maxConfig bounds the size of a file, which may be a stranger's.
const maxConfig = 64 << 20

var errNotRegular = errors.New("it is not a regular file")

// readNamed returns the text of a file that the user names. Where the project is read from a
// commit, so are such files below its root: a pull request could change them. The text is nil
// if the commit does not have the file, and a note says so.
func (c *Config) readNamed(name string) ([]byte, error) {
	inside := c.inProject(name)
	if c.options.Trusted == nil || inside == "" {
		return text(name, os.ReadFile)
	}
	data, err := text(inside, c.options.Trusted)
	if err == nil && data == nil {
		c.Notes.Add("%s is not in the commit that the change will be merged into, and does not count until it is", name)
	}
	return data, err
}

// inProject returns the path of a file below the root of the project, with slashes; "" if it is
// elsewhere.
func (c *Config) inProject(name string) string {
	abs, err := filepath.Abs(name)
	if err != nil || c.root == "" {
		return ""
	}
	rel, _ := below(c.root, abs)
	return rel
}

// text returns what read reads, as UTF-8; nil if that is nil.
func text(name string, read func(string) ([]byte, error)) ([]byte, error) {
	data, err := read(name)
	if err != nil || data == nil {
		return nil, err
	}
	data, err = textfile.UTF8(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}

// readIn returns the content of a file below root, nil if it is not there.
func readIn(root *os.Root, name string) ([]byte, error) {
	file := filepath.FromSlash(name)
	info, err := root.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case !info.Mode().IsRegular(): // to open a FIFO waits for a writer
		return nil, fmt.Errorf("%s: %w", name, errNotRegular)
	}
	f, err := root.Open(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	defer f.Close()
	data := bytes.NewBuffer(make([]byte, 0, min(info.Size(), maxConfig)+bytes.MinRead))
	switch _, err := data.ReadFrom(io.LimitReader(f, maxConfig+1)); {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case data.Len() > maxConfig:
		return nil, fmt.Errorf("%s: is larger than %d MiB", name, maxConfig>>20)
	}
	return data.Bytes(), nil
}

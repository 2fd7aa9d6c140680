package project

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/stanch-dev/stanch/scanner/baseline"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/suppress"
)

// A namedList is a list with the name of its file, and a line in it, 0 if it is all of it.
type namedList struct {
	name  string
	isOwn bool // the OwnBaseline of the project
	line  int
	*baseline.List
}

// readBaselines reads the baselines. The first bytes of a file tell which tool wrote it; a
// file of no known tool is an error.
func (c *Config) readBaselines() error {
	if c.options.Known != nil {
		c.addList(OwnBaseline, true, c.options.Known)
	}
	for _, name := range c.options.Baselines {
		data, err := c.readNamed(name)
		if err != nil {
			return fmt.Errorf("--baseline: %w", err)
		}
		if data == nil {
			continue
		}
		c.ignored(data)
		if err := c.readBaseline(name, data); err != nil {
			return fmt.Errorf("--baseline: %w", err)
		}
	}
	return nil
}

func (c *Config) readBaseline(name string, data []byte) error {
	text := bytes.TrimSpace(data)
	first, _, _ := bytes.Cut(text, []byte("\n"))
	switch {
	case baseline.Is(data):
		return c.addBaseline(name, false, data)
	case bytes.HasPrefix(text, []byte("[")):
		filter, err := suppress.GitleaksReport(name, text, c.name)
		c.allowAt = append(c.allowAt, filter)
		return err
	case bytes.Contains(first, []byte(`"schema":"stanch/`)):
		var saved entries
		if err := finding.Replay(bytes.NewReader(text), &saved, false); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		c.allow = append(c.allow, suppress.Known(name, baseline.NewList(saved)))
		return nil
	case bytes.HasPrefix(text, []byte("{")):
		filter, err := suppress.DetectSecrets(name, text, c.name)
		c.allowAt = append(c.allowAt, filter)
		return err
	}
	return fmt.Errorf("%s: is not a baseline of stanch or detect-secrets, nor a JSON report of stanch or gitleaks", name)
}

// addBaseline reads a baseline in stanch's own format.
func (c *Config) addBaseline(name string, isOwn bool, data []byte) error {
	list, err := parse(name, data)
	if err == nil {
		c.addList(name, isOwn, list)
	}
	return err
}

func parse(name string, data []byte) (*baseline.List, error) {
	list, err := baseline.Read(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return list, nil
}

func (c *Config) addList(name string, isOwn bool, list *baseline.List) {
	c.lists = append(c.lists, namedList{name, isOwn, 0, list})
	c.allow = append(c.allow, suppress.Known(name, list))
}

// entries is a finding.Handler that keeps the entries of the findings of a report.
type entries []baseline.Entry

func (*entries) Scan(finding.Scan) error             { return nil }
func (*entries) Repository(finding.Repository) error { return nil }
func (*entries) Summary(finding.Summary) error       { return nil }
func (e *entries) Finding(f finding.Finding) error {
	*e = append(*e, baseline.EntriesOf(&f, "")...)
	return nil
}

// ReadOwnBaseline reads the baseline of the project at root, nil if there is none. It refuses a
// symbolic link, which a writer of the file would replace.
func ReadOwnBaseline(root string) (*baseline.List, error) {
	name := filepath.Join(root, OwnBaseline)
	if info, err := os.Lstat(name); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w", name, errNotRegular)
	}
	dir, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	data, err := readIn(dir, OwnBaseline)
	if err != nil || data == nil {
		return nil, err
	}
	return parse(name, data)
}

// ReadBaseline reads the baseline of stanch that a user names, nil if there is none.
func ReadBaseline(name string) (*baseline.List, error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err == nil && !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: %w", name, errNotRegular)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return parse(name, data)
}

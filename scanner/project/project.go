// Package project reads the files in which users write rules and list findings to ignore:
// stanch's configuration, ignore files of other tools, and baselines. The user names some of
// them; others are in the root of the project. There they are read from disk or, for a pull
// request, from the commit that it is merged into: a pull request must not hide its own keys
// with an ignore file. An Allowance adds an entry to such a file.
//
// It is public for the commands of stanch, and no contract.
package project

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/rules"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/baseline"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource"
	"github.com/stanch-dev/stanch/scanner/suppress"
)

// The files that are looked for in the root of the project.
const (
	OwnConfig             = ".stanch.toml"
	OwnBaseline           = ".stanch.baseline"
	GitleaksConfig        = ".gitleaks.toml"
	GitleaksIgnore        = ".gitleaksignore"
	DetectSecretsBaseline = ".secrets.baseline"
	GitAllowed            = ".gitallowed"
)

// Options name the files to read. The zero value reads none.
type Options struct {
	Files     []string // configurations, instead of those of the project
	Baselines []string
	NoIgnores bool   // read nothing in the project, and honour no allow comment
	HonorLive bool   // hide ignored findings even if they are live
	Within    string // a path in the project whose files are read; "" if none are
	Root      string // of the project, if it is known; by default it is looked for
	// Known, if not nil, stands for the OwnBaseline of the project, which is not read.
	Known *baseline.List
	// Trusted, if not nil, reads the files of the project from a commit instead of from disk,
	// those of Files and Baselines that are below its root too. It returns nil data for a file
	// that the commit does not have.
	Trusted func(name string) ([]byte, error)
}

// A Config holds the rules from the user's files, and the filters made from them.
type Config struct {
	options  Options
	now      time.Time
	configs  []*rules.Config
	detector *rules.Detector
	digest   hash.Hash // of the files with rules
	ignores  [][]byte  // ignore files and baselines
	lists    []namedList
	allowed  []namedList // fingerprints in the allowlists of stanch's configuration
	tables   []*table    // its other allowlists, and the parts that it accepts as unread
	root     string      // of the project, "" if there is none
	Notes    suppress.Notes
	allow    []scanner.Filter
	allowAt  []scanner.LocationFilter
	unread   []func(finding.Unread) string
}

// Read reads the files that o names and the files of the project. A file that cannot be
// parsed is an error; an entry that cannot be used is a note.
func Read(o Options) (*Config, error) {
	c := &Config{options: o, now: time.Now(), digest: sha256.New(), root: o.Root}
	if o.Root == "" && o.Within != "" {
		c.root = FindRoot(o.Within)
	}
	for _, read := range []func() error{c.readFiles, c.readProject, c.readBaselines} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	if !o.NoIgnores {
		c.allowAt = append(c.allowAt, suppress.Comments(c.now, &c.Notes))
	}
	for _, x := range c.configs {
		for _, note := range x.Notes {
			c.Notes.Add("%s", note)
		}
		if x.Extends != "" {
			c.Notes.Add("%s: extends the default rules of gitleaks, which stanch does not ship: they are not run. "+
				"To run them, save config/gitleaks.toml of gitleaks and name it as gitleaks_default in %s", x.Name, OwnConfig)
		}
	}
	if err := c.compile(); err != nil {
		return nil, err
	}
	return c, nil
}

// ReadRules reads the rules of the project at root and the parts that it accepts as unread,
// and nothing that ignores findings.
func ReadRules(root string) (*Config, error) {
	c := &Config{options: Options{Within: root}, digest: sha256.New(), root: root}
	if err := errors.Join(c.readFiles(), c.compile()); err != nil {
		return nil, err
	}
	c.allowAt = nil
	return c, nil
}

// compile makes a detector of the rules.
func (c *Config) compile() (err error) {
	if len(c.configs) == 0 {
		return nil
	}
	c.detector, err = rules.NewDetector(c.configs...)
	return err
}

// readFiles reads the configurations that the user names, wherever they are, or else the
// project's.
func (c *Config) readFiles() error {
	if len(c.options.Files) > 0 {
		var all []configFile
		for _, name := range c.options.Files {
			data, err := c.readNamed(name)
			if err != nil {
				return fmt.Errorf("--config: %w", err)
			}
			if data != nil {
				all = append(all, configFile{name, data, func(other string) ([]byte, error) { return c.readNamed(Beside(name, other)) }})
			}
		}
		return c.addAll(all)
	}
	project, done := c.project()
	if project == nil {
		return nil
	}
	defer done()
	var all []configFile
	for _, name := range []string{OwnConfig, GitleaksConfig} {
		data, err := project(name)
		if err != nil {
			return c.namingProject(err)
		}
		if data != nil {
			// The file may be a stranger's: it can name files of its project only.
			all = append(all, configFile{name, data, project})
		}
	}
	return c.namingProject(c.addAll(all))
}

// namingProject adds to err, about a file of the project, which project that is, unless it is that
// of the current folder.
func (c *Config) namingProject(err error) error {
	if err == nil || c.options.Trusted != nil || IsHere(c.root) {
		return err
	}
	return fmt.Errorf("in %s: %w", c.root, err)
}

// IsHere reports whether root is that of the project which the current folder is in.
func IsHere(root string) bool { return root != "" && resolved(root) == resolved(FindRoot(".")) }

// Beside returns the path of other, which the file name refers to.
func Beside(name, other string) string {
	if filepath.IsAbs(other) {
		return other
	}
	return filepath.Join(filepath.Dir(name), other)
}

// project returns a function that reads files of the project, and one to call at the end.
// They are nil if the options say to read no file of the project.
func (c *Config) project() (read func(name string) ([]byte, error), done func()) {
	if c.options.NoIgnores {
		return nil, nil
	}
	if c.options.Trusted != nil {
		return func(name string) ([]byte, error) { return text(name, c.options.Trusted) }, func() {}
	}
	if c.root == "" {
		return nil, nil
	}
	root, err := os.OpenRoot(c.root)
	if err != nil {
		return nil, nil // not a folder: the scan says so
	}
	return func(name string) ([]byte, error) {
		return text(name, func(name string) ([]byte, error) { return readIn(root, name) })
	}, func() { _ = root.Close() }
}

// seen adds a file with rules to the digest.
func (c *Config) seen(data []byte) {
	_, _ = fmt.Fprintf(c.digest, "%d\n%s", len(data), data)
}

// ignored adds an ignore file or a baseline to the digest of ignores. It is hashed if
// somebody asks for the digest, which no hook does.
func (c *Config) ignored(list []byte) { c.ignores = append(c.ignores, list) }

// A configFile is a configuration, with a function that reads the files that it refers to.
type configFile struct {
	name string
	data []byte
	open func(name string) ([]byte, error)
}

// addAll parses configurations, ours first: they name the default rules of gitleaks, which the
// others may extend.
func (c *Config) addAll(files []configFile) error {
	reader := rules.Gitleaks{}
	for _, f := range files {
		c.seen(f.data)
		if !rules.IsOwn(f.data) {
			continue
		}
		own, err := rules.ReadOwn(f.name, f.data, time.Local)
		if err != nil {
			return err
		}
		if err := c.addOwn(own, f, &reader); err != nil {
			return err
		}
	}
	for _, f := range files {
		if rules.IsOwn(f.data) {
			continue
		}
		reader.Open = func(name string) ([]byte, error) {
			data, err := f.open(name)
			if err == nil && data == nil {
				err = fmt.Errorf("%s: %w", name, fs.ErrNotExist)
			}
			c.seen(data)
			return data, err
		}
		x, err := reader.Read(f.name, f.data)
		if err != nil {
			return err
		}
		c.configs = append(c.configs, x)
		c.allowAt = append(c.allowAt, suppress.Gitleaks(x, c.name))
	}
	return nil
}

func (c *Config) addOwn(own *rules.Own, f configFile, reader *rules.Gitleaks) error {
	c.configs = append(c.configs, &own.Config)
	c.addTables(own)
	c.allowAt = append(c.allowAt, suppress.Allow(own, c.name, c.now, &c.Notes))
	c.unread = append(c.unread, suppress.Unread(own, c.now, &c.Notes))
	if own.Gitleaks == "" {
		return nil
	}
	data, err := f.open(own.Gitleaks)
	if err != nil || data == nil {
		return fmt.Errorf("%s: gitleaks_default: %w", f.name, errors.Join(err, notThere(own.Gitleaks, data)))
	}
	c.seen(data)
	reader.Default, reader.DefaultName = data, own.Gitleaks
	return nil
}

func notThere(name string, data []byte) error {
	if data == nil {
		return fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	return nil
}

// readProject reads the baseline and the ignore files of the project, of all tools.
func (c *Config) readProject() error {
	project, done := c.project()
	if project == nil {
		return nil
	}
	defer done()
	return c.namingProject(c.readIgnores(project))
}

func (c *Config) readIgnores(project func(name string) ([]byte, error)) error {
	if c.options.Known == nil {
		data, err := project(OwnBaseline)
		if err == nil && data != nil {
			c.ignored(data)
			err = c.addBaseline(OwnBaseline, true, data)
		}
		if err != nil {
			return err
		}
	}
	for _, x := range []struct {
		name string
		read func(name string, data []byte) (scanner.LocationFilter, error)
	}{
		{GitleaksIgnore, func(name string, data []byte) (scanner.LocationFilter, error) {
			return suppress.GitleaksIgnore(name, data, c.name, &c.Notes)
		}},
		{DetectSecretsBaseline, func(name string, data []byte) (scanner.LocationFilter, error) {
			return suppress.DetectSecrets(name, data, c.name)
		}},
		{GitAllowed, func(name string, data []byte) (scanner.LocationFilter, error) {
			return suppress.GitSecrets(name, suppress.Lines(data), c.name)
		}},
	} {
		data, err := project(x.name)
		if err != nil {
			return err
		}
		if data == nil {
			continue
		}
		c.ignored(data)
		filter, err := x.read(x.name, data)
		if err != nil {
			return err
		}
		c.allowAt = append(c.allowAt, filter)
	}
	allowed := append(gitsource.UserSettings("secrets", "allowed"), gitsource.Settings(c.root, "secrets", "allowed")...)
	if len(allowed) > 0 {
		c.ignored(fmt.Appendf(nil, "%q", allowed))
		filter, err := suppress.GitSecrets("secrets.allowed of git's configuration", allowed, c.name)
		if err != nil {
			return err
		}
		c.allowAt = append(c.allowAt, filter)
	}
	return nil
}

// Root returns the root of the project, "" if there is none.
func (c *Config) Root() string { return c.root }

// Rules returns the rules of the user, which reports explain.
func (c *Config) Rules() []*detectors.Rule {
	if c.detector == nil {
		return nil
	}
	return c.detector.Rules()
}

// Extend returns set with the rules of the user added.
func (c *Config) Extend(set *detectors.Set) *detectors.Set {
	if c.detector == nil || len(c.Rules()) == 0 {
		return set
	}
	return set.WithPlain(c.detector)
}

// Suppress sets the filters of sc that ignore findings as the user says.
func (c *Config) Suppress(sc *scanner.Scanner) {
	sc.Allow, sc.AllowAt = c.allow, c.allowAt
	if len(c.lists)+len(c.allowed)+len(c.tables) > 0 {
		sc.Allow = append([]scanner.Filter{c.noteUsed}, c.allow...)
	}
	sc.HonorIgnoresForLive = c.options.HonorLive
	if len(c.unread) > 0 {
		sc.AllowUnread = func(u finding.Unread) string {
			c.noteAccepted(u)
			for _, accept := range c.unread {
				if why := accept(u); why != "" {
					return why
				}
			}
			return ""
		}
	}
}

// NewNotes returns the notes that it has not returned before, on entries of files that cannot
// be used or have expired.
func (c *Config) NewNotes() []string { return c.Notes.New() }

// RulesDigest returns a hash of the files with rules.
func (c *Config) RulesDigest() []byte { return c.digest.Sum(nil) }

// IgnoresDigest returns a hash of all that decides which findings are ignored: files, options,
// and entries that have expired.
func (c *Config) IgnoresDigest() []byte {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%v %v %q", c.options.NoIgnores, c.options.HonorLive, c.Notes.List())
	for _, list := range c.ignores {
		_, _ = fmt.Fprintf(h, "%d\n%s", len(list), list)
	}
	return h.Sum(nil)
}

// Package migrate writes the rules and ignore files of other tools in the format of stanch.
//
// It is public for the commands of stanch, and no contract.
package migrate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/rules"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/dirsource"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/project"
	"github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/scanner/suppress"
	"github.com/stanch-dev/stanch/scanner/textfile"
	"github.com/stanch-dev/stanch/verifier"
)

// A Migration writes files of other tools in the format of stanch.
type Migration struct {
	Root string // of the project
	Out  io.Writer
	// Unread lists the parts of the project that could not be read, sorted. A finding in
	// them that a file hides has no entry.
	Unread []finding.Unread
}

// A ScanError says why the project could not be scanned, to see which findings a file hides.
type ScanError struct{ err error }

// Error implements error.
func (e *ScanError) Error() string { return e.err.Error() }

// Unwrap returns the error of the scan.
func (e *ScanError) Unwrap() error { return e.err }

// Project writes the files in the root of the project, and the patterns of git-secrets in
// git's configuration.
func (m *Migration) Project(ctx context.Context) error {
	var found []string
	for _, name := range []string{project.GitleaksConfig, project.GitleaksIgnore, project.DetectSecretsBaseline, project.GitAllowed} {
		path := filepath.Join(m.Root, name)
		if _, err := os.Stat(path); err == nil {
			found = append(found, path)
		}
	}
	patterns := gitsource.Settings(m.Root, "secrets", "patterns")
	allowed := gitsource.Settings(m.Root, "secrets", "allowed")
	if len(found)+len(patterns)+len(allowed) == 0 {
		return errors.New("there is nothing to migrate: no file of gitleaks, detect-secrets or git-secrets in the root of the project")
	}
	if err := m.Files(ctx, found); err != nil {
		return err
	}
	_, err := io.WriteString(m.Out, rules.NativePatterns("git's configuration", patterns, allowed))
	return err
}

// Files writes the files that are named.
func (m *Migration) Files(ctx context.Context, names []string) error {
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if data, err = textfile.UTF8(data); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		text, err := m.file(ctx, name, data)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(m.Out, "# From %s.\n%s", printable.Text(name), text); err != nil {
			return err
		}
	}
	return nil
}

func (m *Migration) file(ctx context.Context, name string, data []byte) (string, error) {
	var filter scanner.LocationFilter
	var err error
	base := filepath.Base(name)
	switch {
	case strings.HasSuffix(base, ".toml"):
		reader := rules.Gitleaks{Open: func(other string) ([]byte, error) { return os.ReadFile(project.Beside(name, other)) }}
		c, err := reader.Read(base, data)
		if err != nil {
			return "", err
		}
		return rules.Native(c), nil
	case base == project.GitAllowed:
		allowed := []string{}
		for _, line := range suppress.Lines(data) {
			if line != "" && !strings.HasPrefix(line, "#") {
				allowed = append(allowed, line)
			}
		}
		return rules.NativePatterns(base, nil, allowed), nil
	case base == project.GitleaksIgnore:
		filter, err = suppress.GitleaksIgnore(base, data, m.path, &suppress.Notes{})
	case strings.HasPrefix(strings.TrimSpace(string(data)), "{"):
		filter, err = suppress.DetectSecrets(base, data, m.path)
	default:
		return "", fmt.Errorf("%s: not a file of gitleaks (.toml, %s), detect-secrets (JSON) or git-secrets (%s)", name, project.GitleaksIgnore, project.GitAllowed)
	}
	if err != nil {
		return "", err
	}
	return m.bind(ctx, base, filter)
}

// path returns the path of l as ignore files name it.
func (m *Migration) path(l *finding.Location) string { return project.PathIn(m.Root, l) }

// bind scans the project and returns the fingerprints of the findings that filter hides.
func (m *Migration) bind(ctx context.Context, name string, filter scanner.LocationFilter) (string, error) {
	src, closeSource, err := m.source()
	if err != nil {
		return "", err
	}
	defer closeSource()
	known, err := project.ReadRules(m.Root)
	if err != nil {
		return "", err
	}
	hidden := &hiddenSink{name: name}
	defer func() { m.addUnread(hidden.unread) }()
	options := run.Options{Project: known, Verifier: skippingVerifier{}}
	_, sc := options.NewScanner(time.Time{})
	sc.AllowAt = []scanner.LocationFilter{filter}
	if err := sc.Scan(ctx, src, hidden); err != nil {
		return "", &ScanError{err}
	}
	return hidden.text.String(), nil
}

// addUnread adds parts to Unread, each once: every file is bound by a scan of its own.
func (m *Migration) addUnread(list []finding.Unread) {
	m.Unread = append(m.Unread, list...)
	slices.SortFunc(m.Unread, func(a, b finding.Unread) int {
		return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.Why, b.Why), cmp.Compare(a.Blob, b.Blob))
	})
	m.Unread = slices.Compact(m.Unread)
}

func (m *Migration) source() (scanner.Source, func(), error) {
	if gitsource.WorkTree(m.Root) == "" {
		return &dirsource.Files{Paths: []string{m.Root}}, func() {}, nil
	}
	repo, err := gitsource.Open(m.Root)
	if err != nil {
		return nil, nil, &ScanError{err}
	}
	return repo, func() { _ = repo.Close() }, nil
}

// A skippingVerifier asks nobody.
type skippingVerifier struct{}

// Verify implements verifier.Verifier.
func (skippingVerifier) Verify(context.Context, detectors.Credential) verifier.Verdict {
	return verifier.Verdict{State: verifier.Skipped}
}

// A hiddenSink writes an allow entry for each finding that a file hides.
type hiddenSink struct {
	name   string
	text   strings.Builder
	unread []finding.Unread
}

// Finding implements scanner.Sink.
func (b *hiddenSink) Finding(f *finding.Finding) error {
	if f.Ignored == "listed in "+b.name {
		l := f.Locations[0]
		b.text.WriteString(rules.NativeAllow(fmt.Sprintf("was listed in %s: %s:%d", b.name, l.Path, l.Line), f.Match.Rule.ID, f.Fingerprint()))
	}
	return nil
}

// Close implements scanner.Sink.
func (b *hiddenSink) Close(sum finding.Summary) error {
	b.unread = sum.Unread
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/catalog"
	"github.com/stanch-dev/stanch/detectors/rules"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/dirsource"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/project"
	scanrun "github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/scanner/suppress"
	"github.com/stanch-dev/stanch/verifier"
)

func newMigrate(s *cli.Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "migrate [FILE...]",
		Short: "Print the rules and ignore files of other tools in the format of " + project.OwnConfig,
		Long: `Print what FILE says in the format of ` + project.OwnConfig + `: a configuration of gitleaks, a
.gitleaksignore, a .secrets.baseline of detect-secrets, a .gitallowed of git-secrets.
Without FILE, those in the root of the project, and what git-secrets has in git's
configuration. Files that name positions or hashes are bound to the fingerprints of
what they hide: the project is scanned for that, and nothing is verified.`,
		Example: "  stanch migrate >> .stanch.toml\n  stanch migrate old/.gitleaks.toml",
		RunE: func(cmd *cobra.Command, args []string) error {
			m := &migration{ctx: cmd.Context(), out: s.Stdout, root: project.FindRoot(".")}
			if len(args) > 0 {
				return m.files(args)
			}
			return m.project()
		},
	}
}

// A migration writes files of other tools in the format of stanch.
type migration struct {
	ctx  context.Context
	out  io.Writer
	root string // of the project
}

func (m *migration) project() error {
	var found []string
	for _, name := range []string{project.GitleaksConfig, project.GitleaksIgnore, project.DetectSecretsBaseline, project.GitAllowed} {
		path := filepath.Join(m.root, name)
		if _, err := os.Stat(path); err == nil {
			found = append(found, path)
		}
	}
	patterns := gitsource.Settings(m.root, "secrets", "patterns")
	allowed := gitsource.Settings(m.root, "secrets", "allowed")
	if len(found)+len(patterns)+len(allowed) == 0 {
		return errors.New("there is nothing to migrate: no file of gitleaks, detect-secrets or git-secrets in the root of the project")
	}
	if err := m.files(found); err != nil {
		return err
	}
	_, err := io.WriteString(m.out, rules.NativePatterns("git's configuration", patterns, allowed))
	return err
}

func (m *migration) files(names []string) error {
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		text, err := m.file(name, data)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(m.out, "# From %s.\n%s", printable.Text(name), text); err != nil {
			return err
		}
	}
	return nil
}

func (m *migration) file(name string, data []byte) (string, error) {
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
		return "", fmt.Errorf("%s: is no file of gitleaks (.toml, %s), detect-secrets (JSON) or git-secrets (%s)", name, project.GitleaksIgnore, project.GitAllowed)
	}
	if err != nil {
		return "", err
	}
	return m.bind(base, filter)
}

// path is where a finding is, as ignore files name it.
func (m *migration) path(l *finding.Location) string { return project.PathIn(m.root, l) }

// bind scans the project and returns the fingerprints of what filter hides there.
func (m *migration) bind(name string, filter scanner.LocationFilter) (string, error) {
	src, closeSource, err := m.source()
	if err != nil {
		return "", err
	}
	defer closeSource()
	known, err := project.ReadRules(m.root)
	if err != nil {
		return "", err
	}
	hidden := &bound{name: name}
	sc := scanner.Scanner{
		Detectors: known.Extend(catalog.NewSet()),
		Filters:   []scanner.Filter{scanrun.Placeholders},
		AllowAt:   []scanner.LocationFilter{filter},
		Verifier:  unasked{},
	}
	if err := sc.Scan(m.ctx, src, hidden); err != nil {
		return "", cli.Incomplete(err)
	}
	return hidden.text.String(), nil
}

func (m *migration) source() (scanner.Source, func(), error) {
	if gitsource.WorkTree(m.root) == "" {
		return &dirsource.Files{Paths: []string{m.root}}, func() {}, nil
	}
	repo, err := gitsource.Open(m.root)
	if err != nil {
		return nil, nil, cli.Incomplete(err)
	}
	return repo, func() { _ = repo.Close() }, nil
}

// unasked is a verifier that asks nobody.
type unasked struct{}

func (unasked) Verify(context.Context, detectors.Credential) verifier.Verdict {
	return verifier.Verdict{State: verifier.Skipped}
}

// bound writes what a filter hid. It is a scanner.Sink.
type bound struct {
	name string
	text strings.Builder
}

func (b *bound) Finding(f *finding.Finding) error {
	if f.Ignored == "listed in "+b.name {
		l := f.Locations[0]
		b.text.WriteString(rules.NativeAllow(fmt.Sprintf("was listed in %s: %s:%d", b.name, l.Path, l.Line), f.Match.Rule.ID, f.Fingerprint()))
	}
	return nil
}

func (b *bound) Close(finding.Summary) error { return nil }

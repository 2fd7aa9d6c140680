package project

import (
	"bytes"
	"fmt"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/suppress"
)

// readBaselines reads the baselines. The first bytes of a file tell which tool wrote it; a
// file of no known tool is an error.
func (c *Config) readBaselines() error {
	for _, name := range c.options.Baselines {
		data, err := readNamed(name)
		if err != nil {
			return fmt.Errorf("--baseline: %w", err)
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
	case bytes.HasPrefix(text, []byte("[")):
		filter, err := suppress.GitleaksReport(name, data, c.name)
		c.allowAt = append(c.allowAt, filter)
		return err
	case bytes.Contains(first, []byte(`"schema":"stanch/`)):
		known := fingerprints{}
		if err := finding.Replay(bytes.NewReader(data), known, false); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		c.allow = append(c.allow, suppress.Known(name, known))
		return nil
	case bytes.HasPrefix(text, []byte("{")):
		filter, err := suppress.DetectSecrets(name, data, c.name)
		c.allowAt = append(c.allowAt, filter)
		return err
	}
	return fmt.Errorf("%s: is no JSON report of stanch or gitleaks, and no baseline of detect-secrets", name)
}

// fingerprints is a finding.Handler that keeps the fingerprints of a report.
type fingerprints map[string]bool

func (fingerprints) Scan(finding.Scan) error             { return nil }
func (fingerprints) Repository(finding.Repository) error { return nil }
func (fingerprints) Summary(finding.Summary) error       { return nil }
func (f fingerprints) Finding(x finding.Finding) error {
	f[x.Fingerprint()] = true
	for _, c := range x.Candidates {
		f[c.Fingerprint] = true
	}
	return nil
}

package wording

import "github.com/stanch-dev/stanch/scanner/finding"

// A Collector keeps a scan until its summary, for a format that writes the worst finding
// first. A Handler embeds it, and adds Summary.
type Collector struct {
	Header   finding.Scan
	Findings []finding.Finding // without the ignored ones
	Ignored  int               // the number of these
}

// Scan implements finding.Handler.
func (c *Collector) Scan(s finding.Scan) error {
	c.Header = s
	return nil
}

// Finding implements finding.Handler.
func (c *Collector) Finding(f finding.Finding) error {
	if f.Ignored != "" {
		c.Ignored++
		return nil
	}
	c.Findings = append(c.Findings, f)
	return nil
}

// Repository implements finding.Handler.
func (*Collector) Repository(finding.Repository) error { return nil }

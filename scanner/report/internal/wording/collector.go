package wording

import (
	"slices"

	"github.com/stanch-dev/stanch/scanner/finding"
)

// A Collector keeps a scan until its summary, for a format that does not write findings in
// the order in which they come. A Handler embeds it, and adds Summary.
type Collector struct {
	Header       finding.Scan
	Findings     []finding.Finding
	Repositories []finding.Repository
}

// Scan implements finding.Handler.
func (c *Collector) Scan(s finding.Scan) error {
	c.Header = s
	return nil
}

// Finding implements finding.Handler.
func (c *Collector) Finding(f finding.Finding) error {
	c.Findings = append(c.Findings, f)
	return nil
}

// Repository implements finding.Handler.
func (c *Collector) Repository(r finding.Repository) error {
	c.Repositories = append(c.Repositories, r)
	return nil
}

// DropIgnored drops the findings that are ignored, and returns how many they were.
func (c *Collector) DropIgnored() int {
	all := len(c.Findings)
	c.Findings = slices.DeleteFunc(c.Findings, func(f finding.Finding) bool { return f.Ignored != "" })
	return all - len(c.Findings)
}

package finding_test

import (
	"fmt"
	"strings"

	"github.com/stanch-dev/stanch/scanner/finding"
)

// A list is a Handler that prints one line for each finding.
type list struct{}

func (list) Scan(finding.Scan) error             { return nil }
func (list) Repository(finding.Repository) error { return nil }

func (list) Finding(f finding.Finding) error {
	l := f.Locations[0]
	fmt.Printf("%s is %s: %s:%d\n", f.Match.Rule.Title, f.Verdict.State, l.Path, l.Line)
	return nil
}

func (list) Summary(s finding.Summary) error {
	fmt.Println(s.Findings, "in all")
	return nil
}

// A report that "stanch git --format json" wrote is read again.
func ExampleReplay() {
	const report = `{"type":"scan","schema":"stanch/v1","version":"0.1.0","source":"git","target":"."}
{"type":"finding","fingerprint":"f","rule":"aws-access-key","title":"AWS access key","state":"live","facts":[],"ignored":"","locations":[{"kind":"blob","path":"prod.env","line":3,"at_head":true}]}
{"type":"summary","findings":1,"live":1}
`
	if err := finding.Replay(strings.NewReader(report), list{}, false); err != nil {
		fmt.Println(err)
	}
	// Output:
	// AWS access key is live: prod.env:3
	// 1 in all
}

// Package report writes the findings of a scan for people, for programs, and for code
// scanning. Each format is a package with a Handler of the stream of findings; New makes
// the one that a user names. The JSON format is the stream itself, one record a line, so
// that finding.Replay can turn a saved report into any other format later.
package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/report/annotations"
	"github.com/stanch-dev/stanch/scanner/report/html"
	"github.com/stanch-dev/stanch/scanner/report/internal/wording"
	"github.com/stanch-dev/stanch/scanner/report/junit"
	"github.com/stanch-dev/stanch/scanner/report/markdown"
	"github.com/stanch-dev/stanch/scanner/report/plaintext"
	"github.com/stanch-dev/stanch/scanner/report/sarif"
)

// Options are for all formats; each format uses some of them.
type Options struct {
	Color   bool // text: SGR colours
	Verbose bool // text: every place and fact, and ignored findings
	// ListAll is for text, as in plaintext.Options.
	ListAll string
	Width   int // text: columns of the terminal, 0 to wrap nothing
	// Now returns the time at which the report is read. With it, a report says how old an
	// answer of AWS is. nil is for reports that are kept and read later. HTML does not use
	// it.
	Now func() time.Time
	// RefreshWith is the flag or the command that asks AWS again, for the reader of an old
	// answer.
	RefreshWith string
	// Rules, Category and LineHash are for SARIF, as in sarif.Options.
	Rules    []*detectors.Rule
	Category string
	LineHash func(path string, line int) string
}

// Formats are the names that New knows.
var Formats = []string{"text", "json", "sarif", "junit", "markdown", "github", "html"}

// New returns the Handler of a format, one of Formats. Commands call it
// with the name that the user typed. The Handler writes to w and does not close it.
func New(format string, w io.Writer, o Options) (finding.Handler, error) {
	read := wording.Reading{Now: o.Now, RefreshWith: o.RefreshWith}
	switch format {
	case "text":
		return plaintext.New(w, plaintext.Options{Color: o.Color, Verbose: o.Verbose, Width: o.Width, ListAll: o.ListAll, Reading: read}), nil
	case "json":
		return finding.JSON(w), nil
	case "sarif":
		return sarif.New(w, sarif.Options{Rules: o.Rules, Category: o.Category, LineHash: o.LineHash, Reading: read}), nil
	case "junit":
		return junit.New(w, read), nil
	case "markdown":
		return markdown.New(w, read), nil
	case "github":
		return annotations.New(w, read), nil
	case "html":
		return html.New(w), nil
	}
	return nil, fmt.Errorf("unknown format %q: known are %s", format, strings.Join(Formats, ", "))
}

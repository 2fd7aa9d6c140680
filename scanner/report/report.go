// Package report writes what a scan found: for people, for programs, for code
// scanning.
//
// A report is a stream of records: one Scan, any number of Findings and
// Repositories, one Summary. Each format is a Handler of that stream. The JSON format is the
// stream itself, one record a line, so that Replay can turn a saved report into
// any other format later.
//
// NewSink makes the records of a running scan. It is the boundary that secrets
// do not cross: a Handler never sees one unless the user asked to be shown
// secrets, and so no format can leak what it was not given. Key ids are not
// secrets and are written in full: without them nobody can act.
package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// Options are those of all formats; each uses what concerns it.
type Options struct {
	Color   bool // Text: SGR colours
	Verbose bool // Text: every place and fact, and what is ignored
	// Now tells when a report is read: then old answers of AWS are told as such. nil is
	// of reports that are kept and read later. HTML does not use it.
	Now func() time.Time
	// Again is the flag or the command that has AWS asked anew, for the reader of an old
	// answer.
	Again string
	// Rules are documented in SARIF, whether or not they found anything. They
	// are not retained.
	Rules []*detectors.Rule
	// Category is the category of SARIF in code scanning, "stanch/" if it is "":
	// an upload replaces the one before it in the same category. It ends with "/", since
	// GitHub takes the rest after the last slash for the id of a run. A report that
	// misses something is in a category below it.
	Category string
	// LineHash returns the LineHash of a line of a file at HEAD, "" if it cannot.
	// SARIF calls it for places at HEAD; nil is as if it never could.
	LineHash func(path string, line int) string
}

// Formats are the names that New knows.
var Formats = []string{"text", "json", "sarif", "junit", "markdown", "github", "html"}

// New returns the Handler of a format, one of Formats. Commands call it
// with what the user typed. The Handler writes to w and does not close it.
func New(format string, w io.Writer, o Options) (finding.Handler, error) {
	switch format {
	case "text":
		return Text(w, o), nil
	case "json":
		return finding.JSON(w), nil
	case "sarif":
		return SARIF(w, o), nil
	case "junit":
		return &junit{w: w, o: o}, nil
	case "markdown":
		return &markdown{w: w, o: o}, nil
	case "github":
		return &annotations{w: w, o: o}, nil
	case "html":
		return HTML(w), nil
	}
	return nil, fmt.Errorf("unknown format %q: known are %s", format, strings.Join(Formats, ", "))
}

package assessment

import (
	"context"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
)

// A Sink takes the findings of a scan. It has the methods of scanner.Sink.
type Sink interface {
	// Finding must not retain f.
	Finding(f *finding.Finding) error
	Close(finding.Summary) error
}

// A LiveSink adds to findings that are live how dangerous they are, and passes all findings
// to Sink. It does not outlive its scan.
type LiveSink struct {
	Sink
	Context  context.Context // of the scan
	Assessor *Assessor
	Exposure *Exposure // that all findings have in common
}

// Finding implements Sink.
func (s LiveSink) Finding(f *finding.Finding) error {
	v, id := &f.Verdict, f.Match.Credential.ID
	active := v.State == verifier.Live || v.State == verifier.IDActive
	if f.Ignored == "" && active && s.Context.Err() == nil && operator.IsAccessKeyID(id) && v.Identity.Account != "" {
		v.Facts = append(v.Facts, s.Assessor.Assess(s.Context, f, *s.Exposure)...)
	}
	return s.Sink.Finding(f)
}

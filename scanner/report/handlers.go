package report

import (
	"errors"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/report/internal/wording"
	"github.com/stanch-dev/stanch/verifier"
)

// All returns the Handler that passes each record on to all of handlers, even if one of
// them returns an error. They share the slices of a record.
func All(handlers ...finding.Handler) finding.Handler { return all(handlers) }

type all []finding.Handler

func (a all) Scan(s finding.Scan) error {
	return a.each(func(h finding.Handler) error { return h.Scan(s) })
}

func (a all) Finding(f finding.Finding) error {
	return a.each(func(h finding.Handler) error { return h.Finding(f) })
}

func (a all) Repository(r finding.Repository) error {
	return a.each(func(h finding.Handler) error { return h.Repository(r) })
}

func (a all) Summary(s finding.Summary) error {
	return a.each(func(h finding.Handler) error { return h.Summary(s) })
}

func (a all) each(call func(finding.Handler) error) error {
	var errs []error
	for _, h := range a {
		errs = append(errs, call(h))
	}
	return errors.Join(errs...)
}

// Total returns the Handler that writes nothing, and calls say at Summary with the last line of
// the report as text, which counts what was found and read.
func Total(say func(line string)) finding.Handler { return &total{say: say} }

type total struct {
	wording.Total
	say func(string)
}

func (*total) Scan(finding.Scan) error { return nil }

func (t *total) Finding(f finding.Finding) error {
	t.Add(&f)
	return nil
}

func (t *total) Repository(r finding.Repository) error {
	t.Swept.Add(r)
	return nil
}

func (t *total) Summary(s finding.Summary) error {
	t.say(t.Verdict(len(s.Unread) > 0) + t.Rest(&s))
	return nil
}

// Anonymous returns the Handler that passes findings on to h in a form that everybody may
// read: without account, name and ARN of the owner, and without the names of the persons who
// acknowledged or own the finding. Key ids stay: nobody can act without them, and readers of the
// report can read the repository too.
func Anonymous(h finding.Handler) finding.Handler { return anonymous{h} }

type anonymous struct{ finding.Handler }

func (a anonymous) Finding(f finding.Finding) error {
	v := &f.Verdict
	if account := v.Identity.Account; account != "" {
		v.Reason = strings.ReplaceAll(v.Reason, account, "[account]")
		f.Stale = strings.ReplaceAll(f.Stale, account, "[account]")
	}
	f.Match.Facts, f.Match.Expires, v.Facts = nil, time.Time{}, nil
	v.Identity = verifier.Identity{Kind: v.Identity.Kind}
	if f.History != nil {
		h := *f.History
		h.AcknowledgedBy, h.Note, h.Owner = "", "", ""
		f.History = &h
	}
	return a.Handler.Finding(f)
}

package report

import (
	"errors"
	"strings"

	"github.com/stanch-dev/stanch/verifier"
)

// All returns the Handler that passes each record on to all of handlers, whatever
// one of them answers. They share what a record points to.
func All(handlers ...Handler) Handler { return all(handlers) }

type all []Handler

func (a all) Scan(s Scan) error {
	return a.each(func(h Handler) error { return h.Scan(s) })
}

func (a all) Finding(f Finding) error {
	return a.each(func(h Handler) error { return h.Finding(f) })
}

func (a all) Repository(r Repository) error {
	return a.each(func(h Handler) error { return h.Repository(r) })
}

func (a all) Summary(s Summary) error {
	return a.each(func(h Handler) error { return h.Summary(s) })
}

func (a all) each(call func(Handler) error) error {
	var errs []error
	for _, h := range a {
		errs = append(errs, call(h))
	}
	return errors.Join(errs...)
}

// Anonymous returns the Handler that passes on to h what everybody may read: no
// account, name or ARN of a credential's owner, and not who acknowledged it. Key ids stay, since nobody can act
// without them and who reads the report can read the repository.
func Anonymous(h Handler) Handler { return anonymous{h} }

type anonymous struct{ Handler }

func (a anonymous) Finding(f Finding) error {
	if f.Account != "" {
		f.Reason = strings.ReplaceAll(f.Reason, f.Account, "[account]")
		f.Stale = strings.ReplaceAll(f.Stale, f.Account, "[account]")
	}
	f.Account, f.Facts = "", []verifier.Fact{}
	f.Identity = Identity{Kind: f.Identity.Kind}
	if f.History != nil {
		h := *f.History
		h.AcknowledgedBy, h.Note = "", ""
		f.History = &h
	}
	return a.Handler.Finding(f)
}

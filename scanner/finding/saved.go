package finding

import "slices"

// A Saved is a Handler that keeps a report, so that it can be changed and written again.
type Saved struct {
	Name         string // of the file that it was read from, for Merge
	Header       Scan
	Findings     []Finding
	Repositories []Repository
	Totals       Summary
}

// Scan implements Handler.
func (r *Saved) Scan(s Scan) error { r.Header = s; return nil }

// Finding implements Handler.
func (r *Saved) Finding(f Finding) error {
	r.Findings = append(r.Findings, f)
	return nil
}

// Repository implements Handler.
func (r *Saved) Repository(x Repository) error {
	r.Repositories = append(r.Repositories, x)
	return nil
}

// Summary implements Handler.
func (r *Saved) Summary(s Summary) error { r.Totals = s; return nil }

// Replay passes the report to h.
func (r *Saved) Replay(h Handler) error {
	err := h.Scan(r.Header)
	for _, f := range r.Findings {
		if err == nil {
			err = h.Finding(f)
		}
	}
	for _, x := range r.Repositories {
		if err == nil {
			err = h.Repository(x)
		}
	}
	if err == nil {
		err = h.Summary(r.Totals)
	}
	return err
}

// CutOff reports whether the report ended before its summary.
func (r *Saved) CutOff() bool {
	return slices.ContainsFunc(r.Totals.Unread, func(u Unread) bool { return u.Why == ErrTruncated.Error() })
}

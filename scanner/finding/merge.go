package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/verifier"
)

// Merge passes several reports to h as one: the shards of a scan, or scans of several
// repositories. It changes none of them.
//
// A finding is one if its fingerprint is. It is in all places that any report names, and has
// the newest answer of AWS. If somebody tried to ask later and got no answer, Stale says so. It
// is ignored only if each report that has it ignores it. Numbers are added up, and what was
// not read stays unread. A scan that occurs twice, as the copy of a report does, counts once.
func Merge(reports []*Saved, h Handler) error {
	m := merger{reports: reports}
	m.nameTargets()
	m.addTotals()
	if err := h.Scan(m.header()); err != nil {
		return err
	}
	for _, refs := range m.findings() {
		f := m.finding(refs)
		m.totals.Count(&f)
		if err := h.Finding(f); err != nil {
			return err
		}
	}
	for _, x := range m.repositories() {
		if err := h.Repository(x); err != nil {
			return err
		}
	}
	return h.Summary(m.totals)
}

// SameScan reports whether a and b come from one scan: a report and its copy, or what
// "stanch verify" made of it. A report that was cut off does not say enough to be compared.
func SameScan(a, b *Saved) bool {
	x, y := &a.Totals, &b.Totals
	return a.Header.Source == b.Header.Source && a.Header.Target == b.Header.Target && a.Header.Started.Equal(b.Header.Started) &&
		x.Objects == y.Objects && x.Bytes == y.Bytes && x.ElapsedMS == y.ElapsedMS && !a.CutOff() && !b.CutOff()
}

type merger struct {
	reports []*Saved
	same    []int    // for each report, the number of the first one of the same scan
	targets []string // for each report, what it is a scan of
	several bool     // the targets differ
	totals  Summary
}

// A ref names a finding of a report, both by number.
type ref struct{ report, finding int }

// A part is what one report has of a finding.
type part struct {
	Finding
	began time.Time // the scan
	scan  int       // the number of the first report of the same scan
}

// nameTargets finds out what the reports are scans of. A scan of "." is named after its file:
// the "." of another scan may be another folder.
func (m *merger) nameTargets() {
	scans := 0
	for i, r := range m.reports {
		first := slices.IndexFunc(m.reports[:i+1], func(x *Saved) bool { return x == r || SameScan(x, r) })
		m.same = append(m.same, first)
		if first == i {
			scans++
		}
	}
	for i, r := range m.reports {
		target := r.Header.Target
		if scans > 1 && r.Header.Anonymous() {
			target = cmp.Or(m.reports[m.same[i]].Name, target)
		}
		m.targets = append(m.targets, target)
		m.several = m.several || target != m.targets[0]
	}
}

// maxTargets is how many targets the header of a merged report names.
const maxTargets = 3

// header returns the header: it begins when the first scan did.
func (m *merger) header() Scan {
	out := m.reports[0].Header
	newest := out.Started
	for _, r := range m.reports[1:] {
		h := r.Header
		if h.Source != out.Source {
			out.Source = "several"
		}
		if h.Started.After(newest) {
			newest, out.Version = h.Started, h.Version
		}
		if !h.Started.IsZero() && (out.Started.IsZero() || h.Started.Before(out.Started)) {
			out.Started = h.Started
		}
	}
	targets := joinShards(m.targets)
	if n := len(targets); n > maxTargets {
		targets = append(targets[:maxTargets-1:maxTargets-1], fmt.Sprintf("and %d others", n-maxTargets+1))
	}
	out.Target = strings.Join(targets, ", ")
	return out
}

// findings returns which findings of the reports are one. They are in the order of any report, that
// of their first places, in whichever order the reports are named.
func (m *merger) findings() [][]ref {
	var all [][]ref
	at := map[string]int{} // in all, by fingerprint
	for i, r := range m.reports {
		for k := range r.Findings {
			id := r.Findings[k].Fingerprint()
			n, ok := at[id]
			if !ok || id == "" { // of a stream that stanch did not write
				n = len(all)
				at[id] = n
				all = append(all, nil)
			}
			all[n] = append(all[n], ref{i, k})
		}
	}
	firsts := make([]*Location, len(all))
	order := make([]int, len(all))
	for n, refs := range all {
		order[n] = n
		if f := m.finding(refs); len(f.Locations) > 0 {
			first := f.Locations[0] // without the others, which a pointer into the list would keep
			firsts[n] = &first
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := firsts[a], firsts[b]
		switch {
		case x != nil && y != nil:
			return compareLocations(x, y)
		case x != nil:
			return -1
		case y != nil:
			return 1
		}
		return 0
	})
	out := make([][]ref, len(all))
	for i, n := range order {
		out[i] = all[n]
	}
	return out
}

// finding returns the finding that refs are of.
func (m *merger) finding(refs []ref) Finding {
	var parts []*part
	for _, x := range refs {
		r := m.reports[x.report]
		p := &part{r.Findings[x.finding], r.Header.Started, m.same[x.report]}
		p.Locations = m.placed(p.Locations, x.report)
		p.Candidates = slices.Clone(p.Candidates)
		for n := range p.Candidates {
			p.Candidates[n].Locations = m.placed(p.Candidates[n].Locations, x.report)
		}
		parts = append(parts, p)
	}
	if len(parts) == 1 {
		return parts[0].Finding
	}
	return mergeParts(parts)
}

// placed returns list, of the i-th report, in which each location says which target it is in, if
// there are several: a copy if that adds something. The path of a file that was named to
// "stanch dir" says so already.
func (m *merger) placed(list []Location, i int) []Location {
	h := &m.reports[i].Header
	unplaced := func(l Location) bool { return (l.Repo == "" || l.Repo == h.Target) && !h.names(l.Path) }
	if !m.several || !slices.ContainsFunc(list, unplaced) {
		return list
	}
	list = slices.Clone(list)
	for k := range list {
		if unplaced(list[k]) {
			list[k].Repo = m.targets[i]
		}
	}
	return list
}

// mergeParts returns the finding that parts are of. The newest part comes first where two
// say different things of the same place.
func mergeParts(parts []*part) Finding {
	slices.SortStableFunc(parts, func(a, b *part) int { return b.began.Compare(a.began) })
	best := slices.MaxFunc(parts, compareVerdicts)
	f := best.Finding
	f.Stale = staleness(best, parts)
	if !slices.ContainsFunc(parts, func(p *part) bool { return p.Ignored == "" }) {
		f.Ignored = cmp.Or(f.Ignored, parts[0].Ignored)
	} else {
		f.Ignored = ""
	}
	f.Overruled, f.History = "", mergeHistories(parts, f.Verdict.State)
	f.Locations, f.Candidates, f.Omitted, f.CandidatesOmitted = []Location{}, nil, 0, 0 // JSON has [] for no location
	omitted, seen := map[int]int{}, map[place]bool{}
	for _, p := range parts {
		c := &f.Match.Credential
		if c.Secret.IsZero() {
			c.Secret = p.Match.Credential.Secret
		}
		if c.Token.IsZero() {
			c.Token = p.Match.Credential.Token
		}
		if f.Verdict.State == verifier.Live {
			f.Overruled = cmp.Or(f.Overruled, p.Overruled, p.Ignored)
		}
		for _, l := range p.Locations {
			if f.Ignored == "" && f.Verdict.State != verifier.Live {
				l.Ignored = cmp.Or(l.Ignored, p.Ignored)
			}
			f.Locations = addLocation(f.Locations, seen, l)
		}
		omitted[p.scan] = max(omitted[p.scan], p.Omitted)
		if f.Verdict.State != verifier.Live { // else the secret is known
			f.Candidates = addCandidates(f.Candidates, p.Candidates)
			f.CandidatesOmitted = max(f.CandidatesOmitted, p.CandidatesOmitted)
		}
	}
	for _, n := range omitted {
		f.Omitted += n
	}
	slices.SortFunc(f.Locations, func(a, b Location) int { return compareLocations(&a, &b) })
	return f
}

// compareLocations orders places as a scan does, and those of one path by repository.
func compareLocations(a, b *Location) int {
	if a.AtHead != b.AtHead {
		return cmp.Or(map[bool]int{true: -1}[a.AtHead], 1)
	}
	return cmp.Or(a.Time.Compare(b.Time), strings.Compare(a.Part, b.Part), strings.Compare(a.Repo, b.Repo), strings.Compare(a.Path, b.Path),
		cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), strings.Compare(a.Commit, b.Commit))
}

// compareVerdicts orders parts by what their verdict is worth: an answer beats none, the
// newer answer beats the older, and of two of one time, the one that says more is to be done.
func compareVerdicts(a, b *part) int {
	answer := func(p *part) int {
		switch p.Verdict.State {
		case verifier.Live, verifier.IDActive, verifier.Invalid, verifier.Expired, verifier.CanarySuspected, verifier.NotVerifiable:
			return 2
		case verifier.Skipped, "":
			return 0
		}
		return 1 // unknown, and states of later versions
	}
	severity := func(p *part) int {
		switch p.Verdict.State {
		case verifier.Live:
			return 2
		case verifier.IDActive:
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(answer(a), answer(b)), a.Verdict.At.Compare(b.Verdict.At), cmp.Compare(severity(a), severity(b)))
}

// staleness says why the verdict of best is not current: a later scan asked AWS, or wanted to,
// and has no answer.
func staleness(best *part, parts []*part) string {
	stale := best.Stale
	changes := slices.Contains([]verifier.State{verifier.Live, verifier.IDActive, verifier.Invalid}, best.Verdict.State)
	for _, p := range parts {
		switch {
		case p.Verdict.At.Equal(best.Verdict.At) && p.Verdict.State == best.Verdict.State:
			stale = cmp.Or(stale, p.Stale)
		case p.Verdict.State == verifier.Unknown && changes && (p.Verdict.At.After(best.Verdict.At) || p.Verdict.At.IsZero() && p.began.After(best.Verdict.At)):
			stale = cmp.Or(stale, "no answer of AWS since: "+cmp.Or(strings.TrimPrefix(p.Verdict.Reason, "not asked: "), "for no known reason"))
		}
	}
	return stale
}

// A place is what two reports of one place agree on.
type place struct {
	kind                     Kind
	repo, path, part, commit string
	line, column             int
	blob                     BlobID
}

// addLocation adds l to list, unless the same place was seen.
func addLocation(list []Location, seen map[place]bool, l Location) []Location {
	p := place{l.Kind, l.Repo, l.Path, l.Part, l.Commit, l.Line, l.Column, l.Blob}
	if seen[p] {
		return list
	}
	seen[p] = true
	return append(list, l)
}

// addCandidates adds to list those of more that are not in it. The places of one that is in
// it are those of its newest report.
func addCandidates(list, more []Candidate) []Candidate {
	for i := range more {
		if !slices.ContainsFunc(list, func(x Candidate) bool { return x.Fingerprint == more[i].Fingerprint }) {
			list = append(list, more[i])
		}
	}
	return list
}

// mergeHistories returns the history of a finding whose state is state: from the first sweep
// that saw it to the last. It is gone only if each sweep that knows it has it gone.
func mergeHistories(parts []*part, state verifier.State) *History {
	var out *History
	for _, p := range parts {
		h := p.History
		switch {
		case h == nil:
			continue
		case out == nil:
			first := *h
			out = &first
			continue
		}
		if out.FirstSeen.IsZero() || !h.FirstSeen.IsZero() && h.FirstSeen.Before(out.FirstSeen) {
			out.FirstSeen = h.FirstSeen
		}
		if h.LastSeen.After(out.LastSeen) {
			out.LastSeen = h.LastSeen
		}
		switch {
		case h.GoneSince.IsZero():
			out.GoneSince = time.Time{}
		case !out.GoneSince.IsZero() && h.GoneSince.After(out.GoneSince):
			out.GoneSince = h.GoneSince
		}
		if out.DeadSince.IsZero() {
			out.DeadSince = h.DeadSince
		}
		out.New = out.New && h.New
		out.Owner = cmp.Or(out.Owner, h.Owner)
		if out.AcknowledgedBy == "" {
			out.AcknowledgedBy, out.AcknowledgedUntil, out.Note, out.Status = h.AcknowledgedBy, h.AcknowledgedUntil, h.Note, h.Status
		}
	}
	if out != nil && state == verifier.Live {
		out.DeadSince = time.Time{}
	}
	return out
}

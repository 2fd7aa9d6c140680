package detectors

import (
	"bytes"
	"cmp"
	"reflect"
	"slices"
	"sort"
	"unicode/utf8"

	"github.com/stanch-dev/stanch/detectors/internal/views"
)

// A Version is a text that was made from another one, as git stores most versions of a
// file. A history may hold a thousand versions of a long list of keys, of which each
// differs in a line from the one before.
type Version struct {
	Text []byte
	// Base is the version that Text was made from, with its Text, after DetectVersion. It is
	// nil if there is none, or if it was not searched.
	Base *Version
	// Copies are ranges of Text that stand in Base.Text too, in the order of Text. They do
	// not overlap. DetectVersion may drop some.
	Copies []Copy
	// RuledOut are the Set.Filters that rule Text out. Their detectors do not search it.
	RuledOut [MaxFilters]bool
	// Matches are those of Text, once DetectVersion has found them.
	Matches []Match
	// Found says by number of Set.Filters whose detectors found some of Matches.
	Found [MaxFilters]bool

	decoded []Match // those of the detectors that search views too
	// hiddenMarks is true if decoding shows strings of DistantParts that Text lacks, or was not
	// tried.
	hiddenMarks bool
	traces      []any // by number of the detectors of WithPlain, see VersionDetector
}

// A Copy is bytes [At, At+Len) of a text, which stand in its base at From.
type Copy struct{ At, From, Len int }

// minVersion is the least length of a text that is searched piece by piece. In shorter
// ones, a secret without a name may belong to an id at any distance (rule 13 of pairing).
const minVersion = 32<<10 + 1

// A reach is a distance in lines and in bytes, whichever is farther.
type reach struct{ lines, bytes int }

var (
	// nearReach is how far a change tells on a match: rule 5 of pairing counts 100 lines, and
	// the parts of a match have a distance in bytes.
	nearReach = reach{105, distantBytes}
	// farReach is how much is searched to know the matches within nearReach: an id beyond may
	// take a secret there, and what names a value stands before it.
	farReach = reach{210, distantBytes + contextBytes}
)

// bytesPerLine is the length that rule 5 counts as a line, where lines are longer.
const bytesPerLine = 200

// headBytes bounds the first line of a text, which tells what columns it has.
const headBytes = 4096

// DetectVersion sets v.Matches to the matches that Detect finds in v.Text.
func (s *Set) DetectVersion(v *Version) {
	if !v.RuledOut[decodedFilter] {
		v.decoded = s.detectDecoded(v)
	}
	v.Matches, v.Found[decodedFilter] = v.decoded, len(v.decoded) > 0
	if v.RuledOut[plainFilter] || len(s.plainOnly) == 0 {
		return
	}
	v.Matches, v.traces = slices.Clip(v.Matches), make([]any, len(s.plainOnly))
	for i, d := range s.plainOnly {
		if found := v.detectPlain(d, i); len(found) > 0 {
			v.Matches, v.Found[plainFilter] = append(v.Matches, notCovered(v.Matches, found)...), true
		}
	}
}

// detectPlain returns the matches of d, the detector of WithPlain with number i.
func (v *Version) detectPlain(d PrefilteringDetector, i int) (found []Match) {
	versions, ok := d.(VersionDetector)
	if !ok {
		return d.Detect(nil, v.Text)
	}
	var base any
	if v.Base != nil && v.Base.traces != nil {
		base = v.Base.traces[i]
	}
	found, v.traces[i] = versions.DetectVersion(nil, v.Text, base, v.Copies)
	return found
}

// detectDecoded returns the matches of the detectors that search views too.
//
// It searches only the neighbourhood of each change. If the matches there are those of the
// base, all matches of the base are carried over. If not, it searches all of the text: a new
// key may change which secret belongs to which id anywhere. So does it where the first line
// has changed, which may be the head of a table, and for encodings that reach farther than a
// neighbourhood: packed data, UTF-16, and long runs of base64 and the like.
func (s *Set) detectDecoded(v *Version) (matches []Match) {
	if matches, ok := s.carryOver(v); ok {
		v.hiddenMarks = v.Base.hiddenMarks
		return matches
	}
	matches, v.hiddenMarks = s.detect(nil, v.Text)
	return matches
}

// carryOver returns the matches of v.Base where they stand in v.Text. It is false if the
// change may have made a difference to them.
func (s *Set) carryOver(v *Version) ([]Match, bool) {
	if v.Base == nil || min(len(v.Text), len(v.Base.Text)) < minVersion || !s.isAlike(v.Text, v.Base.Text) {
		return nil, false
	}
	if (len(v.Text) < leastParted) != (len(v.Base.Text) < leastParted) { // more of one is decoded than of the other
		return nil, false
	}
	if v.Base.hiddenMarks || v.Base.RuledOut[decodedFilter] { // the latter may hide some: it was not decoded
		return nil, false
	}
	v.Copies = inOrder(v.Copies)
	matches, ok := v.movedMatches()
	if !ok {
		return nil, false
	}
	groups := groupsOfOneID(matches)
	apart := partsApart(matches, groups)
	for _, c := range v.changes() {
		if !v.staysNear(c) || c.isAmong(apart) || v.mayNameGroup(c, groups, matches) || !s.isHarmless(v, c, matches) {
			return nil, false
		}
	}
	return matches, true
}

// isAlike reports whether text and base have the same first line and the same form, and neither
// has an encoding of all of it, packed data, or a header that tells about all lines below.
func (s *Set) isAlike(text, base []byte) bool {
	if !bytes.Equal(firstLine(text), firstLine(base)) {
		return false
	}
	for _, t := range [][]byte{text, base} {
		if bytes.IndexByte(t, 0) >= 0 || s.prefilter.HasPacked(t) || views.HasTransferEncoding(t) {
			return false
		}
	}
	for _, d := range s.detectors {
		if d, ok := d.(FormDetector); ok && d.FormOf(text) != d.FormOf(base) {
			return false
		}
	}
	return true
}

// firstLine returns the first line of text, or the beginning of a long one. It has at least a
// character, which tells whether the text is binary.
func firstLine(text []byte) []byte {
	head := text[:min(len(text), headBytes)]
	if end := bytes.IndexByte(head, '\n'); end >= 0 {
		return head[:max(end, min(len(head), utf8.UTFMax))]
	}
	return head
}

// isHarmless reports whether the matches near c are among known, the matches of the base
// where they stand in the text.
func (s *Set) isHarmless(v *Version, c change, known []Match) bool {
	text, base := v.Text[c.new.Start:c.new.End], v.Base.Text[c.old.Start:c.old.End]
	if near := s.distantMarks.In(text).And(s.distantMarks.In(base)); !near.None() &&
		s.haveDistantParts(s.distantMarks.In(v.Text).And(s.distantMarks.In(v.Base.Text)), near) {
		return false // one may belong to another that is far away
	}
	if len(v.Text) >= leastParted && !s.prefilter.MayMatch(text) && !s.prefilter.MayMatch(base) {
		return true // of shorter texts all is decoded, whatever the prefilter says about a part
	}
	by := c.new.Start
	if head := firstLine(v.Text); len(head) < by { // a table has its names there
		text, by = slices.Concat(head, []byte{'\n'}, text), by-len(head)-1
	} else {
		text, by = v.Text[:c.new.End], 0
	}
	found, hidden := s.searchAll(nil, text, len(v.Text))
	if hidden {
		return false
	}
	for i := range found {
		found[i].move(func(s Span) (Span, bool) { return Span{s.Start + by, s.End + by}, true })
	}
	if slices.ContainsFunc(found, func(m Match) bool { return c.new.Start <= m.Start && !m.OwnText && len(matchesIn(m.Span, known)) == 0 }) {
		return false // more of the text is decoded now
	}
	return slices.EqualFunc(matchesIn(c.near, found), matchesIn(c.near, known), Match.equal)
}

// matchesIn returns the matches of which a part lies in s, in order.
func matchesIn(s Span, matches []Match) (list []Match) {
	for _, m := range matches {
		if slices.ContainsFunc([]Span{m.Span, m.Secret, m.Token}, func(part Span) bool { return !part.Empty() && part.Start < s.End && s.Start < part.End }) {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b Match) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End), cmp.Compare(a.Secret.Start, b.Secret.Start), cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.Rule.ID, b.Rule.ID))
	})
	return list
}

// movedMatches returns the matches of the base where they stand in the text. It is false if a
// change cuts one of them.
func (v *Version) movedMatches() ([]Match, bool) {
	matches := slices.Clone(v.Base.decoded)
	for i := range matches {
		if !matches[i].move(v.inText) {
			return nil, false
		}
	}
	return matches, true
}

// equal reports whether m and n say the same.
func (m Match) equal(n Match) bool {
	m.CountsAt, n.CountsAt, m.NameAt, n.NameAt = nil, nil, nil, nil // functions of the rule
	return reflect.DeepEqual(m, n)
}

// move moves the spans of m, and reports whether all of them could be moved.
func (m *Match) move(to func(Span) (Span, bool)) bool {
	for _, part := range [...]*Span{&m.Span, &m.Secret, &m.Token} {
		if part.Empty() {
			continue
		}
		moved, ok := to(*part)
		if !ok {
			return false
		}
		*part = moved
	}
	return true
}

// A change is a part of a text that its base does not have, or the other way round, with
// its neighbourhood.
type change struct {
	changed  Span // in the text
	near     Span // in the text: all that the change tells on
	new, old Span // in the text and in the base: all that tells what is near
}

// inOrder returns the copies that stand in the order of the base, and drops the others. Git
// copies a frequent line from wherever it stands, so of those that cross the shorter go.
func inOrder(copies []Copy) []Copy {
	kept := copies[:0]
	for _, c := range copies {
		n, size := len(kept), 0 // kept[n:] cross c
		for ; n > 0 && kept[n-1].From+kept[n-1].Len > c.From; n-- {
			size += kept[n-1].Len
		}
		if size < c.Len {
			kept = append(kept[:n], c)
		}
	}
	return kept
}

// changes returns the changes of v, in order.
func (v *Version) changes() (list []change) {
	last := Copy{}
	for i := range len(v.Copies) + 1 {
		next := Copy{At: len(v.Text), From: len(v.Base.Text)}
		if i < len(v.Copies) {
			next = v.Copies[i]
		}
		c := change{changed: Span{last.At + last.Len, next.At}, old: Span{last.From + last.Len, next.From}}
		last = next
		if !c.changed.Empty() || !c.old.Empty() {
			list = v.appendChange(list, c)
		}
	}
	for i := range list {
		c := &list[i]
		at := c.changed
		c.near = Span{nearReach.before(v.Text, at.Start), nearReach.behind(v.Text, at.End)}
		c.new.End = farReach.behind(v.Text, at.End)
		c.old.End += c.new.End - at.End
	}
	return list
}

// appendChange appends c to list, or makes it a part of the last change if their
// neighbourhoods touch. So what is between two changes is a copy, and the neighbourhoods end
// in it.
func (v *Version) appendChange(list []change, c change) []change {
	var last *change
	if n := len(list); n > 0 {
		if last = &list[n-1]; c.changed.Start-last.changed.End <= farReach.bytes {
			last.changed.End, last.old.End = c.changed.End, c.old.End
			return list
		}
	}
	start := farReach.before(v.Text, c.changed.Start)
	if last != nil && start <= farReach.behind(v.Text, last.changed.End) {
		last.changed.End, last.old.End = c.changed.End, c.old.End
		return list
	}
	c.old.Start -= c.changed.Start - start
	c.new.Start = start
	return append(list, c)
}

// inText returns where s, a range of the base, stands in the text. It is false if the text
// does not have it as it was.
func (v *Version) inText(s Span) (Span, bool) {
	i := sort.Search(len(v.Copies), func(i int) bool { return v.Copies[i].From+v.Copies[i].Len >= s.End })
	if i == len(v.Copies) || s.Start < v.Copies[i].From {
		return Span{}, false
	}
	by := v.Copies[i].At - v.Copies[i].From
	return Span{s.Start + by, s.End + by}, true
}

// before returns where the neighbourhood of text[at:] begins: with a line, unless the lines
// are long.
func (r reach) before(text []byte, at int) int {
	least := max(0, at-r.most())
	i, lines := at, -1 // the first line break begins the line of at
	for i > least && (lines < r.lines || at-i < r.bytes) {
		k := bytes.LastIndexByte(text[least:i], '\n')
		if k < 0 {
			return least
		}
		i, lines = least+k, lines+1
	}
	if i == least {
		return least
	}
	return i + 1
}

// behind returns where the neighbourhood of text[:at] ends.
func (r reach) behind(text []byte, at int) int {
	most := min(len(text), at+r.most())
	i, lines := at, -1
	for i < most && (lines < r.lines || i-at < r.bytes) {
		k := bytes.IndexByte(text[i:most], '\n')
		if k < 0 {
			return most
		}
		i, lines = i+k+1, lines+1
	}
	return i
}

// most bounds r in bytes: 42,000 for farReach.
func (r reach) most() int { return r.lines * bytesPerLine }

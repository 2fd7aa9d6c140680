package detectors

import (
	"bytes"
	"reflect"
	"sort"
)

// A Version is a text that was made from another one, as git stores most versions of a
// file. A history may hold a thousand versions of a long list of keys, of which each
// differs in a line from the one before.
type Version struct {
	Text []byte
	// Base is the version that Text was made from, with its Text and Matches. It is nil if
	// there is none, or if it was not searched.
	Base *Version
	// Copies are ranges of Text that stand in Base.Text too, in the order of Text. They do
	// not overlap. DetectVersion may drop some.
	Copies []Copy
	// Matches are those of Text, once DetectVersion has found them.
	Matches []Match
}

// A Copy is bytes [At, At+Len) of a text, which stand in its base at From.
type Copy struct{ At, From, Len int }

const (
	// minVersion is the least length of a text that is searched piece by piece. In shorter
	// ones, a secret without a name may belong to an id at any distance (rule 13 of pairing).
	minVersion = 32<<10 + 1
	// A change tells on a match at most reachLines and reachBytes away, whichever is
	// farther. Names, endpoints and the parts of a match (distantBytes) have a distance in
	// bytes. Rule 5 of pairing counts 100 lines. It counts them twice, since a secret that an
	// id lost may belong to another one behind it.
	reachLines = 210
	reachBytes = distantBytes + contextBytes
	maxReach   = 42_000 // rule 5 counts 200 bytes as a line
	// headBytes bounds the first lines of a text, which tell what columns and kind it has.
	headBytes = 4096
)

// DetectVersion sets v.Matches to the matches that Detect finds in v.Text.
//
// It searches only the neighbourhood of each change, before the change and after it. If
// both have the same matches, all matches of the base are carried over. If not, it searches
// all of the text: a new key may change which secret belongs to which id anywhere. So does
// it where the first line has changed, which may be the head of a table, and for texts whose
// encoding reaches farther than a neighbourhood: packed data and UTF-16.
func (s *Set) DetectVersion(v *Version) {
	if matches, ok := s.carryOver(v); ok {
		v.Matches = matches
		return
	}
	v.Matches = s.Detect(nil, v.Text)
}

// carryOver returns the matches of v.Base where they stand in v.Text. It is false if the
// change may have made a difference to them.
func (s *Set) carryOver(v *Version) ([]Match, bool) {
	if v.Base == nil || min(len(v.Text), len(v.Base.Text)) < minVersion {
		return nil, false
	}
	if !bytes.Equal(headOf(v.Text), headOf(v.Base.Text)) || bytes.IndexByte(v.Text, 0) >= 0 || s.prefilter.HasPacked(v.Text) {
		return nil, false
	}
	v.Copies = inOrder(v.Copies)
	changes, size := v.changes(), 0
	for i := range changes {
		c := &changes[i]
		c.mayMatch = s.MayMatchNear(v.Text[c.new.Start:c.new.End]) || s.MayMatchNear(v.Base.Text[c.old.Start:c.old.End])
		if c.mayMatch {
			size += c.new.End - c.new.Start + c.old.End - c.old.Start
		}
	}
	if size > len(v.Text)/2 { // to search all of it costs little more
		return nil, false
	}
	for _, c := range changes {
		if !s.isHarmless(v, c) {
			return nil, false
		}
	}
	matches := make([]Match, len(v.Base.Matches))
	for i, m := range v.Base.Matches {
		if !m.move(v.inText) {
			return nil, false
		}
		matches[i] = m
	}
	return matches, true
}

// headOf returns the beginning of text that tells about all of it: the first line, and as much
// as shows that it is a download of a console.
func headOf(text []byte) []byte {
	const least = 256
	head := text[:min(len(text), headBytes)]
	return head[:max(min(least, len(head)), bytes.IndexByte(head, '\n'))]
}

// isHarmless reports whether the neighbourhood of a change has the same matches as before.
func (s *Set) isHarmless(v *Version, c change) bool {
	text, base := v.Text[c.new.Start:c.new.End], v.Base.Text[c.old.Start:c.old.End]
	if s.distantMarks.In(text) != s.distantMarks.In(base) {
		return false
	}
	if !c.mayMatch {
		return true
	}
	before, marksBefore := s.detect(nil, base)
	after, marksAfter := s.detect(nil, text)
	if len(before) != len(after) || marksBefore != marksAfter {
		return false
	}
	for i, m := range after {
		inBase := func(s Span) (Span, bool) {
			s, ok := v.inBase(Span{s.Start + c.new.Start, s.End + c.new.Start})
			return Span{s.Start - c.old.Start, s.End - c.old.Start}, ok
		}
		if !m.move(inBase) || !m.equal(before[i]) {
			return false
		}
	}
	return true
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
	new, old Span // in the text and in the base
	mayMatch bool // one of them
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
		c := change{new: Span{last.At + last.Len, next.At}, old: Span{last.From + last.Len, next.From}}
		last = next
		if !c.new.Empty() || !c.old.Empty() {
			list = v.appendChange(list, c)
		}
	}
	for i := range list {
		c := &list[i]
		by := reachBehind(v.Text, c.new.End) - c.new.End
		c.new.End, c.old.End = c.new.End+by, c.old.End+by
	}
	return list
}

// appendChange appends c to list, or makes it a part of the last change if their
// neighbourhoods touch. So what is between two changes is a copy, and the neighbourhoods end
// in it.
func (v *Version) appendChange(list []change, c change) []change {
	var last *change
	if n := len(list); n > 0 {
		if last = &list[n-1]; c.new.Start-last.new.End <= reachBytes {
			last.new.End, last.old.End = c.new.End, c.old.End
			return list
		}
	}
	start := reachBefore(v.Text, c.new.Start)
	if last != nil && start <= reachBehind(v.Text, last.new.End) {
		last.new.End, last.old.End = c.new.End, c.old.End
		return list
	}
	c.old.Start -= c.new.Start - start
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

// inBase is the reverse of inText.
func (v *Version) inBase(s Span) (Span, bool) {
	i := sort.Search(len(v.Copies), func(i int) bool { return v.Copies[i].At+v.Copies[i].Len >= s.End })
	if i == len(v.Copies) || s.Start < v.Copies[i].At {
		return Span{}, false
	}
	by := v.Copies[i].From - v.Copies[i].At
	return Span{s.Start + by, s.End + by}, true
}

// reachBefore returns where the neighbourhood of text[at:] begins: with a line, unless the
// lines are long.
func reachBefore(text []byte, at int) int {
	least := max(0, at-maxReach)
	i, lines := at, -1 // the first line break begins the line of at
	for i > least && (lines < reachLines || at-i < reachBytes) {
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

// reachBehind returns where the neighbourhood of text[:at] ends.
func reachBehind(text []byte, at int) int {
	most := min(len(text), at+maxReach)
	i, lines := at, -1
	for i < most && (lines < reachLines || i-at < reachBytes) {
		k := bytes.IndexByte(text[i:most], '\n')
		if k < 0 {
			return most
		}
		i, lines = i+k+1, lines+1
	}
	return i
}

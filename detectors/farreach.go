package detectors

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"github.com/stanch-dev/stanch/detectors/internal/encodings"
	"github.com/stanch-dev/stanch/detectors/internal/views"
)

// A change within an encoded text tells on all of that text: base64 and hexadecimal digits are
// decoded if enough of the whole is printable, and quoted-printable if no line of the paragraph
// forbids it. An encoded text may be longer than a neighbourhood.

// staysNear reports whether all encoded texts that the change may be a part of end near it.
// Lines outside of the change are the same in the text and in its base.
func (v *Version) staysNear(c change) bool {
	before, behind := v.Text[c.near.Start:c.changed.Start], v.Text[c.changed.End:c.near.End]
	return (c.near.Start == 0 || endsBefore(before) && keepsApart(v.Text[c.new.Start:c.changed.Start])) &&
		(c.near.End == len(v.Text) || endsBehind(behind) && keepsApart(v.Text[c.changed.End:c.new.End]))
}

// keepsApart reports whether what stands at the ends of text is far apart in each view of it:
// decoding puts lines together and makes them shorter.
func keepsApart(text []byte) bool {
	const mostLost = 15 // bytes of an escape that stands for one
	lines, size := 0, len(text)
	for line := range bytes.Lines(text) {
		if (len(line) < encodings.MinWrapped || endsRun(line)) && !joinsNext(line, text) {
			lines++
		}
		text = text[len(line):]
		for _, c := range line {
			if encodings.EscapeStarts[c] {
				size -= mostLost
			}
		}
	}
	return lines >= nearReach.lines || size >= nearReach.most()
}

// joinsNext reports whether line, with which text begins, ends in a joint.
func joinsNext(line, text []byte) bool {
	end := bytes.TrimRight(line, "\r\n")
	if bytes.HasSuffix(end, []byte{'\\'}) {
		return true
	}
	i := len(bytes.TrimRight(end, encodings.GapBytes)) - 1
	return i >= 0 && bytes.IndexByte([]byte("\"'`"), end[i]) >= 0 && encodings.LinkAt(text, i).To > len(line)
}

// endsBehind reports whether an encoded text that goes on into lines ends there. The first of
// lines is the rest of a line.
func endsBehind(lines []byte) bool {
	runGoesOn, paragraphGoesOn, first := true, true, true
	for line := range bytes.Lines(lines) {
		runGoesOn = runGoesOn && !endsRun(line)
		paragraphGoesOn = paragraphGoesOn && (first || !endsParagraph(line))
		if first = false; !runGoesOn && !paragraphGoesOn {
			return true
		}
	}
	return false
}

// endsBefore is endsBehind for an encoded text that comes out of lines.
func endsBefore(lines []byte) bool {
	runGoesOn, paragraphGoesOn := true, true
	for last := true; len(lines) > 0; last = false {
		at := bytes.LastIndexByte(lines[:len(lines)-1], '\n') + 1
		line := lines[at:]
		runGoesOn = runGoesOn && !endsRun(line)
		paragraphGoesOn = paragraphGoesOn && (last && line[len(line)-1] != '\n' || !endsParagraph(line))
		if lines = lines[:at]; !runGoesOn && !paragraphGoesOn {
			return true
		}
	}
	return false
}

// endsParagraph reports whether a line ends a paragraph of quoted-printable, or is in none.
func endsParagraph(line []byte) bool {
	line = bytes.TrimRight(line, "\r\n")
	return len(line) == 0 || views.CannotBeQuoted(line)
}

// endsRun reports whether a line cannot lie within a run of base64 or of hexadecimal digits,
// with escapes in it or cut into pieces: it has two words, or what stands in no joint.
func endsRun(line []byte) bool {
	if bytes.ContainsAny(line, ":()!?*") {
		return true
	}
	inJoint := bytes.ContainsAny(line, "\"'`") || bytes.Contains(line, []byte("<wbr")) // 'QUtJ' || 'QVJa'
	if !inJoint && bytes.ContainsAny(line, "<>|@^~") {
		return true
	}
	line = bytes.TrimSpace(line)
	for i := 1; i < len(line); i++ {
		if (line[i] == ' ' || line[i] == '\t') && encodings.Base64Set[line[i-1]] {
			rest := bytes.TrimLeft(line[i:], " \t")
			if encodings.Base64Set[rest[0]] && rest[0] != '+' {
				return true
			}
		}
	}
	return false
}

// partsApart returns where the parts of matches stand that belong together at any distance, or
// may do so after a change between them: an id and a secret whose names have one group, or an
// id and a token. Parts that found each other nearby are not among them. groups are those of
// groupsOfOneID.
func partsApart(matches []Match, groups map[string]Span) (list []Span) {
	const tokens = "\x00" // no group
	ids, others := map[string]Span{}, map[string]Span{}
	for i := range matches {
		m := &matches[i]
		isID := m.Credential.ID != ""
		for _, of := range [...]struct {
			group string
			part  Span
		}{{m.Group, m.Secret}, {tokens, m.Token}} {
			group, part := of.group, of.part
			if group == "" || isID && !part.Empty() && max(part.Start-m.End, m.Start-part.End) <= distantBytes {
				continue
			}
			if isID {
				ids[group] = ids[group].with(m.Span)
			}
			others[group] = others[group].with(part)
		}
	}
	for group, s := range ids {
		_, isGroup := groups[group]
		if o := others[group]; !o.Empty() && (isGroup || group == tokens) {
			list = append(list, s.with(o))
		}
	}
	return list
}

// with returns the least range that holds s and t, of which either may be empty.
func (s Span) with(t Span) Span {
	if s.Empty() || t.Empty() {
		return Span{max(s.Start, t.Start), max(s.End, t.End)}
	}
	return Span{min(s.Start, t.Start), max(s.End, t.End)}
}

// mayNameGroup reports whether a secret near c may have a name with the group of an id that is far
// away. It belongs to that id then, but if it is a password, say, it is no match without one.
// groups are those of groupsOfOneID.
func (v *Version) mayNameGroup(c change, groups map[string]Span, known []Match) bool {
	if len(groups) == 0 {
		return false
	}
	changed := Span{c.old.Start + c.changed.Start - c.new.Start, c.old.End - (c.new.End - c.changed.End)}
	var names []byte
	for _, of := range [...]struct {
		text []byte
		at   Span
	}{{v.Text, c.changed}, {v.Base.Text, changed}} {
		part := func(before, behind int) []byte {
			return of.text[max(0, of.at.Start-before):min(len(of.text), of.at.End+behind)]
		}
		secrets := part(nameBehind, nameBefore) // of which the change may be in the name
		if start, end := encodings.NextRun(secrets, 0, secretLen, &secretBytes); start < end {
			names = appendPlain(appendPlain(names, firstLine(of.text)), part(nameBehind+nameBefore, nameBefore+nameBehind))
		}
	}
	near := matchesIn(c.near, known)
	for group := range groups {
		isNear := slices.ContainsFunc(near, func(m Match) bool { return m.Group == group && m.Credential.ID != "" })
		if !isNear && bytes.Contains(names, appendPlain(nil, []byte(group))) {
			return true
		}
	}
	return false
}

// groupsOfOneID returns the groups that one id has and no other, and where it stands, perhaps
// several times.
func groupsOfOneID(matches []Match) map[string]Span {
	groups, ids := map[string]Span{}, map[string]string{}
	for i := range matches {
		m := &matches[i]
		if m.Group == "" || m.Credential.ID == "" {
			continue
		}
		if known, ok := ids[m.Group]; ok && known != m.Credential.ID {
			delete(groups, m.Group)
			ids[m.Group] = ""
			continue
		}
		ids[m.Group] = m.Credential.ID
		groups[m.Group] = groups[m.Group].with(m.Span)
	}
	return groups
}

// nameBefore and nameBehind bound the distance of a secret from its name.
const (
	nameBefore = 5 << 10
	nameBehind = 1 << 10
)

// secretLen is the length of a secret that may belong to an id, and secretBytes are its bytes,
// as they are or escaped.
const secretLen = 40

var secretBytes = encodings.NewByteSet("\\%&#;{}", func(c byte) bool { return encodings.Joinable[c] })

// appendPlain appends the letters and digits of text to dst, in small letters, as groups have
// them.
func appendPlain(dst, text []byte) []byte {
	for _, c := range text {
		switch {
		case 'A' <= c && c <= 'Z':
			dst = append(dst, c|0x20)
		case encodings.WordBytes[c] || c >= utf8.RuneSelf:
			dst = append(dst, c)
		}
	}
	return dst
}

// isAmong reports whether c is between parts that stand apart, or near some of them.
func (c *change) isAmong(apart []Span) bool {
	return slices.ContainsFunc(apart, func(s Span) bool {
		return s.Start < c.near.End && c.near.Start < s.End && (s.Start < c.near.Start || c.near.End < s.End)
	})
}

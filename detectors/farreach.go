package detectors

import (
	"bytes"

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
	return (c.near.Start == 0 || endsBefore(before)) && (c.near.End == len(v.Text) || endsBehind(behind))
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
	if bytes.ContainsAny(line, ":()<>|!?*@^~") {
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

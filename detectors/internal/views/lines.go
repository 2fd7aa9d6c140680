package views

import (
	"bytes"

	"github.com/stanch-dev/stanch/detectors/internal/encodings"
)

// A lineChain is a text in base64 that goes over lines, all of one width but the
// first and the last. The first may have a name before it: it is as long as the others
// with that name, where a terminal wrapped it, or without, where an encoder did.
type lineChain struct {
	count  int  // of line breaks
	first  int  // where the text begins
	width  int  // of a line that is not the last
	length int  // of the lines before the last break
	last   bool // the line that was read last is shorter than the others
}

const (
	// minHead is how much of a text its first line holds at least.
	minHead = 8
	// maxColumns is more than terminals have, but for a few.
	maxColumns = 256
)

// continues reports whether the text goes on behind the line that ends at i.
func (c *lineChain) continues(text []byte, i int) bool {
	if text[i] != '\n' && text[i] != '\r' || c.last {
		return false
	}
	start, next := runStart(text, i), encodings.SkipLineBreak(text, i)
	end := encodings.RunEnd(text, next, &encodings.Joinable)
	if end == next || !endsLine(text, end) || bytes.Count(text[i:next], []byte{'\n'}) > 1 {
		return false
	}
	width, more := i-start, end-next
	if c.count == 0 {
		c.first, c.width = start, firstWidth(text, start, i, Span{next, end})
	}
	c.length += width
	c.last = more < c.width
	if more > c.width || c.last && c.isSeparate(text[next:end], c.padding(text, next, end)) ||
		bytes.HasPrefix(text[next:end], text[c.first:c.first+minHead]) { // a list of such texts
		return false
	}
	c.count++
	return true
}

// finish returns links, which lead from start to i, with the line break before the last
// padding, and where to look for the next chain. Lines that are too short together, or
// hold no capital letters, are no chain; then the lines behind the first are none either.
func (c *lineChain) finish(text []byte, start, i int, links []encodings.Link) ([]encodings.Link, int) {
	length := c.length + i - links[len(links)-1].To
	if length < minTokenLines || !hasCapitals(text[start:i]) {
		return links[:0], i
	}
	if l := padJoint(text, i, length); l.To > 0 {
		return append(links, l), l.To
	}
	return links, i + 1 // the line break there joins nothing
}

// firstWidth returns how wide the lines are of which text[start:i] is the first, and next
// the second; 0 if they are not.
func firstWidth(text []byte, start, i int, next Span) int {
	width, more := i-start, next.End-next.Start
	if more <= width {
		if width < minWrapped {
			return 0
		}
		return width
	}
	line := start
	for line > 0 && text[line-1] != '\n' && text[line-1] != '\r' && i-line <= more {
		line--
	}
	switch columns := i - line; {
	case columns == more && width >= minHead:
		return more
	case columns > more && width >= minWrapped && !isFollowedByEqualLine(text, next):
		return columns
	}
	return 0
}

// isFollowedByEqualLine reports whether a line as long as that at s follows it.
func isFollowedByEqualLine(text []byte, s Span) bool {
	next := encodings.SkipLineBreak(text, s.End)
	return next > s.End && encodings.RunEnd(text, next, &encodings.Joinable)-next == s.End-s.Start
}

// padding returns how many "=" there are behind the last line, text[start:end]: the second
// may be on a line of its own, where the width leaves no room for it.
func (c *lineChain) padding(text []byte, start, end int) int {
	pad := padding(text, end)
	if pad == 1 && end+pad-start == c.width {
		pad += min(1, padding(text, encodings.SkipLineBreak(text, end+pad)))
	}
	return pad
}

// isSeparate reports whether a last line, with pad "=" behind it, is something of its own:
// the text may be whole without it, and with it it is not, or the line looks like a word.
// Below the only line, so is what looks like an id or a secret, and a short line below
// one that is too long for a terminal.
func (c *lineChain) isSeparate(line []byte, pad int) bool {
	const secretLen = 40
	if c.length%4 != 0 || c.length < minTokenLines {
		return false
	}
	n := len(line)
	switch {
	case (n+pad)%4 != 0, pad == 0 && isWord(line):
		return true
	case c.count > 0:
		return false
	}
	return pad == 0 && (n == encodings.IDLen || n == secretLen) || c.length > maxColumns && n < 2*minWrapped
}

// isWord reports whether the letters and digits of line are small letters, capital letters
// or digits alone, but for its first character.
func isWord(line []byte) bool {
	if bytes.IndexByte(line[1:], '+') >= 0 {
		return false
	}
	small, capitals, digits := 0, 0, 0
	for _, c := range line[1:] {
		switch {
		case 'a' <= c && c <= 'z':
			small = 1
		case 'A' <= c && c <= 'Z':
			capitals = 1
		case '0' <= c && c <= '9':
			digits = 1
		}
	}
	return small+capitals+digits <= 1
}

// padding returns how many "=" there are at i, at most two.
func padding(text []byte, i int) int {
	n := 0
	for n < 2 && i+n < len(text) && text[i+n] == '=' {
		n++
	}
	return n
}

// padJoint returns the line break within the padding, or before it, of base64 of which
// length characters end at i.
func padJoint(text []byte, i, length int) encodings.Link {
	first := padding(text, i)
	from := i + first
	next := encodings.SkipLineBreak(text, from)
	second := padding(text, next)
	if length < minTokenLines || next == from || second == 0 || (length+first+second)%4 != 0 {
		return encodings.Link{}
	}
	return encodings.Link{From: from, To: next}
}

// endsLine reports whether nothing but padding and a quote stands between i and
// the end of its line.
func endsLine(text []byte, i int) bool {
	i += padding(text, i)
	return i == len(text) || lineEnds[text[i]]
}

var lineEnds = encodings.NewByteSet("\r\n\"'`<\\,;)", nil)

// lineJoint is the line break at i, with the indentation behind it.
func lineJoint(text []byte, i int) encodings.Link {
	return encodings.Link{From: i, To: encodings.SkipLineBreak(text, i)}
}

// longLineAt reports whether the line behind the break at i may be a long one of base64.
func longLineAt(text []byte, i int) bool {
	if text[i] == '\r' {
		i++
	}
	last := i + minWrapped
	return last < len(text) && encodings.Joinable[text[last]] && encodings.Joinable[text[last-minWrapped/2]] && encodings.Joinable[text[i+1]]
}

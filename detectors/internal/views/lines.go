package views

import (
	"bytes"

	"github.com/stanch-dev/stanch/detectors/internal/encodings"
)

// A lineChain is a text in base64 over several lines. All but the first and the last have
// one width. The first may have a name before it. A terminal wraps the name and the text
// at that width, an encoder only the text:
//
//	TOKEN=IQoJb3JpZ2…     TOKEN=
//	luX2VjEJr//////…      IQoJb3JpZ2luX2…
//	Aw==                  VjEJr//////wEa…
type lineChain struct {
	count  int  // of line breaks
	first  int  // offset of the text
	width  int  // of a line that is not the last
	length int  // of all lines before the last break
	last   bool // the line that was read last is shorter than width
}

const (
	// minHead is the least number of characters of the text in the first line.
	minHead = 8
	// maxColumns is wider than nearly all terminals.
	maxColumns = 256
)

// continues reports whether the text continues behind the line that ends at i.
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
		bytes.HasPrefix(text[next:end], text[c.first:c.first+minHead]) { // a list of texts that begin alike
		return false
	}
	c.count++
	return true
}

// finish returns the links of the chain from start to i, with the line break before the
// last padding, and where to look for the next chain. It returns no links if the lines
// together are too short or have no capital letters; the search then continues at i,
// because the lines behind the first are no chain either.
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

// firstWidth returns the width of the lines that begin with text[start:i] and next, or 0
// if these two do not belong together.
func firstWidth(text []byte, start, i int, next Span) int {
	width, more := i-start, next.End-next.Start
	if more <= width {
		if width < encodings.MinWrapped {
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
	case columns > more && width >= encodings.MinWrapped && !isFollowedByEqualLine(text, next):
		return columns
	}
	return 0
}

// isFollowedByEqualLine reports whether the line at s is followed by one of its length.
func isFollowedByEqualLine(text []byte, s Span) bool {
	next := encodings.SkipLineBreak(text, s.End)
	return next > s.End && encodings.RunEnd(text, next, &encodings.Joinable)-next == s.End-s.Start
}

// padding returns the number of "=" behind the last line, text[start:end]. If the width
// leaves no room for the second, it stands on a line of its own.
func (c *lineChain) padding(text []byte, start, end int) int {
	pad := padding(text, end)
	if pad == 1 && end+pad-start == c.width {
		pad += min(1, padding(text, encodings.SkipLineBreak(text, end+pad)))
	}
	return pad
}

// isSeparate reports whether line, the last one, with pad "=" behind it, is no part of the
// text. The text must be complete without it, and one of these must hold:
//
//   - With the line, the text would not be complete, or the line looks like a word.
//   - It is the second line and has the length of an id or a secret.
//   - It is the second line and short, and the first is too long for a terminal.
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
	return pad == 0 && (n == encodings.IDLen || n == secretLen) || c.length > maxColumns && n < 2*encodings.MinWrapped
}

// isWord reports whether all characters of line after the first have one kind: small
// letters, capital letters or digits. Punctuation other than "+" does not count.
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

// padding returns the number of "=" at i, at most two.
func padding(text []byte, i int) int {
	n := 0
	for n < 2 && i+n < len(text) && text[i+n] == '=' {
		n++
	}
	return n
}

// padJoint returns the link for the line break before or within the padding of base64. Its
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

// endsLine reports whether only padding and a quote stand between i and the end of its
// line.
func endsLine(text []byte, i int) bool {
	i += padding(text, i)
	return i == len(text) || lineEnds[text[i]]
}

var lineEnds = encodings.NewByteSet("\r\n\"'`<\\,;)", nil)

// lineJoint returns the link for the line break at i and the indentation behind it.
func lineJoint(text []byte, i int) encodings.Link {
	return encodings.Link{From: i, To: encodings.SkipLineBreak(text, i)}
}

// longLineAt reports whether the line behind the break at i may be a long line of base64.
func longLineAt(text []byte, i int) bool {
	if text[i] == '\r' {
		i++
	}
	last := i + encodings.MinWrapped
	return last < len(text) && encodings.Joinable[text[last]] && encodings.Joinable[text[last-encodings.MinWrapped/2]] && encodings.Joinable[text[i+1]]
}

package views

import (
	"bytes"
	"sort"

	"github.com/stanch-dev/stanch/detectors/internal/encodings"
)

// Quoted-printable (RFC 2045, 6.7) breaks a line with "=" at its end, and writes "=3D"
// for "=". In most texts, both mean something else: "=" at the end of a line is the padding
// of base64, and NAME_1=52… is an assignment. So both are undone only in a paragraph that
// is quoted-printable:
//
//   - Each of its lines has at most 76 characters, and each "=" in them ends a line
//     or begins an escape.
//   - Something says so: the last Content-Transfer-Encoding above it, an escaped "="
//     (=3D), two escapes in a row (=C3=A9), or a line that an encoder filled before
//     its "=".
//
// Encoders write no escape in small digits (=c3), nor one for a plain letter or digit
// (=41). Without that header, such an escape makes the paragraph an ordinary text.
const (
	maxQuotedLine = 76
	minFilledLine = maxQuotedLine - 3 // an escape is not broken
)

// quoted tells which paragraphs of one text are quoted-printable. It remembers the answer
// for the last paragraph, and the headers after the first search for them.
type quoted struct {
	paragraph         Span
	paragraphIsQuoted bool
	headers           []transferHeader
	searched          bool
}

// A transferHeader is a Content-Transfer-Encoding header; end is the offset of its value.
type transferHeader struct {
	end    int
	quoted bool
}

// lineBreakOrEscape returns the link for the line break or the escape at i, if the text
// there is quoted-printable. Its To is 0 if there is none.
func (q *quoted) lineBreakOrEscape(text []byte, i int) encodings.Link {
	if text[i] != '=' {
		return encodings.Link{}
	}
	l := encodings.SoftBreak(text, i)
	if n, c := encodings.HexByte(text[i:], 1, 2); n > 0 && c > 0 {
		l = encodings.Link{From: i, To: i + n, Char: c}
	}
	if l.To == 0 || !q.isQuotedAt(text, i) {
		return encodings.Link{}
	}
	return l
}

// isQuotedAt reports whether the text at i is quoted-printable. It looks at the line of i
// first, which is cheap and rules out most texts.
func (q *quoted) isQuotedAt(text []byte, i int) bool {
	if i >= q.paragraph.Start && i < q.paragraph.End {
		return q.paragraphIsQuoted
	}
	from, to := max(0, i-maxQuotedLine), min(len(text), i+maxQuotedLine+2)
	line := text[from+bytes.LastIndexByte(text[from:i], '\n')+1 : to]
	if end := bytes.IndexByte(line, '\n'); end >= 0 {
		line = line[:end]
	}
	if judgeLine(line) == notQuoted {
		return false
	}
	q.paragraph = paragraphAt(text, i)
	q.paragraphIsQuoted = q.judgeParagraph(text)
	return q.paragraphIsQuoted
}

// paragraphAt returns the lines around i up to the next empty ones. The line of i must not
// be empty.
func paragraphAt(text []byte, i int) Span {
	start := bytes.LastIndexByte(text[:i], '\n') + 1
	p := Span{start, start}
	for p.Start > 0 {
		line := bytes.LastIndexByte(text[:p.Start-1], '\n') + 1
		if isEmptyLine(text[line:p.Start]) {
			break
		}
		p.Start = line
	}
	for line := range bytes.Lines(text[start:]) {
		if isEmptyLine(line) {
			break
		}
		p.End += len(line)
	}
	return p
}

func isEmptyLine(line []byte) bool { return len(bytes.TrimRight(line, "\r\n")) == 0 }

// judgeParagraph reports whether the paragraph is quoted-printable.
func (q *quoted) judgeParagraph(text []byte) bool {
	best, doubtful := plainLine, false
	for line := range bytes.Lines(text[q.paragraph.Start:q.paragraph.End]) {
		switch v := judgeLine(bytes.TrimSuffix(line, []byte{'\n'})); v {
		case notQuoted:
			return false
		case doubtfulLine:
			doubtful = true
		default:
			best = max(best, v)
		}
	}
	return best == quotedLine && !doubtful || q.declared(text)
}

// lineKind says whether a line can be quoted-printable.
type lineKind int

const (
	plainLine    lineKind = iota // it can be
	quotedLine                   // it is
	doubtfulLine                 // it is if a header says so
	notQuoted                    // it cannot be
)

// CannotBeQuoted reports whether a line, without its newline, is in no paragraph of
// quoted-printable.
func CannotBeQuoted(line []byte) bool { return judgeLine(line) == notQuoted }

// HasTransferEncoding reports whether text has a Content-Transfer-Encoding, which decides
// whether paragraphs below are quoted-printable.
func HasTransferEncoding(text []byte) bool { return len(transferHeaders(text)) > 0 }

// judgeLine judges a line, without its newline.
func judgeLine(line []byte) lineKind {
	line = bytes.TrimSuffix(line, []byte{'\r'})
	if len(line) > maxQuotedLine {
		return notQuoted
	}
	kind := plainLine
	for i, c := range line {
		if c != '=' {
			continue
		}
		mark := judgeMark(line, i)
		if mark == notQuoted {
			return notQuoted
		}
		kind = max(kind, mark)
	}
	return kind
}

// judgeMark judges the "=" at i of line.
func judgeMark(line []byte, i int) lineKind {
	if i+1 == len(line) {
		if isFilled(line[:i]) {
			return quotedLine
		}
		return plainLine
	}
	c, ok := escapedByte(line, i)
	if !ok {
		return notQuoted
	}
	_, before := escapedByte(line, i-3)
	_, after := escapedByte(line, i+3)
	switch alone := !before && !after; {
	case 'a' <= line[i+1] || 'a' <= line[i+2], alone && i > 0 && isLetterOrDigit(c):
		return doubtfulLine
	case c == '=' || !alone:
		return quotedLine
	}
	return plainLine
}

// escapedByte returns the byte that the escape at i of line stands for.
func escapedByte(line []byte, i int) (c byte, ok bool) {
	if i < 0 || i+2 >= len(line) || line[i] != '=' {
		return 0, false
	}
	high, low := encodings.HexValues[line[i+1]], encodings.HexValues[line[i+2]]
	return high<<4 | low, high != encodings.NoHex && low != encodings.NoHex
}

// isFilled reports whether line, which had a "=" at its end, is as long as encoders make
// lines, and the "=" was not the padding of base64.
func isFilled(line []byte) bool {
	if len(line)+1 < minFilledLine {
		return false
	}
	start := runStart(line, len(line))
	return start > 0 && (len(line)-start)%4 != 3
}

// runStart returns the start of the base64 that ends at i.
func runStart(text []byte, i int) int {
	for i > 0 && encodings.Joinable[text[i-1]] {
		i--
	}
	return i
}

func isLetterOrDigit(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// declared reports whether the last Content-Transfer-Encoding above the paragraph is
// quoted-printable.
func (q *quoted) declared(text []byte) bool {
	if !q.searched {
		q.searched, q.headers = true, transferHeaders(text)
	}
	i := sort.Search(len(q.headers), func(i int) bool { return q.headers[i].end > q.paragraph.Start })
	return i > 0 && q.headers[i-1].quoted
}

// transferHeaders returns the headers of text, in order.
func transferHeaders(text []byte) (headers []transferHeader) {
	const name, value = "content-transfer-encoding:", "quoted-printable"
	for at := 0; ; {
		k := bytes.IndexByte(text[at:], ':')
		if k < 0 {
			return headers
		}
		at += k + 1
		if at < len(name) || !bytes.EqualFold(text[at-len(name):at], []byte(name)) {
			continue
		}
		rest := bytes.TrimLeft(text[at:min(len(text), at+2*len(value))], " \t\"")
		headers = append(headers, transferHeader{at, bytes.EqualFold(rest[:min(len(rest), len(value))], []byte(value))})
	}
}

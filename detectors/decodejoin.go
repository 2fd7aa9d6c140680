package detectors

import "bytes"

// Credentials are cut into pieces: by programmers, so that a scanner does not see
// them, and by editors and encoders, so that a line is not too long.
//
//	"AKIA" + "REST"     'AKIA' . 'REST'     "AKIA" & _ "REST"     "AKIA" "REST"
//	s = "AKIA"; s += "REST"     ["AKIA", "REST"].join("")     `${"AKIA"}${"REST"}`
//	AKIA\ and a line break, AKIA= and a line break (decodequoted.go)
//	lines of a token in base64
//
// A joint is what stands between two pieces. What is put together may be strangers,
// such as two arguments: a view of joints counts only for what is in two pieces.
const (
	maxGap    = 40 // of a joint between two literals, without their quotes
	minJoined = idLen
	// minTokenLines is what lines of base64 have at least, if they are one token.
	minTokenLines = 100
	// maxBackslashes is how often the backslash before a line break is escaped at most:
	// each round of views halves them.
	maxBackslashes = 1 << maxRounds
)

// joinable is what ids and secrets are made of.
var joinable = newByteSet(base64Std, nil)

// jointStarts are what a joint or the escape of one character can begin with.
var jointStarts = newByteSet("\"'`\\=\r\n", nil)

// decodeJoins puts pieces together where they have the length of an id or more.
func decodeJoins(text []byte, _ int) *view {
	v, done, q := &view{joins: true}, 0, &quoted{}
	var links []link
	for i := 1; i < len(text); {
		if !jointStarts[text[i]] {
			i++
			continue
		}
		var end int
		if links, end = q.linksAt(text, i, done, links[:0]); len(links) == 0 {
			i = max(i+1, end)
			continue
		}
		for _, l := range links {
			v.copy(text, done, l.from)
			if l.char != 0 {
				v.emit([]byte{l.char}, l.from, l.to)
			}
			done = l.to
		}
		i = max(end, done)
	}
	if done == 0 {
		return nil
	}
	v.copy(text, done, len(text))
	return v
}

// linksAt appends the links of the chain whose first is at text[i:], behind a piece that
// begins at least or later, and returns where to look for the next. In quoted-printable
// text, any link is a chain.
func (q *quoted) linksAt(text []byte, i, least int, links []link) ([]link, int) {
	end := i
	if joinable[text[i-1]] && mayJoin(text, i) {
		if links, end = q.chainAt(text, i, least, links); len(links) > 0 {
			return links, end
		}
	}
	l := q.link(text, i)
	if l.to == 0 && i >= minTokenLines && joinable[text[i-1]] && joinable[text[i-minTokenLines]] {
		l = padJoint(text, i, i-runStart(text, i)) // of one line
	}
	if l.to > 0 {
		return append(links, l), l.to
	}
	return links, end
}

// mayJoin is a first look at what begins at i: a link, or the end of a long line.
func mayJoin(text []byte, i int) bool {
	if text[i] == '\n' || text[i] == '\r' {
		return i >= minWrapped && joinable[text[i-minWrapped]] && joinable[text[i-minWrapped/2]] || longLineAt(text, i)
	}
	l := linkAt(text, i)
	return l.to > 0 && (l.to == len(text) || joinable[text[l.to]])
}

// A link is a joint, or an escape that stands for char, in text[from:to].
type link struct {
	from, to int
	char     byte
	comma    bool // between the literals of a list
}

// chainAt appends the links of the chain whose first is at text[i:], behind a
// piece that begins at least or later, and returns where to look for the next: no links,
// if the pieces are not as long as an id.
func (q *quoted) chainAt(text []byte, i, least int, links []link) ([]link, int) {
	start := i
	for start > least && i-start < minJoined && joinable[text[start-1]] {
		start--
	}
	total := i - start
	list, lines := listChain{}, lineChain{}
	for i < len(text) {
		l := q.linkAt(text, i)
		if l.to == 0 && lines.goOn(text, i) {
			l = lineJoint(text, i)
		}
		if l.to == 0 || l.to < len(text) && !joinable[text[l.to]] || l.comma && !list.joined(text, start, i) {
			break
		}
		links = append(links, l)
		if l.char != 0 {
			total++
		}
		i = runEnd(text, l.to, &joinable)
		total += i - l.to
	}
	if lines.count > 0 {
		return lines.finish(text, start, i, links)
	}
	if total < minJoined || !hasCapitals(text[start:i]) {
		return links[:0], 0
	}
	return links, i
}

// hasCapitals reports whether there are as many capital letters in b as in an id.
// There are hardly ever fewer in a secret, and in words, as the imports of Go.
func hasCapitals(b []byte) bool {
	n := 0
	for _, c := range b {
		if 'A' <= c && c <= 'Z' {
			if n++; n == idPrefix {
				return true
			}
		}
	}
	return false
}

// linkAt is linkAt for text in which "=" may be no link.
func (q *quoted) linkAt(text []byte, i int) link {
	l := linkAt(text, i)
	if l.to > 0 && text[i] == '=' && !q.at(text, i) {
		return link{}
	}
	return l
}

// linkAt returns the link that text[i:] begins with; its end is 0 if there is none. It
// takes the text for quoted-printable.
func linkAt(text []byte, i int) (l link) {
	switch text[i] {
	case '"', '\'', '`':
		return literalJoint(text, i)
	case '\\':
		// Of shells, C and Python; YAML and Makefiles leave out the indentation too. Code
		// in a string has its backslash twice, and so on.
		last := i + 1
		for last < len(text) && last-i < maxBackslashes && text[last] == '\\' {
			last++
		}
		if end := skipBreak(text, last); end > last {
			return link{from: i, to: end}
		}
		if i+1 < len(text) && text[i+1] == '"' { // code in JSON
			l = literalJoint(text, i+1)
			l.from = i
			return l
		}
	case '=':
		if l := softBreak(text, i); l.to > 0 {
			return l
		}
		if n, c := hexByte(text[i:], 1, 2); n > 0 && joinable[c] {
			return link{from: i, to: i + n, char: c}
		}
	}
	return link{}
}

// gapBytes are what stands between two literals: operators of all languages, and
// what leads from one line to the next.
var gapBytes = newByteSet(" \t\r\n+.&|_\\<>~^", nil)

// literalJoint reads what is between two literals of which the first ends at i.
func literalJoint(text []byte, i int) link {
	comma := false
	if bytes.HasPrefix(text[i+1:], []byte("}${")) && i+4 < len(text) && text[i+4] == text[i] { // of JavaScript
		return link{from: i, to: i + 5}
	}
	for j := i + 1; j < len(text) && j <= i+1+maxGap; {
		switch c := text[j]; {
		case c == '"' || c == '\'' || c == '`':
			return link{from: i, to: j + 1, comma: comma}
		case gapBytes[c]:
			j++
		case c == ',' && !comma:
			comma = true
			j++
		case c == ';' || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '@':
			end := wordInGap(text, j)
			if end == 0 {
				return link{}
			}
			j = end
		default:
			return link{}
		}
	}
	return link{}
}

// wordInGap returns the end of what may stand in a gap and is no operator: the
// prefix of a literal, as in b"" or @"", and "; name" before "+=".
func wordInGap(text []byte, j int) int {
	if j+1 < len(text) && (text[j+1] == '"' || text[j+1] == '\'') {
		return j + 1
	}
	end := j
	for end < len(text) && end-j < maxGap && text[end] != '=' && (gapBytes[text[end]] || nameBytes[text[end]] || text[end] == ';') {
		end++
	}
	if end < len(text) && text[end] == '=' && (text[end-1] == '+' || text[end-1] == '.') {
		return end + 1
	}
	return 0
}

var nameBytes = newByteSet(base64Most+"_$", nil)

// A listChain is what is known of literals with commas between them.
type listChain struct{ asked, call bool }

// joined reports whether what is around text[start:end] puts literals together. It
// looks once: a list has as many of them as it likes.
func (c *listChain) joined(text []byte, start, end int) bool {
	const before, after = 64, 160
	if !c.asked {
		c.asked = true
		around := text[max(0, start-before):min(len(text), end+after)]
		for _, word := range []string{"join", "Join", "JOIN", "oncat", "ONCAT", "implode", "paste0"} {
			c.call = c.call || bytes.Contains(around, []byte(word))
		}
	}
	return c.call
}

package views

import (
	"sync"

	"github.com/stanch-dev/stanch/detectors/internal/encodings"
	"github.com/stanch-dev/stanch/detectors/internal/marks"
)

// Credentials are cut into pieces: by programmers, to hide them from a scanner, and by
// editors and encoders, to keep lines short.
//
//	"AKIA" + "REST"     'AKIA' . 'REST'     "AKIA" & _ "REST"     "AKIA" "REST"
//	s = "AKIA"; s += "REST"     ["AKIA", "REST"].join("")     `${"AKIA"}${"REST"}`
//	AKIA\ and a line break, AKIA= and a line break (quoted.go)
//	lines of a token in base64 (lines.go)
//
// The characters between two pieces are a joint. The pieces need not belong together: they
// may be two arguments. So a match in a joined view counts only if it spans two of them.
const (
	minJoined = encodings.IDLen
	// minTokenLines is the least length of a token over several lines.
	minTokenLines = 100
)

// decodeJoins puts pieces together if they have at least the length of an id.
func decodeJoins(text []byte, _ int) *View {
	v, done, q := &View{JoinsPieces: true}, 0, &quoted{}
	var links []encodings.Link
	for i := 1; i < len(text); {
		for i < len(text) && !encodings.JointStarts[text[i]] {
			i++
		}
		if i == len(text) {
			break
		}
		if text[i] != '=' && !encodings.Joinable[text[i-1]] { // only an escape of quoted-printable needs no piece before it
			i++
			continue
		}
		var end int
		if links, end = q.linksAt(text, i, done, links[:0]); len(links) == 0 {
			i = max(i+1, end)
			continue
		}
		for _, l := range links {
			v.appendVerbatim(text, done, l.From)
			if l.Char != 0 {
				v.appendDecoded([]byte{l.Char}, l.From, l.To)
			}
			done = l.To
		}
		i = max(end, done)
	}
	if done == 0 {
		return nil
	}
	v.appendVerbatim(text, done, len(text))
	return v
}

// linksAt appends the links of the chain that begins at text[i:], and returns where to look
// for the next chain. The piece before i begins at least or later. In quoted-printable
// text, a single link is a chain.
func (q *quoted) linksAt(text []byte, i, least int, links []encodings.Link) ([]encodings.Link, int) {
	end := i
	if encodings.Joinable[text[i-1]] && mayJoin(text, i) {
		if links, end = q.chainAt(text, i, least, links); len(links) > 0 {
			return links, end
		}
	}
	l := q.lineBreakOrEscape(text, i)
	if l.To == 0 && i >= minTokenLines && encodings.Joinable[text[i-1]] && encodings.Joinable[text[i-minTokenLines]] {
		l = padJoint(text, i, i-runStart(text, i)) // a token in one line, and its padding
	}
	if l.To > 0 {
		return append(links, l), l.To
	}
	return links, end
}

// mayJoin reports whether a chain may begin at i, with a link or at the end of a long line.
// It is a cheap first look.
func mayJoin(text []byte, i int) bool {
	if text[i] == '\n' || text[i] == '\r' {
		return i >= encodings.MinWrapped && encodings.Joinable[text[i-encodings.MinWrapped]] && encodings.Joinable[text[i-encodings.MinWrapped/2]] || longLineAt(text, i)
	}
	l := encodings.LinkAt(text, i)
	return l.To > 0 && (l.To == len(text) || encodings.Joinable[text[l.To]])
}

// chainAt appends the links of the chain that begins at text[i:], and returns where to look
// for the next one. The piece before i begins at least or later. It appends none if the
// pieces together are shorter than an id.
func (q *quoted) chainAt(text []byte, i, least int, links []encodings.Link) ([]encodings.Link, int) {
	start := i
	for start > least && i-start < minJoined && encodings.Joinable[text[start-1]] {
		start--
	}
	total := i - start
	list, lines := listChain{}, lineChain{}
	for i < len(text) {
		l := q.linkAt(text, i)
		if l.To == 0 && lines.continues(text, i) {
			l = lineJoint(text, i)
		}
		if l.To == 0 || l.To < len(text) && !encodings.Joinable[text[l.To]] || l.Comma && !list.isJoinedAround(text, start, i) {
			break
		}
		links = append(links, l)
		if l.Char != 0 {
			total++
		}
		i = encodings.RunEnd(text, l.To, &encodings.Joinable)
		total += i - l.To
	}
	if lines.count > 0 {
		return lines.finish(text, start, i, links)
	}
	if total < minJoined || !hasCapitals(text[start:i]) {
		return links[:0], 0
	}
	return links, i
}

// hasCapitals reports whether b has four capital letters, as every id has, and nearly every
// secret. Words, such as the import paths of Go, hardly ever do.
func hasCapitals(b []byte) bool {
	n := 0
	for _, c := range b {
		if 'A' <= c && c <= 'Z' {
			if n++; n == encodings.IDPrefix {
				return true
			}
		}
	}
	return false
}

// linkAt is encodings.LinkAt, but "=" is a link in quoted-printable text only.
func (q *quoted) linkAt(text []byte, i int) encodings.Link {
	l := encodings.LinkAt(text, i)
	if l.To > 0 && text[i] == '=' && !q.isQuotedAt(text, i) {
		return encodings.Link{}
	}
	return l
}

// A listChain knows whether a list of literals is joined, as in ["AK", "IA"].join("").
type listChain struct{ looked, isJoined bool }

var joinWords = sync.OnceValue(func() *marks.Set {
	return marks.New("join", "Join", "JOIN", "oncat", "ONCAT", "implode", "paste0")
})

// isJoinedAround reports whether a call around text[start:end] joins the literals of the
// list. It looks only once, since a list may have any number of literals.
func (c *listChain) isJoinedAround(text []byte, start, end int) bool {
	const before, after = 64, 160
	if !c.looked {
		c.looked = true
		around := text[max(0, start-before):min(len(text), end+after)]
		c.isJoined = !joinWords().In(around).None()
	}
	return c.isJoined
}

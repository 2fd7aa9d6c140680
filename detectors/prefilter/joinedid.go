package prefilter

import (
	"math/bits"

	"github.com/stanch-dev/stanch/detectors/internal/encodings"
)

// An id may be cut into pieces, or have some of its characters escaped:
//
//	"AKIAQ7X" + "…"      AKIAQ7X\u0041…
//
// The longest of three pieces has at least idPiece characters. Such a run is found fast;
// then the pieces around it are put together, link by link.

const (
	idPiece = 7
	// maxPiece is longer than a piece with the rest of an escape before it.
	maxPiece = encodings.IDLen + maxEscape
	// joinedIDWindow bounds an id in three pieces, with the joints between them.
	joinedIDWindow = encodings.IDLen + 2*(encodings.MaxGap+4)
)

// piecesAt reports whether one of the pieces in the block at the offset at is part of an id.
// Seven characters begin at each bit of starts. So n bits in a row are a piece of n+6.
func (f *Filter) piecesAt(text []byte, at int, starts uint64) bool {
	for starts != 0 {
		k := bits.TrailingZeros64(starts)
		n := bits.TrailingZeros64(^(starts >> k))
		starts &= starts + 1<<k // without these n
		from, to := at+k, at+k+n+idPiece-1
		if k == 0 { // it may begin before the block
			for from > 0 && from > at-maxPiece && idBytes[text[from-1]] {
				from--
			}
		}
		if k+n == 64 { // and end behind it
			for to < len(text) && to < at+64+maxPiece && idBytes[text[to]] {
				to++
			}
		}
		if to-from < maxPiece && f.isPiece(text, from, to) {
			return true
		}
	}
	return false
}

// isPiece reports whether text[from:to], with no capital letter and no digit beside it, is part
// of an id in pieces.
func (f *Filter) isPiece(text []byte, from, to int) bool {
	for i := from; text[i] < 'A'; i++ {
		if i+1 == to {
			return false // a number
		}
	}
	from = afterEscape(text, from)
	if n := to - from; n < idPiece || n >= encodings.IDLen && to-afterAnyEscape(text, from) >= encodings.IDLen {
		return false
	}
	return (mayFollow(text, to) || mayPrecede(text, from)) && f.isJoined(text, from, to)
}

// isJoined reports whether the piece text[from:to] is part of an id in pieces.
func (f *Filter) isJoined(text []byte, from, to int) bool {
	g := joinedChars{first: encodings.IDLen + idPiece, last: encodings.IDLen + idPiece}
	g.gatherBefore(text, from)
	before := g.first < encodings.IDLen+idPiece
	for ; from < to; from++ {
		g.push(text[from], from)
	}
	return (g.gatherAfter(text, to) || before) && g.holdsID(f)
}

// afterEscape returns the real start of the piece that seems to begin at i. Its first
// characters may be digits of an escape: "41KIA" of \x41KIA begins at the K.
func afterEscape(text []byte, i int) int {
	for k := i - 1; k >= max(0, i-3); k-- { // \u{
		if encodings.JointStarts[text[k]] || encodings.EscapeStarts[text[k]] {
			return max(i, linkOrEscape(text, k).To)
		}
	}
	return i
}

// afterAnyEscape is afterEscape for escapes of all bytes: %2F and =C3 may stand right before
// an id, and are no part of it.
func afterAnyEscape(text []byte, i int) int {
	for k := i - 1; k >= max(0, i-3); k-- {
		if n, _ := encodings.DecodeEscape(text[k:]); n > 0 {
			return max(i, k+n)
		}
		if (text[k] == '=' || text[k] == '%') && k+2 < len(text) && encodings.HexSet[text[k+1]] && encodings.HexSet[text[k+2]] {
			return max(i, k+3)
		}
	}
	return i
}

// mayFollow reports whether a link may begin at i.
func mayFollow(text []byte, i int) bool {
	return i < len(text) && (encodings.JointStarts[text[i]] || encodings.EscapeStarts[text[i]])
}

// mayPrecede reports whether a link or a character of an id ends at i.
func mayPrecede(text []byte, i int) bool {
	return i > 0 && (idBytes[text[i-1]] || linkBefore(text, i, max(0, i-joinedIDWindow)).To > 0)
}

var idBytes = encodings.NewByteSet("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", nil)

// joinedChars are the characters of a string with its links undone, and their offsets. The
// piece that was found first is in the middle.
type joinedChars struct {
	chars       [2*encodings.IDLen + 2*encodings.IDLen]byte
	positions   [2*encodings.IDLen + 2*encodings.IDLen]int
	first, last int
}

func (g *joinedChars) push(c byte, at int) {
	if g.last < len(g.chars) {
		g.chars[g.last], g.positions[g.last] = c, at
		g.last++
	}
}

// gatherBefore gathers the characters before the piece that begins at from.
func (g *joinedChars) gatherBefore(text []byte, from int) {
	least := max(0, from-joinedIDWindow)
	for g.first > 0 && from > least {
		l := linkBefore(text, from, least)
		switch {
		case l.To == 0 && !idBytes[text[from-1]]:
			return
		case l.To == 0: // no link, but a character
			l = encodings.Link{From: from - 1, Char: text[from-1]}
		}
		from = l.From
		if l.Char != 0 {
			g.first--
			g.chars[g.first], g.positions[g.first] = l.Char, from
		}
	}
}

// gatherAfter gathers the characters behind the piece that ends at to, and reports whether
// there are any.
func (g *joinedChars) gatherAfter(text []byte, to int) bool {
	last := g.last
	most := min(len(text), to+joinedIDWindow)
	for to < most && g.last < len(g.chars) && mayFollow(text, to) {
		l := linkOrEscape(text, to)
		if l.To == 0 {
			break
		}
		if l.Char != 0 {
			g.push(l.Char, l.From)
		}
		for to = l.To; to < most && idBytes[text[to]]; to++ {
			g.push(text[to], to)
		}
	}
	return g.last > last
}

// holdsID reports whether the gathered characters hold an id within joinedIDWindow bytes.
func (g *joinedChars) holdsID(f *Filter) bool {
	for i := g.first; i+encodings.IDLen <= g.last; i++ {
		if g.positions[i+encodings.IDLen-1]-g.positions[i] < joinedIDWindow && f.holdsID(g.chars[i:i+encodings.IDLen]) {
			return true
		}
	}
	return false
}

// linkBefore returns the link that ends at i, if it begins at least or later.
func linkBefore(text []byte, i, least int) encodings.Link {
	if i == 0 {
		return encodings.Link{}
	}
	if from := encodings.SkipInvisibleBack(text, i); from < i && from >= least {
		return encodings.Link{From: from, To: i}
	}
	from, most := i, 0 // the link begins at most bytes before from
	switch c := text[i-1]; {
	case c == '"' || c == '\'' || c == '`':
		most = encodings.MaxGap + 2
	case encodings.IsBlank(c):
		from, most = encodings.SkipLineBreakBack(text, i), 1
		if from == i {
			return encodings.Link{}
		}
	case encodings.HexSet[c] || c == ';' || c == '}':
		most = maxEscape
	}
	for k := from - 1; k >= max(least, from-most); k-- {
		if !encodings.JointStarts[text[k]] && !encodings.EscapeStarts[text[k]] {
			continue
		}
		if l := linkOrEscape(text, k); l.To == i {
			if text[k] == '"' && k > least && text[k-1] == '\\' {
				l.From--
			}
			for n := 1; n < encodings.MaxBackslashes && text[k] == '\\' && l.From > least && text[l.From-1] == '\\'; n++ {
				l.From--
			}
			return l
		}
	}
	return encodings.Link{}
}

// maxEscape is the length of the longest escape, \U00000041 or \u{000041}.
const maxEscape = 10

// linkOrEscape returns the link or the escape at i.
func linkOrEscape(text []byte, i int) encodings.Link {
	if l := encodings.LinkAt(text, i); l.To > 0 {
		return l
	}
	if !encodings.EscapeStarts[text[i]] {
		return encodings.Link{}
	}
	if n, c := encodings.DecodeEscape(text[i:]); n > 0 && idBytes[c] {
		return encodings.Link{From: i, To: i + n, Char: c}
	}
	return encodings.Link{}
}

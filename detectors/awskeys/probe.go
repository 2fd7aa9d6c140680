package awskeys

import (
	"bytes"
	"encoding/binary"

	"github.com/stanch-dev/stanch/detectors"
)

// The probe asks of a text what nearly every text answers with no: is there a
// key id, a lone secret or the head of a token? It does not read the text but
// looks at words of eight bytes, so far apart that one of them lies wholly
// within whatever is looked for. Ordinary text fails at once: a space, a quote
// or, for ids, a lower-case letter is in nearly every word.

const (
	wordLen = 8
	// Of the 20 bytes of an id, 13 can begin a word that lies in it.
	idStride = idLen - wordLen + 1
	// Of the 40 bytes of a secret, 33 can. 32 is the same and simpler.
	runStride = 32

	// maxSecret is how long a secret may be with its escapes. One in a thousand
	// has more than five characters to escape; \u002f takes five more each.
	maxSecret = secretLen + 32
	// maxGlue is what skipGlue may take off a run. Not of "AKIA…/SECRET", which
	// the id gives away.
	maxGlue = 6
	// maxEscape is how far back escapeEnds looks.
	maxEscape = 8
)

// Eight bytes at once: SWAR, "SIMD within a register".
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// Span implements detectors.Prober: a secret with its escapes, what may be glued
// to it, and the context that says where that begins and ends.
func (Detector) Span() int { return maxSecret + maxGlue + 2*maxEscape }

// Probe implements detectors.Prober.
func (Detector) Probe(text []byte) bool { return probeIDs(text) || probeRuns(text) }

var _ detectors.Prober = Detector{}

// probeIDs reports whether text may hold a key id.
func probeIDs(text []byte) bool {
	for p := 0; p <= len(text)-wordLen; p += idStride {
		w := binary.LittleEndian.Uint64(text[p:])
		// Below '0' the difference has the high bit, above 'Z' the sum.
		if ((w-'0'*ones)|(w+(0x7f-'Z')*ones))&highs == 0 && idAround(text, p) {
			return true
		}
	}
	return false
}

// idAround reports whether an id holds the word at p.
func idAround(text []byte, p int) bool {
	for i := max(0, p-idLen+wordLen); i <= p && i+idLen <= len(text); i++ {
		if text[i] == 'A' && text[i+3] == 'A' && isPrefix(text[i:i+prefixLen]) && isLoneID(text, i) {
			return true
		}
	}
	return false
}

// isLoneID is isID without a look at the base64 around it, of which a piece of
// the text may show less.
func isLoneID(text []byte, at int) bool {
	end := at + idLen
	for _, c := range text[at+prefixLen : end] {
		if !isUpper(c) && !isDigit(c) {
			return false
		}
	}
	if end < len(text) && isAlnum(text[end]) {
		return false
	}
	return at == 0 || !isAlnum(text[at-1]) || escapeEnds(text, at)
}

// probeRuns reports whether text may hold a lone secret or a token: a run of
// secretLen characters or more of base64, with escapes or without.
func probeRuns(text []byte) bool {
	for p := 0; p <= len(text)-wordLen; p += runStride {
		w := binary.LittleEndian.Uint64(text[p:])
		// '#' is the least of the bytes that escapes are made of.
		if ((w-'#'*ones)|w)&highs == 0 && runAround(text, p) {
			return true
		}
	}
	return false
}

// runAround reports whether a run that holds the word at p, and no word of
// runStride bytes before, looks like a secret or begins like a token.
func runAround(text []byte, p int) bool {
	for _, c := range text[p : p+wordLen] {
		if !isRunByte(c) {
			return false
		}
	}
	from, least := p, max(0, p-runStride-maxGlue-1)
	for from > least && isSecretByte(text[from-1]) {
		from--
	}
	if from == least && from > 0 {
		return false // the middle of a long run; the word before p saw where it begins
	}
	to, most := p, min(len(text), p+secretLen+maxGlue+1)
	for to < most && isSecretByte(text[to]) {
		to++
	}
	if isLoneSecret(text, from, to) || isTokenStart(text, from, p) {
		return true
	}
	return escapedRun(text, p)
}

// isLoneSecret reports whether the run text[from:to] is a secret that may stand
// without an id.
func isLoneSecret(text []byte, from, to int) bool {
	if to-from < secretLen || to-from > secretLen+maxGlue {
		return false
	}
	from = skipGlue(text, from, to)
	return to-from == secretLen && (to == len(text) || text[to] != '=') && shapeOf(text[from:to]) == random
}

// isTokenStart reports whether a token begins in text[from:to], of which from
// is the start of a run.
func isTokenStart(text []byte, from, to int) bool {
	for i := from; i <= min(to, from+maxGlue); i++ {
		if !hasTokenHead(text[i:]) || i > 0 && isSecretByte(text[i-1]) && !escapeEnds(text, i) {
			continue
		}
		end := i
		for end < len(text) && end-i < secretLen && isRunByte(text[end]) {
			end++
		}
		if end-i == secretLen {
			return true
		}
	}
	return false
}

// tokenHeads are the heads of tokens with the marks that follow them.
var tokenHeads = [][]byte{
	[]byte("IQoJb3JpZ2lu"), []byte("AgoJb3JpZ2lu"), []byte("FwoGZXIvYXdz"), []byte("FQoGZXIvYXdz"), []byte("FQoDYXdz"), []byte("AQoDYXdz"),
}

func hasTokenHead(b []byte) bool {
	if len(b) < 4 || b[2] != 'o' {
		return false
	}
	for _, head := range tokenHeads {
		if bytes.HasPrefix(b, head) {
			return true
		}
	}
	return false
}

// escapedRun reports whether the word at p is in a secret whose "/" and "+" are
// escaped.
func escapedRun(text []byte, p int) bool {
	escapes := 0
	from, least := p, max(0, p-maxSecret)
	for ; from > least && isRunByte(text[from-1]); from-- {
		if !isSecretByte(text[from-1]) {
			escapes++
		}
	}
	to, most := p, min(len(text), p+maxSecret)
	for ; to < most && isRunByte(text[to]); to++ {
		if !isSecretByte(text[to]) {
			escapes++
		}
	}
	if escapes == 0 || to-from <= secretLen {
		return false
	}
	// The context of what may be glued to the secret, and the byte behind it.
	from, to = max(0, from-maxEscape), min(len(text), to+1)
	var space [2][2*maxSecret + 2*maxEscape]byte
	run := text[from:to]
	for depth := range 3 {
		plain := detectors.AppendUnescaped(space[depth%2][:0], run)
		if len(plain) == len(run) {
			return false
		}
		run = plain
		if holdsLoneSecret(run) {
			return true
		}
	}
	return false
}

func holdsLoneSecret(text []byte) bool {
	for i := 0; i < len(text); i++ {
		from := i
		for i < len(text) && isSecretByte(text[i]) {
			i++
		}
		if isLoneSecret(text, from, i) {
			return true
		}
	}
	return false
}

// isRunByte reports whether c is part of a secret, escaped or not: \/, %2F,
// &#47; and \u002f.
func isRunByte(c byte) bool {
	return isSecretByte(c) || c == '\\' || c == '%' || c == '&' || c == '#' || c == ';'
}

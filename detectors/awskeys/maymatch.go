package awskeys

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"math/bits"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/candidates"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/pairing"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/services"
	"github.com/stanch-dev/stanch/detectors/internal/bytemasks"
	"github.com/stanch-dev/stanch/detectors/internal/encodings"
)

// The prefilter of this detector looks for a key id, a lone secret or the head of a token,
// at the places that package bytemasks finds: runs of capital letters and digits for an id,
// and runs of 40 characters for a secret.

const (
	wordLen = 8
	// In a secret of 40 bytes a word begins at one of the first 33; 32 is simpler.
	runStride = 32

	// maxSecret bounds a secret with its escapes. One in a thousand has more than five
	// characters to escape, each of which takes five more bytes as \u002f.
	maxSecret = keyformat.SecretLen + 32
)

// Eight bytes at once: SWAR, "SIMD within a register".
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// MayMatch implements detectors.PrefilteringDetector.
func (d Detector) MayMatch(text []byte) bool { return d.mayMatch(text, false) }

// MayMatchNear implements detectors.PrefilteringDetector.
func (d Detector) MayMatchNear(text []byte) bool { return d.mayMatch(text, true) }

func (d Detector) mayMatch(text []byte, near bool) bool {
	if d.MayBeWhole(text) {
		return true
	}
	var w bytemasks.Walk
	for bytemasks.New().Begin(&w, text); w.NextChunk(); {
		for b, ok := w.NextBlock(); ok; b, ok = w.NextBlock() {
			if d.MayMatchBlock(text, b) {
				return true
			}
		}
		for r, ok := w.NextRun(); ok; r, ok = w.NextRun() {
			if d.MayMatchRun(text, r, near) {
				return true
			}
		}
	}
	return false
}

// MayBeWhole implements prefilter.PlaceFilter: text may be a secret and nothing else.
func (Detector) MayBeWhole(text []byte) bool { return mayBeWhole(text) }

// MayMatchBlock implements prefilter.PlaceFilter: a key id may begin in a block.
func (Detector) MayMatchBlock(text []byte, b bytemasks.Block) bool {
	for starts := b.Capitals; starts != 0; starts &= starts - 1 {
		i := b.From + bits.TrailingZeros64(starts)
		if text[i] == 'A' && text[i+3] == 'A' && i+keyformat.IDLen <= len(text) &&
			(candidates.IsPrefix(text[i:i+keyformat.PrefixLen]) || string(text[i:i+keyformat.PrefixLen]) == "APKA") && isLoneID(text, i) {
			return true
		}
	}
	return false
}

// MayMatchRun implements prefilter.PlaceFilter: a lone secret or a token may be in a run. If
// near is true, a secret counts only if it has a name.
func (Detector) MayMatchRun(text []byte, r bytemasks.Run, near bool) bool {
	return mayHoldSecret(text, r, near)
}

// Window implements detectors.PrefilteringDetector. It holds a secret with its escapes,
// characters that may be glued to it and one more at the end, a secret with the parts of a
// path beside it, or a password of a service with its user.
func (Detector) Window() int {
	return max(candidates.MaxGlue+maxSecret+candidates.MaxEscape+1, keyformat.SecretLen+2*(candidates.MaxBeside+1), services.MaxOwner+candidates.MaxGlue+services.ServicePassLen+1)
}

// NearWindow implements detectors.PrefilteringDetector. It holds the name of the secret too.
func (d Detector) NearWindow() int { return d.Window() + pairing.MaxNames }

var _ detectors.PrefilteringDetector = Detector{}

// isLoneID is candidates.IsID without a look at the bytes before the id. They may be an
// escape that shows only after another one has been undone, or base64 of which a piece of
// the text does not hold enough.
func isLoneID(text []byte, at int) bool {
	end := at + keyformat.IDLen
	for _, c := range text[at+keyformat.PrefixLen : end] {
		if !keyformat.IsUpper(c) && !keyformat.IsDigit(c) {
			return false
		}
	}
	return end == len(text) || !keyformat.IsAlnum(text[end]) || candidates.MayBePacked(text, at)
}

// mayHoldSecret reports whether a run of at least SecretLen characters of base64, with escapes
// or without, may hold a lone secret or a token. If named is true, a secret counts only if it
// has a name.
func mayHoldSecret(text []byte, run bytemasks.Run, named bool) bool {
	if !run.IsShort() {
		return mayHoldSecretAtWord(text, run.From, run.To, named)
	}
	if run.Small == 0 || !hasCapital(text[run.From:run.To]) {
		return false // a path or a hash: 24 random characters have letters of both cases
	}
	for others := run.Punct; others != 0; others &= others - 1 {
		if !keyformat.IsSecretPunct(text[run.From+bits.TrailingZeros64(others)]) {
			return mayHoldSecretAtWord(text, run.From, run.To, named)
		}
	}
	return isPlainRun(text, run, named)
}

// mayHoldSecretAtWord is mayHoldSecret for a run of any length. It looks around each word at a
// multiple of runStride.
func mayHoldSecretAtWord(text []byte, from, to int, named bool) bool {
	for p := (from + runStride - 1) / runStride * runStride; p+wordLen <= to; p += runStride {
		if all, some := kindsAt(text, p); all != 0 && isLongRun(text, p, some) && runAround(text, p, named) {
			return true
		}
	}
	return false
}

// isPlainRun is runAround for the whole of a short run, which is base64 without escapes.
func isPlainRun(text []byte, run bytemasks.Run, named bool) bool {
	// A secret begins with the run or behind a delimiter, and ends with it or before another.
	begins := run.Punct<<1 | 1
	ends := run.Punct>>keyformat.SecretLen | 1<<(run.To-run.From-keyformat.SecretLen)
	for both := begins & ends; both != 0; both &= both - 1 {
		if isDelimitedSecret(text, run.From+bits.TrailingZeros64(both), named) {
			return true
		}
	}
	last := run.To - keyformat.SecretLen // no secret and no token begins behind it
	return isLoneCredential(text, run.From, run.To, named) || isPackedSecret(text, run.From, named) || isTokenStart(text, run.From, min(run.From+candidates.MaxGlue, last))
}

// runAround reports whether the run around the word at p looks like a secret or begins like
// a token. It is false if the run holds the word before p too, which saw its beginning.
func runAround(text []byte, p int, named bool) bool {
	least := max(0, p-runStride-candidates.MaxGlue-1)
	from, kinds := startOfRun(text, p, least)
	delimited := kinds&keyformat.IsPunct != 0 // a part of a path may begin before p
	if from == least && from > 0 && kinds&keyformat.IsEscape == 0 {
		// The middle of a long run: the word before p saw its beginning.
		return delimited && holdsDelimitedSecret(text, from, p, named)
	}
	to, behind := endOfRun(text, p, min(len(text), p+maxSecret))
	kinds |= behind
	if to-from < keyformat.SecretLen {
		return false
	}
	if kinds&keyformat.IsEscape == 0 {
		// At most an escape is glued to the head of a token.
		return isLoneCredential(text, from, to, named) || isDelimitedSecret(text, from, named) || delimited && holdsDelimitedSecret(text, from, p, named) ||
			isPackedSecret(text, from, named) || isTokenStart(text, from, min(from+candidates.MaxGlue, p))
	}
	start, end := p, p
	for start > from && keyformat.IsSecretByte(text[start-1]) {
		start--
	}
	for end < to && keyformat.IsSecretByte(text[end]) {
		end++
	}
	return isLoneCredential(text, start, end, named) || isDelimitedSecret(text, start, named) || delimited && holdsDelimitedSecret(text, from, p, named) || isPackedSecret(text, start, named) || isTokenStart(text, from, p) ||
		mayHoldEscapedCharacter(text[from:to]) && (!named || pairing.IsNamedSecret(text, from)) && isEscapedSecret(text, p)
}

// isLoneCredential reports whether the run text[from:to] is a secret or a password that
// counts without an id.
func isLoneCredential(text []byte, from, to int, named bool) bool {
	switch n := to - from; {
	case isLoneSecret(text, from, to), isLoneSecretInBase64(text[from:to]):
		return !named || pairing.IsNamedSecret(text, from)
	case n < services.ServicePassLen || n > services.SMTPLen+candidates.MaxGlue:
		return false
	case to < len(text) && text[to] == '=':
		from = candidates.SkipGlue(text, from, to, services.ServicePassLen)
		return to-from == services.ServicePassLen && services.OwnerBefore(text, from, services.MaxOwner) != ""
	}
	from = candidates.SkipGlue(text, from, to, services.SMTPLen)
	return services.IsSMTPPassword(text[from:to]) && (!named || services.NamesSMTP(text, from))
}

// isLoneSecret reports whether the run text[from:to] is a secret that counts without an id.
func isLoneSecret(text []byte, from, to int) bool {
	return to-from >= keyformat.SecretLen && candidates.IsRandomRun(text, from, to)
}

// holdsDelimitedSecret reports whether a secret that counts without an id is a part of a path,
// and begins behind a delimiter in text[from:to].
func holdsDelimitedSecret(text []byte, from, to int, named bool) bool {
	for i := from; i < to; i++ {
		for i+wordLen <= to && !mayHavePunct(text[i:]) {
			i += wordLen
		}
		if i < to && keyformat.IsSecretPunct(text[i]) && isDelimitedSecret(text, i+1, named) {
			return true
		}
	}
	return false
}

// mayHavePunct reports whether one of the first eight bytes of b is "+" or "/", which differ in
// one bit.
func mayHavePunct(b []byte) bool {
	w := binary.LittleEndian.Uint64(b)
	w = (w | ('+'^'/')*ones) ^ '/'*ones // such a byte is zero
	return (w-ones)&^w&highs != 0
}

// isDelimitedSecret reports whether such a secret begins at text[at:].
func isDelimitedSecret(text []byte, at int, named bool) bool {
	return candidates.IsDelimited(text, at) && (!named || pairing.IsNamedSecret(text, at))
}

// isPackedSecret reports whether a secret that counts without an id is at the beginning of
// the run text[start:], with its length before it.
func isPackedSecret(text []byte, start int, named bool) bool {
	return candidates.PackedIn(text, start, func(at int) bool { return !named || pairing.IsNamedSecret(text, at) })
}

// isLoneSecretInBase64 reports whether run, without its padding, is base64 of a secret that
// counts without an id, with a line break or quotes around it at most. A Secret of Kubernetes
// has one below a plain name.
func isLoneSecretInBase64(run []byte) bool {
	const shortest, longest = 54, 56 // 40 to 42 bytes
	if len(run) < shortest || len(run) > longest {
		return false
	}
	var plain [longest / 4 * 3]byte
	n, err := base64.RawStdEncoding.Decode(plain[:], run)
	if err != nil {
		return false
	}
	secret := bytes.Trim(plain[:n], "\r\n\"'")
	return isLoneSecret(secret, 0, len(secret))
}

// isTokenStart reports whether a token begins in text[from:to].
func isTokenStart(text []byte, from, to int) bool {
	for i := from; i <= to; i++ {
		switch text[i] {
		case 'A', 'F', 'I', 'a': // all heads begin so
		default:
			continue
		}
		if !hasTokenHead(text[i:]) {
			continue
		}
		end := i
		for end < len(text) && end-i < keyformat.SecretLen && keyformat.RunKinds[text[end]] != 0 {
			end++
		}
		if end-i == keyformat.SecretLen {
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
	if len(b) < wordLen {
		return false
	}
	switch b[2] {
	case 'o':
		if b[3] != 'J' && b[3] != 'G' && b[3] != 'D' {
			return false
		}
		for _, head := range tokenHeads {
			if bytes.HasPrefix(b, head) {
				return true
			}
		}
	case 'S':
		return string(b[:4]) == services.BedrockHead
	case 'a', 'r':
		return string(b[:wordLen]) == services.SSOAccess || string(b[:wordLen]) == services.SSORefresh
	}
	return false
}

// mayHoldEscapedCharacter reports whether run may hold the escape of a character of a
// secret: \/, %2F, \u002b, \057, &#47;, &sol;. It lets every "\x" pass.
func mayHoldEscapedCharacter(run []byte) bool {
	for i := 1; i < len(run); i++ {
		switch before := run[i-1]; run[i] {
		case '/', 'x':
			if before == '\\' {
				return true
			}
		case '3', '7': // octal
			if before == '5' && i >= 3 && run[i-2] == '0' && run[i-3] == '\\' {
				return true
			}
		case 'f', 'F', 'b', 'B':
			if before == '2' {
				return true
			}
		case 'd', 'D': // %3D is "=", which may begin an escape of quoted-printable
			if i >= 2 && run[i-2] == '%' && before == '3' {
				return true
			}
		case ';':
			if i >= 2 && run[i-2] == '4' && (before == '3' || before == '7') || before == 's' || before == 'l' { // plus, sol
				return true
			}
		}
	}
	return false
}

// isEscapedSecret reports whether the word at p is in a lone secret with escaped characters.
func isEscapedSecret(text []byte, p int) bool {
	from, least := p, max(0, p-maxSecret)
	for from > least && keyformat.RunKinds[text[from-1]] != 0 {
		from--
	}
	to, most := p, min(len(text), p+maxSecret)
	for to < most && keyformat.RunKinds[text[to]] != 0 {
		to++
	}
	// An escape may be glued to the front of the secret; the byte behind it may be "=".
	from, to = max(0, from-candidates.MaxEscape), min(len(text), to+1)
	var space [2][2*maxSecret + 2*candidates.MaxEscape]byte
	run := text[from:to]
	for depth := range 3 {
		plain := encodings.AppendUnescaped(space[depth%2][:0], run)
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
		for i < len(text) && keyformat.IsSecretByte(text[i]) {
			i++
		}
		if isLoneSecret(text, from, i) || candidates.HoldsDelimited(text, from, i) {
			return true
		}
	}
	return false
}

package awskeys

import (
	"encoding/binary"

	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
)

// The bytes of a run, eight at once: their kinds, and its ends.

// nonRunBytes sets the high bit of each of the first eight bytes of b that is below "#",
// the least byte of a run, or not ASCII. It may mark bytes after these too.
func nonRunBytes(b []byte) uint64 {
	w := binary.LittleEndian.Uint64(b)
	return (w | (w - '#'*ones)) & highs
}

// kindsAt returns the RunKinds that all of the eight bytes at p have, and those that some
// of them have.
func kindsAt(text []byte, p int) (common, some byte) {
	b := text[p : p+wordLen : p+wordLen]
	k0, k1, k2, k3 := keyformat.RunKinds[b[0]], keyformat.RunKinds[b[1]], keyformat.RunKinds[b[2]], keyformat.RunKinds[b[3]]
	k4, k5, k6, k7 := keyformat.RunKinds[b[4]], keyformat.RunKinds[b[5]], keyformat.RunKinds[b[6]], keyformat.RunKinds[b[7]]
	return (k0 & k1) & (k2 & k3) & ((k4 & k5) & (k6 & k7)), (k0 | k1) | (k2 | k3) | ((k4 | k5) | (k6 | k7))
}

// hasCapital reports whether run, eight bytes or more of a run, has a capital letter.
func hasCapital(run []byte) bool {
	for p, last := 0, len(run)-wordLen; ; p = min(p+wordLen, last) {
		w := binary.LittleEndian.Uint64(run[p:])
		// The bytes with the bit 0x40 are capitals, "\", "_" and small letters. With 5 more, all
		// but capitals have the bit 0x20 too.
		if w&^((w+5*ones)<<1)&(0x40*ones) != 0 {
			return true
		}
		if p == last {
			return false
		}
	}
}

// bothCases are the kinds of letters.
const bothCases = keyformat.IsCapital | keyformat.IsSmall

// isLongRun reports whether the word at p, which is in a run and has the kinds word, may be in one
// of SecretLen characters that is no path and no hash. Half of the rest of such a run is before the word
// or behind it, and 24 random characters have letters of both cases.
func isLongRun(text []byte, p int, word byte) bool {
	q := p + wordLen
	after := q+2*wordLen <= len(text) && nonRunBytes(text[q:])|nonRunBytes(text[q+wordLen:]) == 0
	before := p >= 2*wordLen && nonRunBytes(text[p-2*wordLen:])|nonRunBytes(text[p-wordLen:]) == 0
	if !after && !before {
		return false
	}
	return after && haveBothCases(text, q, word) || before && haveBothCases(text, p-2*wordLen, word)
}

// haveBothCases reports whether the 16 bytes at p are in a run and have letters of both
// cases, together with a word of the kinds word.
func haveBothCases(text []byte, p int, word byte) bool {
	all1, any1 := kindsAt(text, p)
	all2, any2 := kindsAt(text, p+wordLen)
	return all1&all2 != 0 && (word|any1|any2)&bothCases == bothCases
}

// startOfRun returns where the run that text[:from] ends in begins, least or later, and the kinds of
// its bytes.
func startOfRun(text []byte, from, least int) (at int, kinds byte) {
	for from-wordLen >= least {
		all, some := kindsAt(text, from-wordLen)
		if all == 0 {
			break
		}
		from -= wordLen
		kinds |= some
	}
	for from > least && keyformat.RunKinds[text[from-1]] != 0 {
		from--
		kinds |= keyformat.RunKinds[text[from]]
	}
	return from, kinds
}

// endOfRun returns where the run at text[to:] ends, most or earlier, and the kinds of its bytes.
func endOfRun(text []byte, to, most int) (at int, kinds byte) {
	for to+wordLen <= most {
		all, some := kindsAt(text, to)
		if all == 0 {
			break
		}
		to += wordLen
		kinds |= some
	}
	for to < most && keyformat.RunKinds[text[to]] != 0 {
		kinds |= keyformat.RunKinds[text[to]]
		to++
	}
	return to, kinds
}

package sarif

import (
	"fmt"
	"unicode/utf16"
)

// hashBlock is how many characters of a text the hash of a line covers.
const hashBlock = 100

// LineHash returns GitHub's primaryLocationLineHash of a line, counted from 1, of a text,
// "" if it has no such line. github/codeql-action computes the same hash for SARIF that
// comes without one (src/fingerprints.ts), so alerts stay the same whoever uploads them. It
// is a rolling hash, modulo 2^64, over a hundred UTF-16 units from the beginning of the
// line. Spaces and tabs are left out, all line ends count as LF, and the text ends with
// 0xFFFF and zeros. A count tells lines with equal hashes apart.
func LineHash(text string, line int) string {
	units, starts := hashedUnits(text)
	if line < 1 || line > len(starts) {
		return ""
	}
	hashes := make([]uint64, line)
	for i := range hashes {
		hashes[i] = hashAt(units, starts[i])
	}
	count := 0
	for _, h := range hashes {
		if h == hashes[line-1] {
			count++
		}
	}
	return fmt.Sprintf("%x:%d", hashes[line-1], count)
}

// hashedUnits returns the units that are hashed, and where among them lines begin. A
// line of nothing but blanks begins with its LF; the last one with the end.
func hashedUnits(text string) (units []uint16, starts []int) {
	start, afterCR := true, false
	put := func(u uint16) {
		if start {
			starts = append(starts, len(units))
		}
		start = u == '\n'
		units = append(units, u)
	}
	for _, u := range utf16.Encode([]rune(text)) { // bytes that are not UTF-8 are U+FFFD, as in JavaScript
		switch {
		case u == ' ' || u == '\t' || u == '\n' && afterCR:
			afterCR = false
			continue
		case u == '\r':
			afterCR = true
			u = '\n'
		default:
			afterCR = false
		}
		put(u)
	}
	put(0xFFFF)
	return units, starts
}

func hashAt(units []uint16, at int) uint64 {
	var h uint64
	for i := range hashBlock {
		h *= 37
		if at+i < len(units) {
			h += uint64(units[at+i])
		}
	}
	return h
}

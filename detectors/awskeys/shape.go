package awskeys

import (
	"encoding/base64"

	"github.com/stanch-dev/stanch/detectors"
)

// shape grades how much 40 characters look like 30 random bytes in base64.
type shape int

const (
	notSecret   shape = iota // text in base64, words, a placeholder
	hexadecimal              // a hash, unless a name says otherwise right beside an id
	odd                      // one secret in five hundred looks like this: a name must vouch for it
	random
)

// shapeOf judges s, 40 characters of base64. The limits are percentiles of
// 200,000 random secrets: entropy is below 4.25 bits for 0.011 % of them, the
// longest lower-case run above 10 for 0.1 %, changes of character class below
// 13 for 0.01 %; 0.11 % have no digit. Together they keep 99.78 %; identifiers,
// paths and hashes fail at least one.
func shapeOf(s []byte) shape {
	switch {
	case isHexRun(s) && !isFiller(string(s)):
		return hexadecimal
	case isHexRun(s), decodesToText(s):
		return notSecret
	}
	h, digits := detectors.Entropy(s), countDigits(s)
	switch {
	case longestLower(s) > 14 || transitions(s) < 12:
		return notSecret
	case h >= 4.25 && digits > 0 && longestLower(s) <= 10 && transitions(s) >= 13:
		return random
	case h >= 4.25 || h >= 4 && digits > 0:
		return odd
	}
	return notSecret
}

// isHexRun reports whether s is a SHA-1 in hexadecimal: a secret is that with
// a probability of 1e-24.
func isHexRun(s []byte) bool {
	for _, c := range s {
		if !isHex(c) {
			return false
		}
	}
	return true
}

// decodesToText reports whether s is text in base64: random bytes are all
// printable with a probability of 1e-13.
func decodesToText(s []byte) bool {
	var out [secretLen]byte
	n, err := base64.RawStdEncoding.Decode(out[:], s)
	if err != nil {
		return false
	}
	for _, c := range out[:n] {
		if (c < ' ' || c > '~') && c != '\n' && c != '\t' && c != '\r' {
			return false
		}
	}
	return true
}

func countDigits(s []byte) (n int) {
	for _, c := range s {
		if isDigit(c) {
			n++
		}
	}
	return n
}

// longestLower returns the length of the longest run of lower-case letters.
func longestLower(s []byte) (longest int) {
	run := 0
	for _, c := range s {
		if !isLower(c) {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// transitions counts the changes between lower case, upper case, digits and
// the rest.
func transitions(s []byte) (n int) {
	for i := 1; i < len(s); i++ {
		if byteClass(s[i]) != byteClass(s[i-1]) {
			n++
		}
	}
	return n
}

func byteClass(c byte) int {
	switch {
	case isLower(c):
		return 0
	case isUpper(c):
		return 1
	case isDigit(c):
		return 2
	}
	return 3
}

package keyformat

import (
	"encoding/base64"
)

// SecretLen is the length of a secret access key: 30 bytes in base64, without padding.
const SecretLen = 40

// A Shape says how much 40 characters look like 30 random bytes in base64.
type Shape int

const (
	NotSecret   Shape = iota // text in base64, words, a placeholder
	Hexadecimal              // a hash, unless it is called a secret right beside an id
	Odd                      // as one secret in five hundred looks: a candidate if it has a name
	Random
)

// ShapeOf judges s, 40 characters of base64. The limits are percentiles of
// 200,000 random secrets: entropy is below 4.25 bits for 0.011 % of them, the
// longest lower-case run above 10 for 0.1 %, changes of character class below
// 13 for 0.01 %; 0.11 % have no digit. 99.78 % pass them all; identifiers, paths and hashes
// fail at least one.
func ShapeOf(s []byte) Shape {
	switch {
	case IsHexRun(s) && !IsFiller(string(s)):
		return Hexadecimal
	case IsHexRun(s):
		return NotSecret
	}
	small, changes := LongestLower(s), Transitions(s)
	if small > 14 || changes < 12 || decodesToText(s) { // the slowest last
		return NotSecret
	}
	h, digits := Entropy(s), CountDigits(s)
	switch {
	case h >= 4.25 && digits > 0 && small <= 10 && changes >= 13:
		return Random
	case h >= 4.25 || h >= 4 && digits > 0:
		return Odd
	}
	return NotSecret
}

// IsHexRun reports whether all of s are hexadecimal digits, as in a SHA-1. A secret has no
// other characters with a probability of 1e-24.
func IsHexRun(s []byte) bool {
	for _, c := range s {
		if !IsHex(c) {
			return false
		}
	}
	return true
}

// decodesToText reports whether s is text in base64. 30 random bytes are all printable with
// a probability of 1e-13.
func decodesToText(s []byte) bool {
	var out [SecretLen]byte
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

// CountDigits returns the number of digits in s.
func CountDigits(s []byte) (n int) {
	for _, c := range s {
		if IsDigit(c) {
			n++
		}
	}
	return n
}

// LongestLower returns the length of the longest run of lower-case letters.
func LongestLower(s []byte) (longest int) {
	run := 0
	for _, c := range s {
		if !IsLower(c) {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// Transitions counts the changes between lower case, upper case, digits and
// the rest.
func Transitions(s []byte) (n int) {
	for i := 1; i < len(s); i++ {
		if byteClass(s[i]) != byteClass(s[i-1]) {
			n++
		}
	}
	return n
}

func byteClass(c byte) int {
	switch {
	case IsLower(c):
		return 0
	case IsUpper(c):
		return 1
	case IsDigit(c):
		return 2
	}
	return 3
}

package keyformat

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// published maps the SHA-256 of secrets that a manual gives as examples to the manual. There
// are hundreds of copies of them. AWS's later examples have EXAMPLE in them instead.
var published = map[string]string{
	"0114c1456f2504384f9111557e6dc0dd99de9fbc6644c6afa8a1bcac8ef391b1": "the old documentation of S3",
	"df452eef23e8cf2c74af54c0c7419c05a5ec70ef4d5c2eb04082b02af8c55598": "MinIO's public playground",
	"4c7b3f40e866bf984951008d3267138c07663baf6e8eeb77bd91d72141ea8faa": "the AWS CLI's manual",
	"c0a9271ec8c34c6606bd1bc02405be1527b5d821d81af1482101c28818ac16f1": "the AWS CLI's manual",
}

// ManualOf returns the manual with secret in it, or "".
func ManualOf(secret string) string {
	if len(secret) < SecretLen {
		return ""
	}
	hash := sha256.Sum256([]byte(secret))
	return published[hex.EncodeToString(hash[:])]
}

// IsSample reports whether s, the body of an id or a secret, was made up: for a manual, or
// by typing along the keyboard.
func IsSample(s string) bool { return IsExampleText(s) || IsFiller(s) || ManualOf(s) != "" }

// IsExampleText reports whether s holds EXAMPLE, or another part of AWS's own example, as
// it is misspelt in copies.
func IsExampleText(s string) bool {
	for _, word := range []string{"EXAMPLE", "EAXMPLE", "EXAMPL3", "EXMAPLE", "IOSFODNN", "IO5FODNN", "K7MDENG"} {
		if strings.Contains(s, word) {
			return true
		}
	}
	return false
}

// IsFiller reports whether s is a sequence or a repetition, such as 1234567890ABCDEF or
// a1b2c3d4e5f6. Either it has at most six distinct characters, or more than half of them
// equal or follow the character before, or follow the one before that.
func IsFiller(s string) bool {
	var seen [256]bool
	distinct := 0
	for _, c := range []byte(s) {
		if !seen[c] {
			seen[c] = true
			distinct++
		}
	}
	if distinct <= 6 {
		return true
	}
	regular, woven := 0, 0
	for i := 1; i < len(s); i++ {
		if d := int(s[i]) - int(s[i-1]); d == 0 || d == 1 {
			regular++
		}
		if i > 1 && int(s[i]|0x20)-int(s[i-2]|0x20) == 1 {
			woven++
		}
	}
	return regular*2 > len(s) || woven*2 > len(s)
}

// IsWords reports whether body reads like words: letters only, a third of them vowels, never
// more than four consonants in a row. 0.4 % of random bodies do.
func IsWords(body string) bool {
	vowels, run := 0, 0
	for _, c := range []byte(body) {
		switch {
		case !IsUpper(c):
			return false
		case strings.IndexByte("AEIOU", c) >= 0:
			vowels, run = vowels+1, 0
		default:
			run++
		}
		if run > 4 {
			return false
		}
	}
	return vowels*3 >= len(body)
}

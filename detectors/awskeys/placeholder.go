package awskeys

import (
	"strings"

	"github.com/stanch-dev/stanch/detectors"
)

// Placeholder returns why c is no credential but an example or filler, or "".
// It is a filter, not a detector: what it names is suppressed with its reason,
// not lost.
func Placeholder(c detectors.Credential) string {
	if c.ID != "" {
		if why := placeholderID(c.ID); why != "" {
			return why
		}
		if c.Secret.IsZero() && Grade(c.ID) == Impossible && isWords(c.ID[prefixLen:]) {
			return "words that begin like a key id"
		}
	}
	secret := c.Secret.Reveal()
	switch {
	case isExampleText(secret) || isExampleText(c.Token.Reveal()):
		return "example secret of the AWS documentation"
	case secret != "" && c.ID == "" && isFiller(secret):
		return "placeholder"
	}
	return ""
}

func placeholderID(id string) string {
	body := id[prefixLen:]
	switch {
	case isExampleText(body):
		return "example key id of the AWS documentation"
	case isFiller(body):
		return "placeholder"
	}
	return ""
}

// isExampleText knows EXAMPLE and the ways it is misspelt in copies of AWS's
// own example.
func isExampleText(s string) bool {
	for _, word := range []string{"EXAMPLE", "EAXMPLE", "EXAMPL3", "EXMAPLE", "IOSFODNN", "IO5FODNN", "K7MDENG"} {
		if strings.Contains(s, word) {
			return true
		}
	}
	return false
}

// isFiller reports whether s is a sequence or a repetition: six distinct
// characters or fewer, or four in a row that are equal or count up by one, three
// times over.
func isFiller(s string) bool {
	distinct := map[rune]bool{}
	for _, c := range s {
		distinct[c] = true
	}
	if len(distinct) <= 6 {
		return true
	}
	regular := 0
	for i := 1; i < len(s); i++ {
		if d := int(s[i]) - int(s[i-1]); d == 0 || d == 1 {
			regular++
		}
	}
	return regular*2 > len(s)
}

// isWords reports whether body reads like words: letters only, a third of them
// vowels, never more than four consonants in a row. Of random bodies 0.4 % do.
func isWords(body string) bool {
	vowels, run := 0, 0
	for _, c := range []byte(body) {
		switch {
		case !isUpper(c):
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

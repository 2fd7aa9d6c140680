package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// fingerprintSize is the number of hexadecimal digits of a fingerprint.
const fingerprintSize = 32

// ParseFingerprint returns the fingerprint in text, in lower case. text may hold what people
// copy with it from a report: the label, or the rule ("fingerprint 9f52…", "aws-access-key
// 9f52…", "aws-access-key:9f52…"), and quotes. An error says nothing of text that is not
// hexadecimal: it may be a key.
func ParseFingerprint(text string) (string, error) {
	const shown = `the report's line "fingerprint" shows it whole`
	words := fingerprintWords(text)
	if len(words) == 0 {
		return "", errors.New("a fingerprint is missing: " + shown)
	}
	s := words[len(words)-1]
	switch {
	case slices.ContainsFunc(words[:len(words)-1], func(word string) bool { return !namesFingerprint(word) }):
		return "", fmt.Errorf("this is more than one fingerprint, or none: a fingerprint has %d hexadecimal digits, and %s", fingerprintSize, shown)
	case strings.Trim(s, "0123456789abcdef") != "":
		return "", fmt.Errorf("a fingerprint has %d hexadecimal digits (0-9, a-f), and this has other characters: %s", fingerprintSize, shown)
	case len(s) < fingerprintSize:
		return "", fmt.Errorf("this has %d of the %d digits of a fingerprint: %s", len(s), fingerprintSize, shown)
	case len(s) > fingerprintSize:
		return "", fmt.Errorf("this has %d digits, and a fingerprint has %d: it may be another hash, such as that of the secret", len(s), fingerprintSize)
	}
	return s, nil
}

// fingerprintWords splits text, which was copied from a report, at white space, quotes, commas
// and colons. The words are in lower case.
func fingerprintWords(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return strings.ContainsRune(" \t\r\n\u00a0\"'`,;:[]", r) })
}

// namesFingerprint reports whether word may stand before a fingerprint: a label of a report,
// or the name of a rule. A word of letters and digits alone is no name: it may be a
// fingerprint with a letter too much.
func namesFingerprint(word string) bool {
	return word == "fingerprint" || word == "fingerprints" || word == "id" || strings.ContainsAny(word, "-_.") && ruleID.MatchString(word)
}

// Fingerprints returns the fingerprints in the words of a command line, each once. A label or
// the name of a rule may be a word by itself.
func Fingerprints(words []string) (list []string, err error) {
	seen := map[string]bool{}
	before := ""
	var errs []error
	for i, word := range words {
		if parts := fingerprintWords(word); len(parts) == 1 && namesFingerprint(parts[0]) && i < len(words)-1 {
			before += parts[0] + " "
			continue
		}
		s, err := ParseFingerprint(before + word)
		before = ""
		if err != nil {
			errs = append(errs, fmt.Errorf("argument %d: %w", i+1, err))
		} else if !seen[s] {
			seen[s] = true
			list = append(list, s)
		}
	}
	return list, errors.Join(errs...)
}

// A fingerprint is checked where it is read, so that an error knows its line. It is a struct
// because the reader of TOML takes a string as it is.
type fingerprint struct{ digits string }

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *fingerprint) UnmarshalText(text []byte) (err error) {
	f.digits, err = ParseFingerprint(string(text))
	return err
}

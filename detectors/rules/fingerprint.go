package rules

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// fingerprintSize is the number of hexadecimal digits of a fingerprint.
const fingerprintSize = 32

const shownWhole = `the report's line "fingerprint" shows it whole`

// Fingerprints returns the fingerprints in texts, such as the arguments of a command, each once
// and in lower case. People copy more than the fingerprint from a report: the label, the rule,
// quotes ("fingerprint 9f52… (aws-access-key)", "aws-access-key:9f52…"). These are left out. An
// error numbers the text, and quotes nothing of it: it may be a key.
func Fingerprints(texts []string) (list []string, err error) {
	var errs []error
	for i, text := range texts {
		for _, word := range fingerprintWords(text) {
			if err := checkFingerprint(word); err != nil {
				errs = append(errs, fmt.Errorf("argument %d: %w", i+1, err))
				break
			}
			if !slices.Contains(list, word) {
				list = append(list, word)
			}
		}
	}
	if len(list)+len(errs) == 0 {
		errs = append(errs, errors.New("no argument is a fingerprint: "+shownWhole))
	}
	return list, errors.Join(errs...)
}

// ParseFingerprint is Fingerprints for a text that has to hold one.
func ParseFingerprint(text string) (string, error) {
	words := fingerprintWords(text)
	switch len(words) {
	case 0:
		return "", errors.New("a fingerprint is missing: " + shownWhole)
	case 1:
		return words[0], checkFingerprint(words[0])
	}
	return "", fmt.Errorf("this is more than one fingerprint, or none: a fingerprint has %d hexadecimal digits, and %s", fingerprintSize, shownWhole)
}

// fingerprintWords splits text at all that may stand beside a fingerprint, and returns the words
// that should be one, in lower case.
func fingerprintWords(text string) []string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return strings.ContainsRune(" \t\r\n\u00a0\"'`,;:[]()", r) })
	return slices.DeleteFunc(words, namesFingerprint)
}

// namesFingerprint reports whether word is a label of a report or the name of a rule. A word of
// letters and digits alone is neither: it may be a fingerprint with a wrong letter.
func namesFingerprint(word string) bool {
	return word == "fingerprint" || word == "fingerprints" || word == "id" ||
		strings.ContainsAny(word, "-_.") && strings.ContainsAny(word, "ghijklmnopqrstuvwxyz") && ruleID().MatchString(word)
}

func checkFingerprint(s string) error {
	switch {
	case strings.Trim(s, "0123456789abcdef") != "":
		return fmt.Errorf("a fingerprint has %d hexadecimal digits (0-9, a-f), and this has other characters: %s", fingerprintSize, shownWhole)
	case len(s) < fingerprintSize:
		return fmt.Errorf("this has %d of the %d digits of a fingerprint: %s", len(s), fingerprintSize, shownWhole)
	case len(s) > fingerprintSize:
		return fmt.Errorf("this has %d digits, and a fingerprint has %d: it may be another hash, such as that of the secret", len(s), fingerprintSize)
	}
	return nil
}

// A fingerprint is checked where it is read, so that an error knows its line. It is a struct
// because the reader of TOML takes a string as it is.
type fingerprint struct{ digits string }

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *fingerprint) UnmarshalText(text []byte) (err error) {
	f.digits, err = ParseFingerprint(string(text))
	return err
}

func digits(list []fingerprint) []string {
	var all []string
	for _, f := range list {
		all = append(all, f.digits)
	}
	return all
}

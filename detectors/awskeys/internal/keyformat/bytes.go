// Package keyformat knows the form of key ids, secrets and session tokens, without the text
// around them: the account and the grade of an id, the shape of a secret, the clear fields
// of a token, and the examples of manuals.
package keyformat

import "unicode/utf8"

// IsUpper reports whether c is a capital letter of ASCII.
func IsUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

// IsLower reports whether c is a small letter of ASCII.
func IsLower(c byte) bool { return 'a' <= c && c <= 'z' }

// IsDigit reports whether c is a digit.
func IsDigit(c byte) bool { return '0' <= c && c <= '9' }

// IsAlnum reports whether c is a letter or a digit of ASCII.
func IsAlnum(c byte) bool { return IsUpper(c) || IsLower(c) || IsDigit(c) }

// IsHex reports whether c is a hexadecimal digit.
func IsHex(c byte) bool { return IsDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }

// IsSecretPunct reports whether c is punctuation of base64 (RFC 4648 §4).
func IsSecretPunct(c byte) bool { return c == '+' || c == '/' }

// IsSecretByte reports whether c is base64 (RFC 4648 §4), as secrets are.
func IsSecretByte(c byte) bool { return IsAlnum(c) || IsSecretPunct(c) }

// RunKinds holds the kinds of each byte: 0, or inRun if the byte is base64 or part of an
// escape such as \/, %2F, &#47; or \u002f, with others of the kinds below.
var RunKinds = func() (kinds [256]byte) {
	for c := range kinds {
		switch c := byte(c); {
		case IsUpper(c):
			kinds[c] = inRun | InSecret | IsCapital
		case IsLower(c):
			kinds[c] = inRun | InSecret | IsSmall
		case IsSecretPunct(c):
			kinds[c] = inRun | InSecret | IsPunct
		case IsSecretByte(c):
			kinds[c] = inRun | InSecret
		}
	}
	for _, c := range `\%&#;` {
		kinds[c] = inRun | IsEscape
	}
	return kinds
}()

// The kinds of a byte of a run.
const (
	inRun byte = 1 << iota
	IsEscape
	IsCapital
	IsSmall
	IsPunct
	InSecret
)

// IsNameByte reports whether c is a part of a name: a letter, a digit, "_", "-" or ".".
func IsNameByte(c byte) bool {
	return IsAlnum(c) || c == '_' || c == '-' || c == '.' || c >= utf8.RuneSelf
}

// IsAnyBase64 reports whether c is in one of the alphabets of RFC 4648.
func IsAnyBase64(c byte) bool { return IsSecretByte(c) || c == '-' || c == '_' }

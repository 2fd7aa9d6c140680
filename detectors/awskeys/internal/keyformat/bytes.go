package keyformat

import "unicode/utf8"

func IsUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

func IsLower(c byte) bool { return 'a' <= c && c <= 'z' }

func IsDigit(c byte) bool { return '0' <= c && c <= '9' }

func IsAlnum(c byte) bool { return IsUpper(c) || IsLower(c) || IsDigit(c) }

func IsHex(c byte) bool { return IsDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }

// IsSecretPunct and IsSecretByte know the alphabet of base64, RFC 4648 §4.
func IsSecretPunct(c byte) bool { return c == '+' || c == '/' }

func IsSecretByte(c byte) bool { return IsAlnum(c) || IsSecretPunct(c) }

// RunKinds says of each byte whether it is part of a run: of base64, or of an
// escape, as in \/, %2F, &#47; and \u002f.
var RunKinds = func() (kinds [256]byte) {
	for c := range kinds {
		switch c := byte(c); {
		case IsUpper(c):
			kinds[c] = inRun | InSecret | IsCapital
		case IsLower(c):
			kinds[c] = inRun | InSecret | IsSmall
		case IsSecretByte(c):
			kinds[c] = inRun | InSecret
		}
	}
	for _, c := range `\%&#;` {
		kinds[c] = inRun | IsEscape
	}
	return kinds
}()

const (
	inRun byte = 1 << iota
	IsEscape
	IsCapital
	IsSmall
	InSecret
)

func IsNameByte(c byte) bool {
	return IsAlnum(c) || c == '_' || c == '-' || c == '.' || c >= utf8.RuneSelf
}

// IsAnyBase64 knows both alphabets of RFC 4648.
func IsAnyBase64(c byte) bool { return IsSecretByte(c) || c == '-' || c == '_' }

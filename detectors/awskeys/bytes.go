package awskeys

import "unicode/utf8"

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isAlnum(c byte) bool { return isUpper(c) || isLower(c) || isDigit(c) }

func isHex(c byte) bool { return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }

// isSecretPunct and isSecretByte know the alphabet of base64, RFC 4648 §4.
func isSecretPunct(c byte) bool { return c == '+' || c == '/' }

func isSecretByte(c byte) bool { return isAlnum(c) || isSecretPunct(c) }

// runKinds says of each byte whether it is part of a run: of base64, or of an
// escape, as in \/, %2F, &#47; and \u002f.
var runKinds = func() (kinds [256]byte) {
	for c := range kinds {
		switch c := byte(c); {
		case isUpper(c):
			kinds[c] = inRun | inSecret | isCapital
		case isLower(c):
			kinds[c] = inRun | inSecret | isSmall
		case isSecretByte(c):
			kinds[c] = inRun | inSecret
		}
	}
	for _, c := range `\%&#;` {
		kinds[c] = inRun | isEscape
	}
	return kinds
}()

const (
	inRun byte = 1 << iota
	isEscape
	isCapital
	isSmall
	inSecret
)

func isNameByte(c byte) bool {
	return isAlnum(c) || c == '_' || c == '-' || c == '.' || c >= utf8.RuneSelf
}

// isAnyBase64 knows both alphabets of RFC 4648.
func isAnyBase64(c byte) bool { return isSecretByte(c) || c == '-' || c == '_' }

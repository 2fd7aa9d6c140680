// Package encodings knows how texts write other texts: alphabets, escapes and joints.
package encodings

import "strings"

// Base64Values are the values of the characters of both alphabets, and NoBase64
// of all others.
var Base64Values = func() (values [256]byte) {
	for c := range values {
		values[c] = NoBase64
	}
	for _, alphabet := range []string{base64Std, base64URL} {
		for value, c := range []byte(alphabet) {
			values[c] = byte(value)
		}
	}
	return values
}()

const (
	NoBase64   = 0x80
	base64Most = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	base64Std  = base64Most + "+/"
	base64URL  = base64Most + "-_"
)

// Base64Set is both alphabets of RFC 4648.
var Base64Set = NewByteSet(base64Std+base64URL, nil)

// An id in hexadecimal.
const MinHex = 2 * IDLen

var (
	HexSet    = NewByteSet("0123456789abcdefABCDEF", nil)
	WordBytes = NewByteSet(base64Most, nil) // letters and digits
)

const NoHex = 0xff

// HexValues are the values of hexadecimal digits, and NoHex of all else.
var HexValues = func() (values [256]byte) {
	for c := range values {
		values[c] = NoHex
	}
	for value, c := range []byte("0123456789abcdef") {
		values[c], values[strings.ToUpper(string(c))[0]] = byte(value), byte(value)
	}
	return values
}()

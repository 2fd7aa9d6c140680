// Package encodings knows how text is written within other text: the alphabets of base64
// and hexadecimal, escapes such as \u0041, and the joints at which strings are cut, such
// as "AKIA" + "REST". The views decode with it, and the prefilter recognises with it.
//
// It works on a few bytes at a time and knows neither views nor detectors.
package encodings

import "strings"

// Base64Values maps the characters of both alphabets of RFC 4648 to their values, and
// all other bytes to NoBase64.
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

// NoBase64 is the value of bytes that are not base64.
const NoBase64 = 0x80

const (
	base64Most = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	base64Std  = base64Most + "+/"
	base64URL  = base64Most + "-_"
)

// Base64Set holds both alphabets of RFC 4648.
var Base64Set = NewByteSet(base64Std+base64URL, nil)

// MinHex is the length of an id in hexadecimal.
const MinHex = 2 * IDLen

var (
	// HexSet holds the hexadecimal digits.
	HexSet = NewByteSet("0123456789abcdefABCDEF", nil)
	// WordBytes holds letters and digits.
	WordBytes = NewByteSet(base64Most, nil)
)

// NoHex is the value of bytes that are no hexadecimal digits.
const NoHex = 0xff

// HexValues maps hexadecimal digits to their values, and all other bytes to NoHex.
var HexValues = func() (values [256]byte) {
	for c := range values {
		values[c] = NoHex
	}
	for value, c := range []byte("0123456789abcdef") {
		values[c], values[strings.ToUpper(string(c))[0]] = byte(value), byte(value)
	}
	return values
}()

package detectors

import "strings"

// base64Values are the values of the characters of both alphabets, and noBase64
// of all others.
var base64Values = func() (values [256]byte) {
	for c := range values {
		values[c] = noBase64
	}
	for _, alphabet := range []string{base64Std, base64URL} {
		for value, c := range []byte(alphabet) {
			values[c] = byte(value)
		}
	}
	return values
}()

const (
	noBase64   = 0x80
	base64Most = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	base64Std  = base64Most + "+/"
	base64URL  = base64Most + "-_"
)

// base64Set is both alphabets of RFC 4648.
var base64Set = newByteSet(base64Std+base64URL, nil)

// An id in hexadecimal.
const minHex = 2 * idLen

var (
	hexSet    = newByteSet("0123456789abcdefABCDEF", nil)
	wordBytes = newByteSet(base64Most, nil) // letters and digits
)

const noHex = 0xff

// hexValues are the values of hexadecimal digits, and noHex of all else.
var hexValues = func() (values [256]byte) {
	for c := range values {
		values[c] = noHex
	}
	for value, c := range []byte("0123456789abcdef") {
		values[c], values[strings.ToUpper(string(c))[0]] = byte(value), byte(value)
	}
	return values
}()

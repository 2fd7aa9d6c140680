package prefilter

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// utf16Form returns the bytes that k has in UTF-16 of either byte order.
func utf16Form(k string) string { return strings.Join(strings.Split(k, ""), "\x00") }

// escapedForms returns k with all of its characters escaped, once for each kind of escape
// in its usual spelling: %41, \u0041, \x41, &#65; …
func escapedForms(k string) []string {
	const hexUpper, hexLower = "0123456789ABCDEF", "0123456789abcdef"
	forms := make([]string, 0, 14)
	escape := func(before, after string, code func(c byte) string) {
		var s strings.Builder
		s.Grow(len(k) * 6)
		for _, c := range []byte(k) {
			s.WriteString(before)
			s.WriteString(code(c))
			s.WriteString(after)
		}
		forms = append(forms, s.String())
	}
	for _, digits := range []string{hexUpper, hexLower} {
		hex := func(c byte) string { return string([]byte{digits[c>>4], digits[c&15]}) }
		escape("%", "", hex)
		escape(`\u00`, "", hex)
		escape(`\x`, "", hex)
		escape("=", "", hex)
		escape("%u00", "", hex)
		escape("&#x", ";", hex)
	}
	escape("&#", ";", func(c byte) string { return strconv.Itoa(int(c)) })
	escape(`\`, "", func(c byte) string { return fmt.Sprintf("%03o", c) })
	return forms
}

// base64Forms returns k in base64. There are three forms, because the number of bytes
// before k decides how its bits are cut into characters.
func base64Forms(k string) []string {
	return []string{base64Core(k, 0), base64Core(k, 1), base64Core(k, 2)}
}

// base64Core returns the characters that the base64 of all texts with k at an offset of
// shift modulo 3 has in common.
func base64Core(k string, shift int) string {
	s := base64.StdEncoding.EncodeToString(append(make([]byte, shift, shift+len(k)), k...))
	first := (shift*8 + 5) / 6       // the first character of bits of k alone
	last := (shift + len(k)) * 8 / 6 // the first behind these
	return s[first:last]
}

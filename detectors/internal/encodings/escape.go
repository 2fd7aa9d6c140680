package encodings

import (
	"bytes"
	"strconv"
)

// EscapeStarts holds the first bytes of escape sequences.
var EscapeStarts = NewByteSet("\\%&\x1b", nil)

// AppendUnescaped appends text to dst with its escapes undone once, as the view of
// escapes does, and returns the extended slice.
func AppendUnescaped(dst, text []byte) []byte {
	for len(text) > 0 {
		if n, c := DecodeEscape(text); n > 0 {
			dst, text = append(dst, c), text[n:]
		} else {
			dst, text = append(dst, text[0]), text[1:]
		}
	}
	return dst
}

// DecodeEscape returns the length of the escape sequence at the beginning of b and the
// byte that it stands for. n is 0 if there is no escape sequence, or one of a character
// that is not ASCII: ids and secrets have none.
func DecodeEscape(b []byte) (n int, c byte) {
	switch b[0] {
	case '%':
		if len(b) > 1 && b[1] == 'u' { // of JavaScript's escape()
			return HexByte(b, 2, 4)
		}
		return HexByte(b, 1, 2)
	case '&':
		return htmlEntity(b)
	case '\x1b':
		return colour(b)
	case '\\':
		return backslashEscape(b)
	}
	return 0, 0
}

// HexByte reads digits hexadecimal digits at b[at:].
func HexByte(b []byte, at, digits int) (int, byte) {
	if len(b) < at+digits {
		return 0, 0
	}
	n := 0
	for _, c := range b[at : at+digits] {
		d := HexValues[c]
		if d == NoHex || n >= 0x80 {
			return 0, 0
		}
		n = n<<4 | int(d)
	}
	if n >= 0x80 {
		return 0, 0
	}
	return at + digits, byte(n)
}

func backslashEscape(b []byte) (int, byte) {
	if len(b) < 2 {
		return 0, 0
	}
	switch b[1] {
	case 'n':
		return 2, '\n'
	case 'r':
		return 2, '\r'
	case 't':
		return 2, '\t'
	case '/', '"', '\'', '\\':
		return 2, b[1]
	case 'u':
		if len(b) > 2 && b[2] == '{' { // of JavaScript, Rust and Swift
			return bracedByte(b)
		}
		return HexByte(b, 2, 4)
	case 'U': // of Python, Go and C
		return HexByte(b, 2, 8)
	case 'x':
		return HexByte(b, 2, 2)
	case '0', '1':
		return octalByte(b)
	}
	return 0, 0
}

// octalByte reads \NNN. It wants three digits: after fewer, the next character might be
// another one.
func octalByte(b []byte) (int, byte) {
	if len(b) < 4 || b[2] < '0' || b[2] > '7' || b[3] < '0' || b[3] > '7' {
		return 0, 0
	}
	return 4, (b[1]-'0')<<6 | (b[2]-'0')<<3 | (b[3] - '0')
}

// bracedByte reads \u{N…}, of up to six digits.
func bracedByte(b []byte) (int, byte) {
	end := bytes.IndexByte(b[:min(len(b), 10)], '}')
	if end < 4 {
		return 0, 0
	}
	if n, c := HexByte(b, 3, end-3); n > 0 {
		return end + 1, c
	}
	return 0, 0
}

// entities are the named references of HTML for characters of secrets.
var entities = map[string]byte{"plus": '+', "sol": '/', "equals": '='}

// htmlEntity reads a character reference: &#47;, &#x2F; or &sol;.
func htmlEntity(b []byte) (int, byte) {
	end := bytes.IndexByte(b[:min(len(b), 8)], ';')
	if end < 3 {
		return 0, 0
	}
	if b[1] != '#' {
		if c := entities[string(b[1:end])]; c != 0 {
			return end + 1, c
		}
		return 0, 0
	}
	digits, base := string(b[2:end]), 10
	if b[2] == 'x' || b[2] == 'X' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || n >= 0x80 {
		return 0, 0
	}
	return end + 1, byte(n)
}

// colour reads a control sequence of ECMA-48: ESC "[", parameters and a letter. It stands
// for a space, so that the words to either side stay apart.
func colour(b []byte) (int, byte) {
	if len(b) < 3 || b[1] != '[' {
		return 0, 0
	}
	for i := 2; i < len(b) && i < 16; i++ {
		switch c := b[i]; {
		case '@' <= c && c <= '~':
			return i + 1, ' '
		case c < '0' || c > '?':
			return 0, 0
		}
	}
	return 0, 0
}

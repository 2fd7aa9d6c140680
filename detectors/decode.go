package detectors

import (
	"bytes"
	"encoding/base64"
	"sort"
	"strconv"
	"strings"
)

// A view is a text as it reads after decoding, whole, so that an id and its
// secret meet in it even if only one of them was encoded.
type view struct {
	text []byte
	segs []segment
}

// A segment says where a part of a view's text comes from.
type segment struct {
	at       int // offset in the view
	from, to int // range of the original
	verbatim bool
}

// copy appends src[from:to] as it is.
func (v *view) copy(src []byte, from, to int) {
	if from < to {
		v.segs = append(v.segs, segment{len(v.text), from, to, true})
		v.text = append(v.text, src[from:to]...)
	}
}

// emit appends decoded, which stands for the original's bytes from to to.
func (v *view) emit(decoded []byte, from, to int) {
	if !v.extend(len(decoded), from, to) {
		v.segs = append(v.segs, segment{len(v.text), from, to, false})
	}
	v.text = append(v.text, decoded...)
}

// extend makes the last segment longer if n bytes for from to to are in its
// proportion: text in which every byte is escaped is one segment, not millions.
func (v *view) extend(n, from, to int) bool {
	if len(v.segs) == 0 {
		return false
	}
	s := &v.segs[len(v.segs)-1]
	if s.verbatim || s.to != from || (s.to-s.from)*n != (to-from)*(len(v.text)-s.at) {
		return false
	}
	s.to = to
	return true
}

// origin returns the range of the original that s was made from.
func (v *view) origin(s Span) Span {
	if s.Empty() {
		return Span{}
	}
	return Span{v.offset(s.Start), v.offset(s.End-1) + 1}
}

// offset maps one offset. Inside a decoded segment it is proportional: exact
// for nothing, but never outside of the encoded text.
func (v *view) offset(at int) int {
	i := sort.Search(len(v.segs), func(i int) bool { return v.segs[i].at > at }) - 1
	s := v.segs[i]
	end := len(v.text)
	if i+1 < len(v.segs) {
		end = v.segs[i+1].at
	}
	if s.verbatim || end <= s.at {
		return s.from + at - s.at
	}
	return s.from + (at-s.at)*(s.to-s.from)/(end-s.at)
}

// A decoder makes a view of a text if it was asked for by the anchors found,
// and nil if there is nothing to decode.
type decoder struct {
	on     encoding
	decode func(text []byte) *view
}

// decoders returns what is tried, in order.
func decoders() []decoder {
	return []decoder{
		{plain | escaped, unescape},
		{base64d, decodeBase64},
		{utf16d, decodeUTF16},
	}
}

// unescape undoes the escapes of JSON, URLs, HTML, shells' \x and terminals'
// colours in one pass. They mix: a URL within JSON within a log.
func unescape(text []byte) *view {
	if !bytes.ContainsAny(text, "\\%&\x1b") {
		return nil
	}
	v, done := &view{}, 0
	var one [1]byte
	for i := 0; i < len(text); {
		n, c := 0, byte(0)
		if b := text[i]; b == '\\' || b == '%' || b == '&' || b == '\x1b' {
			n, c = escape(text[i:])
		}
		if n == 0 {
			i++
			continue
		}
		v.copy(text, done, i)
		one[0] = c
		v.emit(one[:], i, i+n)
		i += n
		done = i
	}
	if done == 0 {
		return nil
	}
	v.copy(text, done, len(text))
	return v
}

// AppendUnescaped appends text to dst, its escapes undone once as in the view
// that a Set makes, and returns the extended slice.
func AppendUnescaped(dst, text []byte) []byte {
	for len(text) > 0 {
		if n, c := escape(text); n > 0 {
			dst, text = append(dst, c), text[n:]
		} else {
			dst, text = append(dst, text[0]), text[1:]
		}
	}
	return dst
}

// escape returns the length of the escape sequence that b begins with, 0 if
// none, and the byte that it stands for. Only ASCII matters here.
func escape(b []byte) (n int, c byte) {
	switch b[0] {
	case '%':
		return hexByte(b, 1, 2)
	case '&':
		return htmlEntity(b)
	case '\x1b':
		return colour(b)
	case '\\':
		return backslash(b)
	}
	return 0, 0
}

// hexByte reads digits hexadecimal digits at b[at:]. ASCII is all that matters.
func hexByte(b []byte, at, digits int) (int, byte) {
	if len(b) < at+digits {
		return 0, 0
	}
	n := 0
	for _, c := range b[at : at+digits] {
		d := strings.IndexByte("0123456789abcdef", c|0x20)
		if d < 0 || n >= 0x80 {
			return 0, 0
		}
		n = n<<4 | d
	}
	if n >= 0x80 {
		return 0, 0
	}
	return at + digits, byte(n)
}

func backslash(b []byte) (int, byte) {
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
		return hexByte(b, 2, 4)
	case 'x':
		return hexByte(b, 2, 2)
	}
	return 0, 0
}

// htmlEntity reads a numeric character reference, &#47; or &#x2F;.
func htmlEntity(b []byte) (int, byte) {
	end := bytes.IndexByte(b[:min(len(b), 8)], ';')
	if end < 3 || b[1] != '#' {
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

// colour reads ESC [ parameters letter (ECMA-48, control sequences). It reads
// as a space, so that what it separates stays apart.
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

// Shorter runs of base64 cannot hold a key id; they are words.
const minBase64 = 24

// decodeBase64 replaces every run of base64 that decodes to text. Secrets of
// Kubernetes have each value encoded on its own, so that only the whole view
// shows the pair.
func decodeBase64(text []byte) *view {
	v, done := &view{}, 0
	replace := func(start, end int) bool {
		if end-start < minBase64 {
			return false
		}
		decoded := base64Text(text[start:end])
		if decoded == nil {
			return false
		}
		for end < len(text) && text[end] == '=' {
			end++
		}
		v.copy(text, done, start)
		v.emit(decoded, start, end)
		done = end
		return true
	}
	for i := 0; i < len(text); {
		if !isBase64(text[i]) {
			i++
			continue
		}
		end := base64End(text, i)
		if !replace(i, end) {
			// Not one wrapped text: perhaps a line of it is one.
			for start := i; start < end; start++ {
				if line := runEnd(text, start); line > start {
					replace(start, min(line, end))
					start = line
				}
			}
		}
		i = max(end, done)
	}
	if done == 0 {
		return nil
	}
	v.copy(text, done, len(text))
	return v
}

// runEnd returns the end of the base64 characters that begin at i.
func runEnd(text []byte, i int) int {
	for i < len(text) && isBase64(text[i]) {
		i++
	}
	return i
}

// Encoders wrap at 60 to 120 columns, 76 (MIME) and 64 (PEM) most of all. What is
// shorter is a word at the end of its line.
const minWrapped = 40

// base64End returns the end of the run of base64 that begins at start. A run goes
// on in the next line, indented or not, if it filled its own.
func base64End(text []byte, start int) int {
	line := start
	for i := start; ; {
		i = runEnd(text, i)
		next := i
		for next < len(text) && (text[next] == '\r' || text[next] == '\n' || next > i && (text[next] == ' ' || text[next] == '\t')) {
			next++
		}
		if next == i || next == len(text) || !isBase64(text[next]) || i-line < minWrapped {
			return i
		}
		line, i = next, next
	}
}

// base64Text decodes run, of either alphabet and wrapped or not, if it gives
// printable text. What
// is glued to its front (a path, a name) may have shifted it.
func base64Text(run []byte) []byte {
	std := bytes.Map(func(r rune) rune {
		switch r {
		case '-':
			return '+'
		case '_':
			return '/'
		case '\r', '\n', ' ', '\t':
			return -1
		}
		return r
	}, run)
	for shift := range min(4, len(std)) {
		part := std[shift:]
		if len(part)%4 == 1 { // no encoding ends like this
			part = part[:len(part)-1]
		}
		out := make([]byte, base64.RawStdEncoding.DecodedLen(len(part)))
		n, err := base64.RawStdEncoding.Decode(out, part)
		if err == nil && isText(out[:n]) {
			return out[:n]
		}
	}
	return nil
}

func isBase64(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '+' || c == '/' || c == '-' || c == '_'
}

// isText reports whether b is printable, but for one byte in sixteen: text in
// other alphabets, a stray control character.
func isText(b []byte) bool {
	odd := 0
	for _, c := range b {
		if (c < ' ' || c > '~') && c != '\n' && c != '\r' && c != '\t' {
			odd++
		}
	}
	return odd*16 <= len(b)
}

// decodeUTF16 reads the ASCII characters of UTF-16 text of either byte order,
// with a byte order mark or without. All others read as a substitute.
func decodeUTF16(text []byte) *view {
	// The low bytes are the ones that are not NUL.
	var nul [2]int
	for i, c := range text {
		if c == 0 {
			nul[i&1]++
		}
	}
	low := 0
	if nul[0] > nul[1] {
		low = 1
	}
	v := &view{text: make([]byte, 0, len(text)/2)}
	for i := low; i < len(text); i += 2 {
		c, high := text[i], i^1
		if high < len(text) && text[high] != 0 || c >= 0x80 {
			c = 0x1a
		}
		v.text = append(v.text, c)
	}
	v.segs = []segment{{at: 0, from: low, to: low + 2*len(v.text)}}
	return v
}

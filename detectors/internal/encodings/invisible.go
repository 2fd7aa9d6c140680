package encodings

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// Invisible characters tell a browser where it may break a long word, or which way it runs. A
// value that was copied from a page may hold them: zero-width spaces and joiners, the soft
// hyphen, marks of direction and the tag <wbr>, in UTF-8, HTML or JSON.

// isInvisible reports whether r is such a character (Unicode 16, General Category Cf).
func isInvisible(r rune) bool {
	return r == 0xad || 0x200b <= r && r <= 0x200f || 0x202a <= r && r <= 0x202e || 0x2060 <= r && r <= 0x2069 || r == 0xfeff
}

const invisibleStarts = "\xc2\xe2\xef<&"

// InvisibleSeparators are usual forms of invisible characters. Some pages hold one behind
// each character of a value.
var InvisibleSeparators = []string{
	"\u200b", "\u200c", "\u200d", "\u200e", "\u2060", "\ufeff", "\u00ad", "<wbr>", "&shy;", "&#8203;", "&ZeroWidthSpace;", `\u200b`,
}

// invisibleJoint returns the joint of the invisible characters at i.
func invisibleJoint(text []byte, i int) Link {
	end := i
	for end < len(text) {
		n := invisibleLen(text[end:])
		if n == 0 {
			break
		}
		end += n
	}
	if end == i {
		return Link{}
	}
	return Link{From: i, To: end}
}

// maxInvisible is the length of the longest form, &ZeroWidthSpace;.
const maxInvisible = 16

// invisibleLen returns the length of the invisible character at the beginning of b, or 0.
func invisibleLen(b []byte) int {
	switch b[0] {
	case 0xc2, 0xe2, 0xef:
		if r, size := utf8.DecodeRune(b); isInvisible(r) {
			return size
		}
	case '<':
		for _, tag := range []string{"<wbr>", "<wbr/>", "<wbr />"} {
			if bytes.HasPrefix(b, []byte(tag)) {
				return len(tag)
			}
		}
	case '&':
		if end := bytes.IndexByte(b[:min(len(b), maxInvisible)], ';'); end > 0 && isInvisibleEntity(string(b[1:end])) {
			return end + 1
		}
	case '\\':
		const escape = len(`\u200b`)
		if len(b) < escape || b[1] != 'u' {
			return 0
		}
		if r, err := strconv.ParseUint(string(b[2:escape]), 16, 16); err == nil && isInvisible(rune(r)) {
			return escape
		}
	}
	return 0
}

// isInvisibleEntity reports whether &name; of HTML is an invisible character.
func isInvisibleEntity(name string) bool {
	switch name {
	case "shy", "ZeroWidthSpace", "zwnj", "zwj", "lrm", "rlm", "NoBreak":
		return true
	}
	if len(name) < 3 || name[0] != '#' {
		return false
	}
	digits, base := name[1:], 10
	if digits[0] == 'x' || digits[0] == 'X' {
		digits, base = digits[1:], 16
	}
	r, err := strconv.ParseUint(digits, base, 21)
	return err == nil && isInvisible(rune(r))
}

// SkipInvisibleBack returns the start of the invisible characters that end at i, or i if
// there are none.
func SkipInvisibleBack(text []byte, i int) int {
	for i > 0 {
		from := i
		switch c := text[i-1]; {
		case c >= utf8.RuneSelf:
			_, size := utf8.DecodeLastRune(text[:i])
			from = i - size
		case c == '>':
			from = lastByteBefore(text, i, '<')
		case c == ';':
			from = lastByteBefore(text, i, '&')
		case HexSet[c] && i >= len(`\u200b`):
			from = i - len(`\u200b`)
		}
		if from == i || invisibleLen(text[from:]) != i-from {
			break
		}
		i = from
	}
	return i
}

// lastByteBefore returns where c stands among the last bytes of text[:i], or i.
func lastByteBefore(text []byte, i int, c byte) int {
	least := max(0, i-maxInvisible)
	if k := bytes.LastIndexByte(text[least:i], c); k >= 0 {
		return least + k
	}
	return i
}

package encodings

import "bytes"

// Invisible characters tell a browser where it may break a long word. A value that was
// copied from a page may hold them: zero-width spaces and joiners, the soft hyphen and the
// tag <wbr>, in UTF-8, HTML or JSON.
var (
	invisibleUTF8    = []string{"\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad"}
	invisibleTags    = []string{"<wbr>", "<wbr/>", "<wbr />"}
	invisibleHTML    = []string{"&shy;", "&#173;", "&#xAD;", "&#xad;", "&#8203;", "&#x200B;", "&#x200b;"}
	invisibleEscapes = []string{`\u200b`, `\u200B`, `\u200c`, `\u200C`, `\u200d`, `\u200D`, `\u2060`, `\ufeff`, `\uFEFF`, `\u00ad`, `\u00AD`}
)

const invisibleStarts = "\xc2\xe2\xef<&"

// invisibleJoint returns the joint of the invisible characters at i.
func invisibleJoint(text []byte, i int) Link {
	end := i
	for end < len(text) {
		var forms []string
		switch text[end] {
		case 0xc2, 0xe2, 0xef:
			forms = invisibleUTF8
		case '<':
			forms = invisibleTags
		case '&':
			forms = invisibleHTML
		case '\\':
			forms = invisibleEscapes
		}
		n := affix(text[end:], forms, bytes.HasPrefix)
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

// SkipInvisibleBack returns the start of the invisible characters that end at i, or i if
// there are none.
func SkipInvisibleBack(text []byte, i int) int {
	for i > 0 {
		var forms []string
		switch c := text[i-1]; {
		case c >= 0x80:
			forms = invisibleUTF8
		case c == '>':
			forms = invisibleTags
		case c == ';':
			forms = invisibleHTML
		case HexSet[c] && i >= len(`\u200b`) && text[i-len(`\u200b`)] == '\\':
			forms = invisibleEscapes
		}
		n := affix(text[:i], forms, bytes.HasSuffix)
		if n == 0 {
			break
		}
		i -= n
	}
	return i
}

// affix returns the length of the first of forms that text has by has, or 0.
func affix(text []byte, forms []string, has func(text, form []byte) bool) int {
	for _, form := range forms {
		if has(text, []byte(form)) {
			return len(form)
		}
	}
	return 0
}

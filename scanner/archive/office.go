package archive

import (
	"bytes"
	"slices"
)

// officeMarks are parts of the namespaces of office documents: OOXML (ECMA-376, and strict),
// and OpenDocument.
var officeMarks = [][]byte{[]byte("schemas.openxmlformats.org/"), []byte("purl.oclc.org/ooxml/"), []byte("urn:oasis:names:tc:opendocument:")}

// blockTags are the elements of office documents that end a line of text, without their
// namespaces: paragraphs, strings, cells, breaks. All others only format: <w:r>, <w:rPr>,
// <w:t>, <a:t>, <text:span>.
var blockTags = []string{"p", "h", "si", "is", "c", "v", "f", "row", "tr", "tc", "br", "cr", "tab", "s", "line-break", "comment", "table-cell"}

// shortestSplit is the length of the shortest word that is worth a text of its own.
const shortestSplit = 20

// officeText returns the text of data, an XML file of an office document, if a format splits
// one of its words that is long enough for a key: "AKIA" in bold and the rest in italics.
// It returns nil for all other data: a word that is whole is found in the XML as it is.
func officeText(data []byte) []byte {
	head := data[:min(len(data), 4<<10)]
	if !slices.ContainsFunc(officeMarks, func(mark []byte) bool { return bytes.Contains(head, mark) }) {
		return nil
	}
	var text []byte
	var joints []int
	for len(data) > 0 {
		tag := bytes.IndexByte(data, '<')
		if tag < 0 {
			break
		}
		if words := data[:tag]; !isIndentation(words) {
			if n := len(text); n > 0 && isKeyByte(text[n-1]) && isKeyByte(words[0]) {
				joints = append(joints, n)
			}
			text = append(text, words...)
		}
		data = data[tag+1:]
		end := bytes.IndexByte(data, '>')
		if end < 0 {
			break
		}
		if endsLine(data[:end]) && len(text) > 0 && text[len(text)-1] != '\n' {
			text = append(text, '\n')
		}
		data = data[end+1:]
	}
	for _, at := range joints {
		if keyBytes(text, at) >= shortestSplit {
			return text
		}
	}
	return nil
}

// isIndentation reports whether s, which stands between two tags, is no text.
func isIndentation(s []byte) bool {
	return len(s) == 0 || s[0] == '\n' && len(bytes.TrimSpace(s)) == 0 || s[0] == '\r' && len(bytes.TrimSpace(s)) == 0
}

// endsLine reports whether tag, without its brackets, is one of blockTags.
func endsLine(tag []byte) bool {
	tag = bytes.TrimPrefix(tag, []byte("/"))
	if i := bytes.IndexAny(tag, " \t\r\n/"); i >= 0 {
		tag = tag[:i]
	}
	if i := bytes.IndexByte(tag, ':'); i >= 0 {
		tag = tag[i+1:]
	}
	return slices.Contains(blockTags, string(tag))
}

// keyBytes returns the length of the run of letters, digits, "+", "/" and "=" around at. It
// counts no more than it needs.
func keyBytes(text []byte, at int) int {
	from, to := at, at
	for from > 0 && isKeyByte(text[from-1]) && at-from < shortestSplit {
		from--
	}
	for to < len(text) && isKeyByte(text[to]) && to-at < shortestSplit {
		to++
	}
	return to - from
}

func isKeyByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '+' || c == '/' || c == '='
}

package candidates

import (
	"bytes"
	"slices"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
)

// A binary file has no sign between a name and its value, and the codes around the two may
// be letters:
//
//	Java      t 0 0x0a aws_secret t 0 0x28 SECRET
//	CBOR      j aws_secret x ( SECRET                j is 0x60 and 10
//
// So a name is read by its length, as values are.

// maxCodes bounds the bytes between a name and its value.
const maxCodes = 12

// A lengthForm is how a format writes the length of a string before it: one byte, or a code
// that holds short lengths itself.
type lengthForm struct {
	code  byte
	times int
	short int    // the lengths below it are written as code + times × length
	long  string // stands before the byte of others
}

var lengthForms = [...]lengthForm{
	{0x60, 1, 24, "x"},     // CBOR
	{0xa0, 1, 32, "\xd9"},  // MessagePack
	{0x50, 1, 15, "_\x10"}, // property lists
	{0, 2, 64, ""},         // Avro
}

// headAt returns how many bytes of the form right before text[at:] say that n bytes follow,
// or 0.
func (f lengthForm) headAt(text []byte, at, n int) int {
	switch {
	case at <= 0:
	case n < f.short && int(text[at-1]) == int(f.code)+f.times*n:
		return 1
	case n >= f.short && f.long != "" && int(text[at-1]) == n && bytes.HasSuffix(text[:at-1], []byte(f.long)):
		return 1 + len(f.long)
	}
	return 0
}

// stringBefore returns a copy of the name of the form that ends at text[end:], or nil. A letter
// of a name may look like a code, so a name behind other strings of the form comes first, then
// the longest.
func (f lengthForm) stringBefore(text []byte, end int) []byte {
	const strings = 4
	var longest []byte
	for start := nameStart(text, end); start < end; start++ {
		head := f.headAt(text, start, end-start)
		if head == 0 {
			continue
		}
		if f.endsStrings(text, start-head, strings) {
			return bytes.Clone(text[start:end])
		}
		if longest == nil {
			longest = bytes.Clone(text[start:end])
		}
	}
	return longest
}

// endsStrings reports whether n strings of the form may end at text[end:], or fewer behind a
// byte that is of no name.
func (f lengthForm) endsStrings(text []byte, end, n int) bool {
	from := nameStart(text, end)
	if n == 0 || from == end || f.headAt(text, end-keyformat.SecretLen, keyformat.SecretLen) > 0 {
		return true
	}
	for ; from < end; from++ {
		if head := f.headAt(text, from, end-from); head > 0 && f.endsStrings(text, from-head, n-1) {
			return true
		}
	}
	return false
}

// hasLongHead reports whether more than one byte right before text[at:] says that n bytes
// follow. So many are there hardly ever by chance, so nothing else has to set the value apart.
func hasLongHead(text []byte, at, n int) bool {
	if at > 1 && text[at-1] == 0 {
		return hasLength(text, at, n)
	}
	return slices.ContainsFunc(lengthForms[:], func(f lengthForm) bool { return f.headAt(text, at, n) > 1 })
}

// PackedName returns a copy of the name of the id or secret at text[at:] in a binary file or
// a pickle, or nil. The name is the string right before it.
func PackedName(text []byte, at int) []byte {
	n := keyformat.SecretLen
	if end := at + keyformat.IDLen; end <= len(text) && isIDText(text[at:end]) {
		n = keyformat.IDLen
	}
	if isPickleLine(text, at, at+n) {
		return pickledName(text, at)
	}
	if !hasLength(text, at, n) || !isBinary(text, at, at+n) {
		return nil
	}
	for _, f := range lengthForms {
		if head := f.headAt(text, at, n); head > 0 {
			return f.stringBefore(text, at-head)
		}
	}
	for end := at - 1; end > max(0, at-maxCodes); end-- {
		if start := nameStart(text, end); start < end-1 && isNumber(text, start, end-start) {
			return bytes.Clone(text[start:end])
		}
	}
	return nil
}

// hasPackedNames reports whether an id of text has a name by its length. Such a text is no
// pool of strings.
func hasPackedNames(text []byte) bool {
	return slices.ContainsFunc(IDs(text), func(id detectors.Span) bool { return PackedName(text, id.Start) != nil })
}

// nameStart returns where the characters of a name before text[end:] begin.
func nameStart(text []byte, end int) int {
	start := end
	for start > max(0, end-MaxName) && keyformat.IsNameByte(text[start-1]) && text[start-1] < 0x80 {
		start--
	}
	return start
}

// pickledName returns the string of pickle's protocol 0 before the one at text[at:]. Between
// them is a line that numbers the first.
func pickledName(text []byte, at int) []byte {
	lines := bytes.Split(text[max(0, at-MaxName-maxCodes):at], []byte{'\n'})
	if len(lines) < 3 || !bytes.HasPrefix(lines[len(lines)-2], []byte{'p'}) {
		return nil
	}
	_, name, _ := bytes.Cut(lines[len(lines)-3], []byte{'V'})
	if len(name) == 0 {
		return nil
	}
	return bytes.Clone(name)
}

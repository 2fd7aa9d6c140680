package keyformat

import (
	"slices"
	"strings"
)

// A placeholder is an id that somebody typed: for a manual, a test, a form. A random id,
// 16 characters of base32 behind its prefix, must hardly ever look like one, since its
// finding would be suppressed. So each rule states with which probability it does. A word
// of n letters stands at one of 17-n places: 12/32^5 = 3.6e-7 for five letters, 1.0e-8 for
// six, 2.9e-10 for seven. One of four has 1.2e-5, and needs a second sign.
//
//	rule                                              random ids
//	at most six distinct characters (IsFiller)        1.5e-6
//	more than half of them in sequence (IsFiller)     0.1e-6
//	a word of five letters                            2.1e-6
//	a longer word                                     0.2e-6
//	short words side by side, seven letters or more   0.5e-6
//	six characters in sequence or equal, five digits  2.2e-6
//	six keys side by side on a keyboard               0.2e-6
//	a digit outside base32, and a word of four        0: AWS issues no such id
//
// Together that is 6.8e-6, one id in 147,000. TestPlaceholderOdds works it out.

// madeUpWords are words that people type into ids that they make up, of five letters or
// more. EXAMPLE is spelt in the ways that were seen. IOSFOD and I44QH8D are of the ids in
// AWS's documentation.
var madeUpWords = []string{
	"BOGUS", "DUMMY", "EXAMP", "KEYID", "MYKEY", "WRONG",
	"XAMPLE", "EAXMPL", "EXMAPL", "EXMPLE", "EXAPLE", "EXAMLE", "EXAMAAA", "IOSFOD", "IO5FOD", "I44QH8D",
	"ACCESS", "CHANGE", "DELETE", "EXPIRED", "FIXTURE", "FOOBAR", "HARDCOD", "HIDDEN", "INVALID", "LEAKED", "MASKED",
	"NEWKEY", "NOTAKEY", "NOTAREAL", "NOTREAL", "OLDKEY", "PLACEH", "REDACT", "REMOVED", "REPLAC", "REVOKED", "SAMPLE",
	"SECRET", "STAGING", "TESTING", "TESTKEY", "YOURKEY", "DEADBEEF",
}

// shortWords are words of made-up ids that are too short to tell alone.
var shortWords = []string{
	"FAKE", "TEST", "MOCK", "DEMO", "EXAM",
	"AWS", "BAD", "BAR", "BAZ", "DEV", "FOO", "FOR", "KEY", "NEW", "NOT", "OLD", "ONE", "THE", "TWO", "USE", "HERE", "REAL", "THIS", "USER", "YOUR",
	"AN", "ID", "IN", "IS", "MY",
}

// tellingShort is how many of shortWords, the first ones, tell together with a digit that
// no id has.
const tellingShort = 5

// keyRows are the rows of keyboards.
var keyRows = []string{"QWERTYUIOP", "QWERTZUIOP", "AZERTYUIOP", "ASDFGHJKL", "ZXCVBNM", "YXCVBNM"}

// PlaceholderID returns the reason why id is an example or filler, or "".
func PlaceholderID(id string) string {
	body := id[PrefixLen:]
	switch {
	case IsExampleText(body):
		return "example key id of the AWS documentation"
	case IsFiller(body):
		return "placeholder"
	}
	for _, typed := range []string{wordIn(body), sequenceIn(body)} {
		if typed != "" {
			return "placeholder: the id has " + typed + " in it"
		}
	}
	return ""
}

// wordIn returns a word that shows that body was made up, or "".
func wordIn(body string) string {
	for _, w := range madeUpWords {
		if strings.Contains(body, w) {
			return w
		}
	}
	if chain := longestChain(body); len(chain) >= 7 {
		return chain
	}
	if strings.ContainsAny(body, "0189") {
		for _, w := range shortWords[:tellingShort] {
			if strings.Contains(body, w) {
				return w
			}
		}
	}
	return ""
}

// longestChain returns the longest part of body that is short words side by side.
func longestChain(body string) string {
	longest := ""
	reach := make([]int, len(body)+1) // reach[i]: where the longest chain from i ends
	for i := len(body); i >= 0; i-- {
		reach[i] = i
		for _, w := range shortWords {
			if i < len(body) && body[i] == w[0] && strings.HasPrefix(body[i:], w) {
				reach[i] = max(reach[i], reach[i+len(w)])
			}
		}
		if reach[i]-i > len(longest) {
			longest = body[i:reach[i]]
		}
	}
	return longest
}

// sequenceIn returns a part of body that was typed along the alphabet, the digits or a row
// of the keyboard, or by one key: six characters, of digits five. Behind 9 comes 0.
func sequenceIn(body string) string {
	for from := 0; from < len(body); {
		end := from + 1
		for _, step := range []int{0, 1, -1} {
			to := from + 1
			for to < len(body) && stepBetween(body[to-1], body[to]) == step {
				to++
			}
			end = max(end, to)
		}
		if n := end - from; n >= 6 || n == 5 && IsDigit(body[from]) && body[from] != body[end-1] {
			return body[from:end]
		}
		from = max(from+1, end-1)
	}
	for i := 0; i+6 <= len(body); i++ {
		if part := body[i : i+6]; slices.ContainsFunc(keyRows, func(row string) bool { return strings.Contains(row, part) }) {
			return part
		}
	}
	return ""
}

// stepBetween returns by how much b comes after a, 10 if one is a letter and one a digit.
func stepBetween(a, b byte) int {
	switch {
	case IsDigit(a) != IsDigit(b):
		return 10
	case a == '9' && b == '0':
		return 1
	case a == '0' && b == '9':
		return -1
	}
	return int(b) - int(a)
}

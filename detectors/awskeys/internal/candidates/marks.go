package candidates

import (
	"bytes"
	"slices"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
)

// ContainsAny reports whether text holds one of words.
func ContainsAny(text []byte, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return bytes.Contains(text, []byte(w)) })
}

// ForEachMark calls yield for each offset of mark in text with no letter or digit right
// before it, other than the end of an escape sequence.
func ForEachMark(text []byte, mark string, yield func(at int)) {
	for i := 0; ; {
		k := bytes.Index(text[i:], []byte(mark))
		if k < 0 {
			return
		}
		i += k
		if i == 0 || !keyformat.IsAlnum(text[i-1]) || EscapeEnds(text, i) {
			yield(i)
		}
		i += len(mark)
	}
}

// Around returns s with up to n bytes of text to either side.
func Around(text []byte, s detectors.Span, n int) []byte {
	return text[max(0, s.Start-n):min(len(text), s.End+n)]
}

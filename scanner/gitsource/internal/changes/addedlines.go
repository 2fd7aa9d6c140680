package changes

import (
	"bytes"
	"hash/maphash"
	"math"
	"sort"
)

// addedLines are the new lines of a text: no version before has them, or each has them less
// often. A line that was moved is not new.
//
// A diff would not do. It has to choose which of several equal lines is the new one, and calls
// a line new that was moved.
type addedLines struct {
	lines []lineSpan // that are new, in order
	all   bool       // all lines are
	count int
}

// A lineSpan is where a line is, and the newline at its end.
type lineSpan struct{ from, to int }

// overlaps reports whether some of text[from:to] is new.
func (a *addedLines) overlaps(from, to int) bool {
	if a.all {
		return true
	}
	i := sort.Search(len(a.lines), func(i int) bool { return a.lines[i].to > from })
	return i < len(a.lines) && a.lines[i].from < max(to, from+1)
}

// findAddedLines compares text with the versions before, and with lines from elsewhere
// that are known.
func findAddedLines(text []byte, olds [][]byte, known lineSet) *addedLines {
	if len(olds) == 0 && known.hashes == nil {
		return &addedLines{all: true, count: int(countLines(text))}
	}
	a := &addedLines{}
	fresh := []lineSpan{{0, len(text)}}
	for _, old := range olds {
		fresh = unmatchedLines(text, fresh, old)
	}
	for _, part := range fresh {
		eachLine(text[part.from:part.to], func(line lineSpan) {
			line.from += part.from
			line.to += part.from
			if !known.has(text[line.from:line.to]) {
				a.lines = append(a.lines, line)
			}
		})
	}
	a.count = len(a.lines)
	return a
}

// unmatchedLines returns the lines among fresh that old does not have, or less often.
func unmatchedLines(text []byte, fresh []lineSpan, old []byte) (left []lineSpan) {
	// The common beginning and end is most of it, and needs no table.
	if len(fresh) == 1 && fresh[0] == (lineSpan{0, len(text)}) {
		head, tail := sameEnds(text, old)
		fresh = []lineSpan{{head, len(text) - tail}}
		old = old[head : len(old)-tail]
	}
	seed := maphash.MakeSeed()
	count := map[uint64]int32{}
	eachLine(old, func(l lineSpan) {
		h := maphash.Bytes(seed, trimmed(old[l.from:l.to]))
		if count[h] < math.MaxInt32 {
			count[h]++
		}
	})
	for _, part := range fresh {
		eachLine(text[part.from:part.to], func(l lineSpan) {
			l.from += part.from
			l.to += part.from
			h := maphash.Bytes(seed, trimmed(text[l.from:l.to]))
			if count[h] > 0 {
				count[h]--
				return
			}
			left = append(left, l)
		})
	}
	return left
}

// sameEnds returns how many bytes of whole lines a and b have in common at the
// beginning, and then at the end.
func sameEnds(a, b []byte) (head, tail int) {
	n := min(len(a), len(b))
	for head < n && a[head] == b[head] {
		head++
	}
	if head < len(a) || head < len(b) {
		head = bytes.LastIndexByte(a[:head], '\n') + 1
	}
	n -= head
	for tail < n && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	if k := bytes.IndexByte(a[len(a)-tail:], '\n'); k >= 0 { // the line that differs ends there
		return head, tail - k - 1
	}
	return head, 0
}

// trimmed is a line as it is compared: a change of line ends, of all of a file at
// once, makes no line new.
func trimmed(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
}

// eachLine calls fn for each line of text, the last may lack its newline.
func eachLine(text []byte, fn func(lineSpan)) {
	for at := 0; at < len(text); {
		end := len(text)
		if k := bytes.IndexByte(text[at:], '\n'); k >= 0 {
			end = at + k + 1
		}
		fn(lineSpan{at, end})
		at = end
	}
}

// A lineSet is a set of lines. The zero set is empty.
type lineSet struct {
	seed   maphash.Seed
	hashes map[uint64]bool
}

func (s *lineSet) add(text []byte) {
	if s.hashes == nil {
		s.seed, s.hashes = maphash.MakeSeed(), map[uint64]bool{}
	}
	eachLine(text, func(l lineSpan) { s.hashes[maphash.Bytes(s.seed, trimmed(text[l.from:l.to]))] = true })
}

func (s *lineSet) has(line []byte) bool {
	return s.hashes != nil && s.hashes[maphash.Bytes(s.seed, trimmed(line))]
}

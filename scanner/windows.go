package scanner

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/stanch-dev/stanch/detectors"
)

// WindowSize is how much of a text is held at once if it is larger than
// LargeText; Overlap is how much of it the next window holds again, so that an id
// and its secret meet in one of them.
const (
	LargeText  = 64 << 20
	WindowSize = 16 << 20
	Overlap    = 1 << 20
)

// Windows yields the text that r reads in overlapping windows, each as a copy of b
// with Data and Window set, at least one. It returns the first error of r or yield;
// the text before an error of r is yielded.
func Windows(r io.Reader, b Blob, yield func(Blob) error) error {
	return windows(r, b, WindowSize, Overlap, yield)
}

// windows is Windows with the sizes as arguments. overlap is at least four times
// utf8.UTFMax, and size more than twice that.
func windows(r io.Reader, b Blob, size, overlap int, yield func(Blob) error) error {
	in := bufio.NewReader(r)
	data := make([]byte, size)
	held := 0
	for w := (Window{}); ; {
		n, readErr := fill(in, data[held:])
		end := held + n
		now := w
		if readErr == nil {
			now.Tail = overlap / 4
		}
		b.Data, b.Window = data[:end], &now
		if err := yield(b); err != nil {
			return err
		}
		if errors.Is(readErr, io.EOF) {
			return nil
		}
		if readErr != nil {
			return readErr
		}
		from := runeStart(data[:end], end-overlap)
		w.advance(data[:from])
		w.Lead = overlap / 4
		held = copy(data, data[from:end])
	}
}

// fill reads until p is full and returns io.EOF if r has no more then. It is not
// io.ReadFull, whose io.ErrUnexpectedEOF may be the end of r, or one that r itself
// met too early.
func fill(r *bufio.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var k int
		k, err = r.Read(p[n:])
		n += k
	}
	if err == nil {
		_, err = r.Peek(1)
	}
	return n, err
}

// runeStart returns the beginning of the rune that the byte at offset at is part
// of, so that no window begins within one: columns would be off.
func runeStart(text []byte, at int) int {
	for back := 1; back < utf8.UTFMax; back++ {
		if start := at - back; utf8.RuneStart(text[start]) {
			if r, n := utf8.DecodeRune(text[start:]); r != utf8.RuneError && n > back {
				return start
			}
			break
		}
	}
	return at
}

// advance moves w over text, with which it begins.
func (w *Window) advance(text []byte) {
	w.Offset += int64(len(text))
	w.Line, w.Column = positionAfter(text, w.Line, w.Column)
}

// ownMatches returns the matches, in a window of size bytes, that have enough text around
// them in this window. The others are left to the neighbouring window. There no border cuts
// a secret off, or makes part of a longer word look like one. A match that begins in the
// middle of an overlap belongs to both: it is found at the same place twice, which counts
// once.
func (w *Window) ownMatches(matches []detectors.Match, size int) []detectors.Match {
	if w == nil {
		return matches
	}
	return slices.DeleteFunc(matches, func(m detectors.Match) bool {
		return m.Start < w.Lead || m.Start >= size-w.Tail
	})
}

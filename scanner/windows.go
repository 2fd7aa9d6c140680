package scanner

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"
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
// with Data and Window set. It returns the first error of r or yield.
func Windows(r io.Reader, b Blob, yield func(Blob) error) error {
	data := make([]byte, WindowSize)
	held := 0
	for w := (Window{}); ; {
		n, err := io.ReadFull(r, data[held:])
		last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return err
		}
		end := held + n
		if n > 0 || w.Offset == 0 {
			now := w
			b.Data, b.Window = data[:end], &now
			if err := yield(b); err != nil {
				return err
			}
		}
		if last {
			return nil
		}
		w.advance(data[:end-Overlap])
		held = copy(data, data[end-Overlap:end])
	}
}

// advance moves w over text, with which it begins.
func (w *Window) advance(text []byte) {
	w.Offset += int64(len(text))
	if n := bytes.Count(text, []byte{'\n'}); n > 0 {
		w.Line += n
		w.Column = 0
		text = text[bytes.LastIndexByte(text, '\n')+1:]
	}
	w.Column += utf8.RuneCount(text)
}

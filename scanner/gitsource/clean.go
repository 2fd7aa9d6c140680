package gitsource

import (
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean drops what a terminal might obey: all that does not print, line ends
// apart. A tab becomes a space.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == '\r' || r == '\n' || unicode.IsPrint(r) && r != utf8.RuneError:
			return r
		}
		return -1
	}, s)
}

// A cleaner writes what is clean of what is written to it.
type cleaner struct {
	to   io.Writer
	rest []byte // a rune that the next Write ends
}

func (c *cleaner) Write(p []byte) (int, error) {
	text := append(c.rest, p...)
	end := len(text)
	for i := 1; i < utf8.UTFMax && i <= len(text); i++ {
		if tail := text[len(text)-i:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				end -= i
			}
			break
		}
	}
	c.rest = text[end:]
	_, err := io.WriteString(c.to, clean(string(text[:end])))
	return len(p), err
}

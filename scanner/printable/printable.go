// Package printable makes text from repositories, servers and users safe to show.
//
// Names of files, branches and authors hold any bytes: escape codes that move a terminal's
// cursor, right-to-left marks that turn a line around, line ends that make one entry look
// like two. Each function treats them as its readers need it:
//
//	Text      keeps line ends and escapes the rest      errors, notices
//	Quoted    quotes the whole text if anything is odd  fields of a report
//	Stripped  drops them                                output of other programs
//	ShellWord quotes for a shell if anything is odd     commands to be pasted
//	Thousands writes a number, Plural with its noun     24,154 objects
//
// The package imports the standard library only, so that every package may use it.
package printable

import (
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text returns s with each character that does not print as a Go escape, such as \x1b. Line
// ends stay.
func Text(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) || r == '\n' {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}

// Quoted returns s itself if all of it prints, and else the whole of it as a Go string
// literal: "caf\xe9.env". Quoting twice changes nothing, so the parts of a line can be
// quoted one by one.
func Quoted(s string) string {
	if !utf8.ValidString(s) {
		return strconv.Quote(s)
	}
	for _, r := range s {
		if !strconv.IsPrint(r) {
			return strconv.Quote(s)
		}
	}
	return s
}

// Stripped returns s without the characters that do not print. Line ends and carriage
// returns stay; a tab becomes a space.
func Stripped(s string) string {
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

// StrippedWriter returns a Writer that passes text on without the characters that Stripped
// drops. A character may be cut between two writes. Only one goroutine may use it.
func StrippedWriter(to io.Writer) io.Writer { return &strippedWriter{to: to} }

type strippedWriter struct {
	to   io.Writer
	rest []byte // the beginning of a character that the next Write ends
}

func (w *strippedWriter) Write(p []byte) (int, error) {
	text := append(w.rest, p...)
	end := len(text)
	for i := 1; i < utf8.UTFMax && i <= len(text); i++ {
		if tail := text[len(text)-i:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				end -= i
			}
			break
		}
	}
	w.rest = text[end:]
	_, err := io.WriteString(w.to, Stripped(string(text[:end])))
	return len(p), err
}

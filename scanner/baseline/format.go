package baseline

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/textfile"
)

// The first line has the version of the format. The last line shows that the file is whole.
// Nothing in a file depends on its number of entries or on a clock: two branches that add
// entries would be in conflict.
const (
	title   = "# stanch baseline "
	version = "v1"
	last    = "# end"
)

const header = title + version + `
# Leaks that are known, as hashes: no key and no secret can be read from them.
# "stanch baseline" writes this file: it adds what is new and drops what is gone. Commit it.
# Each line: fingerprint, hash of the key id alone, hash of the secret alone, first place, rule.
`

// maxLine bounds a line: the longest path that git or an archive has, quoted.
const maxLine = 64 << 10

// Is reports whether text is meant to be a list in the format of Read, by its first line.
func Is(text []byte) bool {
	return bytes.HasPrefix(text, []byte(title))
}

// Read reads a list that Write wrote. It also takes lines in any order, repeated lines and
// other line ends, which merges and editors make. Everything else is an error with the
// number of the line: a list that is only half there would pass for a shorter one. The list
// keeps text.
func Read(text []byte) (*List, error) {
	text, err := textfile.UTF8(text)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, errors.New("is empty: an empty list has a first and a last line; take it from git again, or remove it and run \"stanch baseline\"")
	}
	if err := checkTitle(text); err != nil {
		return nil, err
	}
	rest, number, end := text, 0, false
	isUTF8 := utf8.Valid(text) // faster than to look at each line
	for len(rest) > 0 {
		var line []byte
		line, rest = cutLine(rest)
		number++
		if len(line) == 0 {
			continue
		}
		end = line[0] == '#' && string(bytes.TrimRight(line, " \t")) == last
		err := checkLine(line)
		if err == nil && !isUTF8 && !utf8.Valid(line) {
			err = errors.New("is not UTF-8: the file is damaged, or in another encoding")
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	if !end {
		return nil, fmt.Errorf("line %d: the file ends without the line %q, so that a part of it is missing: take it from git again", number, last)
	}
	return &List{text: text}, nil
}

// checkTitle checks the first line.
func checkTitle(text []byte) error {
	line, _ := cutLine(text)
	if isConflict(line) {
		return fmt.Errorf("line 1: %w", errConflict)
	}
	v, ok := strings.CutPrefix(string(line[:min(len(line), maxLine)]), title)
	if !ok {
		return fmt.Errorf("line 1: is not a baseline of stanch, which begins with %q; --baseline FILE reads reports and baselines of other tools", title+version)
	}
	if v, _, _ = strings.Cut(v, " "); v != version {
		return fmt.Errorf("line 1: is in version %s of the format, and this stanch reads %s: use the stanch that wrote it, or a newer one", printable.Quoted(v), version)
	}
	return nil
}

// cutLine cuts the first line off text, and its end.
func cutLine(text []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(text, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), rest
}

var errConflict = errors.New("a merge conflict is not resolved: keep the entries of both sides, and take out the lines <<<<<<<, ======= and >>>>>>>")

// isConflict reports whether line is one of those that git puts around the sides of a
// conflict.
func isConflict(line []byte) bool {
	switch {
	case len(line) < 7:
		return false
	case len(line) > 7 && line[7] != ' ':
		return false
	}
	switch string(line[:7]) {
	case "<<<<<<<", "|||||||", "=======", ">>>>>>>":
		return true
	}
	return false
}

// checkLine checks a line that is not empty.
func checkLine(line []byte) error {
	switch {
	case len(line) > maxLine:
		return fmt.Errorf("has %d bytes, at most %d make sense: the file is damaged", len(line), maxLine)
	case isConflict(line):
		return errConflict
	case line[0] == '#':
		return nil
	}
	rest, ok := afterHash(line, fingerprintSize)
	if !ok {
		return notHash("fingerprint", fingerprintSize)
	}
	for _, half := range [...]string{"id", "secret"} {
		if rest, ok = afterHash(rest, halfSize); !ok {
			return notHash("hash of the "+half, halfSize)
		}
	}
	return nil
}

func notHash(name string, size int) error {
	return fmt.Errorf("the %s is not %d of the digits 0-9 and a-f: is the line cut off?", name, size)
}

// afterHash returns the text behind the hash of size digits, or the none, that text begins
// with.
func afterHash(text []byte, size int) (rest []byte, ok bool) {
	if size == halfSize && bytes.HasPrefix(text, []byte(none)) {
		size = len(none)
	} else if len(text) < size || !isHex(text[:size]) {
		return nil, false
	}
	if len(text) == size {
		return nil, true
	}
	return text[size+1:], text[size] == ' '
}

// isHex reports whether text, a multiple of eight bytes, has digits and letters from a to f
// alone. It looks at eight bytes at once: byte by byte, a list of 50,000 takes a hook as long
// as all else that it does. b + 0x50 has the highest bit if b is '0' or more, and so on; a
// byte that has it already is none of them.
func isHex(text []byte) bool {
	const each, highest = 0x0101010101010101, 0x8080808080808080
	for ; len(text) >= 8; text = text[8:] {
		b := binary.LittleEndian.Uint64(text)
		digit := (b + each*(0x80-'0')) &^ (b + each*(0x80-'9'-1))
		letter := (b + each*(0x80-'a')) &^ (b + each*(0x80-'f'-1))
		if (digit|letter)&^b&highest != highest {
			return false
		}
	}
	return true
}

// parseEntries returns the entries of a text that Read has checked.
func parseEntries(text []byte) []Entry {
	list := make([]Entry, 0, bytes.Count(text, []byte("\n")))
	for len(text) > 0 {
		var line []byte
		if line, text = cutLine(text); len(line) == 0 || line[0] == '#' {
			continue
		}
		fields := strings.SplitN(string(line), " ", 4)
		e := Entry{Fingerprint: fields[0], ID: fields[1], Secret: fields[2]}
		if len(fields) == 4 {
			e.Note = strings.TrimRight(fields[3], " \t\r") // a path may begin with a space
		}
		list = append(list, e)
	}
	return list
}

// Write writes entries, which are sorted: one a line, so that git can merge two lists.
func Write(w io.Writer, entries []Entry) error {
	var b strings.Builder
	b.WriteString(header)
	for _, e := range entries {
		b.WriteString(strings.TrimSuffix(strings.Join([]string{e.Fingerprint, e.ID, e.Secret, e.Note}, " "), " ") + "\n")
	}
	b.WriteString(last + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

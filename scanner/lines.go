package scanner

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// lines finds lines and columns in a text. It goes through the text once and keeps no list
// of lines: a file of newlines has as many lines as bytes.
type lines struct {
	data             []byte
	at, line, column int // the place that was asked for last; line counts from 0
}

// location returns where m is. Calls are in the order of the matches.
func (l *lines) location(m detectors.Match) finding.Location {
	l.line, l.column = positionAfter(l.data[l.at:m.Start], l.line, l.column)
	l.at = m.Start
	p := finding.Location{Line: l.line + 1, Column: l.column + 1}
	p.EndColumn = p.Column + utf8.RuneCount(l.data[m.Start:m.End])
	if !m.Secret.Empty() {
		p.SecretLine = l.lineOf(m.Secret.Start)
	}
	return p
}

// positionAfter returns the line and the column at the end of text, which begins at line and
// column. All are counted from 0, columns in code points.
func positionAfter(text []byte, line, column int) (int, int) {
	if n := bytes.Count(text, []byte{'\n'}); n > 0 {
		line += n
		column = 0
		text = text[bytes.LastIndexByte(text, '\n')+1:]
	}
	return line, column + utf8.RuneCount(text)
}

// lineOf returns the 1-based line of offset at, counting from the last place: a
// secret is close to its id.
func (l *lines) lineOf(at int) int {
	if at < l.at {
		return l.line + 1 - bytes.Count(l.data[at:l.at], []byte{'\n'})
	}
	return l.line + 1 + bytes.Count(l.data[l.at:at], []byte{'\n'})
}

// maxAround is how much of a line is kept to either side of a match: a file may be
// a single line.
const maxAround = 1 << 10

// around returns the text around m, which is in data.
func around(data []byte, m *detectors.Match, comments switches) *finding.Around {
	if m.NeedsID && m.NameAt == nil {
		return nil // there may be very many
	}
	a := &finding.Around{Switches: comments.until(m.Start)}
	var from, to int
	a.Before, a.Line, a.After, from, to = threeLines(data, m.Span)
	if !m.Secret.Empty() && (m.Secret.Start < from || m.Secret.Start > to) {
		a.SecretBefore, a.SecretLine, a.SecretAfter, _, _ = threeLines(data, m.Secret)
	}
	return a
}

// threeLines returns the line of s, which is data[from:to], and the lines beside it.
func threeLines(data []byte, s detectors.Span) (before, line, after detectors.Secret, from, to int) {
	from, to = lineAround(data, s.Start, s.End)
	if from > 0 && data[from-1] == '\n' {
		before = lineAt(data, from-1)
	}
	if to+1 < len(data) && data[to] == '\n' {
		after = lineAt(data, to+1)
	}
	return before, detectors.NewSecret(string(data[from:to])), after, from, to
}

// lineAt returns the line of data[at].
func lineAt(data []byte, at int) detectors.Secret {
	from, to := lineAround(data, at, at)
	return detectors.NewSecret(string(data[from:to]))
}

// switchMark is in the comments that switch secretlint off and on. maxSwitches bounds how
// many of a text count: without the others, more is reported.
const (
	switchMark  = "secretlint-"
	maxSwitches = 100
)

// switches are the comments of a text that may switch secretlint.
type switches struct {
	at     []int
	before []detectors.Secret // by number n: the first n of them, a line each
}

func switchesIn(data []byte) switches {
	var text []byte
	s := switches{before: make([]detectors.Secret, 1)}
	for from := 0; len(s.at) < maxSwitches; {
		i := bytes.Index(data[from:], []byte(switchMark))
		if i < 0 {
			break
		}
		_, to := lineAround(data, from+i, from+i)
		text = append(append(text, data[from+i:to]...), '\n')
		s.at, s.before = append(s.at, from+i), append(s.before, detectors.NewSecret(string(text)))
		from = to
	}
	return s
}

// until returns the comments before end.
func (s switches) until(end int) detectors.Secret {
	n, _ := slices.BinarySearch(s.at, end)
	return s.before[n]
}

// lineAround returns where the line of data[start:end] begins and ends, without its
// newline, or the part of it that is kept.
func lineAround(data []byte, start, end int) (from, to int) {
	from = max(0, start-maxAround)
	from += bytes.LastIndexByte(data[from:start], '\n') + 1
	to = min(len(data), end+maxAround)
	if i := bytes.IndexByte(data[end:to], '\n'); i >= 0 {
		to = end + i
	}
	return from, to
}

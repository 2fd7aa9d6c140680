package pairing

import (
	"bytes"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/candidates"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
)

// A Value is an id, a secret or a token in a text.
type Value struct {
	detectors.Span
	Text            string
	line, stanza    int    // of its start, counted from 0
	block           *block // that it stands in
	Name            nameKind
	Shape           keyformat.Shape
	Group           string // what sets its name apart
	saysAWS         bool   // its name says that it is of AWS
	foreignName     bool   // a secret whose name, unless it is the id's, says that it is of something else
	Example         bool   // IsSample
	Account         string // that an id or a token names, or ""
	InSignedRequest bool   // an id in a request that it signed
	onlyOfGroup     bool   // an id that is the only one of its group
}

// A block is a part of a text that indentation or braces set apart: all below "aws:" in
// YAML, {"id":"…","key":"…"} in JSON.
type block struct {
	outer *block
	depth int // how many blocks are around it
}

// isWithin reports whether b is c or lies within it.
func (b *block) isWithin(c *block) bool {
	for b.depth > c.depth {
		b = b.outer
	}
	return b == c
}

// A layoutCursor goes through the lines, stanzas and blocks of a text, once and forwards.
type layoutCursor struct {
	text         []byte
	at           int // what is before has been counted
	line, stanza int
	// open are the blocks around at, outermost first: those that the indentation of
	// the line opened, then those of its braces.
	open     []openBlock
	indented int // how many of open are of the indentation
	deeper   int // how many braces are open beyond maxDepth
}

// A openBlock is an open block. There is no block yet if no value stands in it.
type openBlock struct {
	indent int
	block  *block
}

// maxDepth bounds the blocks that indentation opens, and those that the braces of one
// line do. Deeper ones belong to the innermost of them.
const maxDepth = 64

func newLayoutCursor(text []byte) *layoutCursor {
	c := &layoutCursor{text: text}
	c.indent()
	return c
}

// value returns what stands at s, which does not begin before the last one.
func (c *layoutCursor) value(s detectors.Span) Value {
	for {
		k := bytes.IndexByte(c.text[c.at:s.Start], '\n')
		if k < 0 {
			break
		}
		c.at += k + 1
		c.line++
		if beginsStanza(c.text[c.at:]) {
			c.stanza++
		}
		c.indent()
	}
	c.braces(c.text[c.at:s.Start])
	c.at = s.Start // a long line is read once, not for each value
	v := Value{Span: s, Text: string(c.text[s.Start:s.End]), line: c.line, stanza: c.stanza, block: c.block()}
	v.Example = keyformat.IsSample(v.Text)
	if candidates.IsPrefix(c.text[s.Start : s.Start+keyformat.PrefixLen]) {
		v.Example = keyformat.IsSample(v.Text[keyformat.PrefixLen:])
	}
	return v
}

// indent closes the blocks that the line at c.at is not indented enough for, and opens
// one if it is indented more.
func (c *layoutCursor) indent() {
	c.open, c.deeper = c.open[:c.indented], 0
	indent, blank := indentOf(c.text[c.at:])
	if blank {
		return
	}
	for len(c.open) > 0 && c.open[len(c.open)-1].indent > indent {
		c.open = c.open[:len(c.open)-1]
	}
	if len(c.open) == 0 || c.open[len(c.open)-1].indent < indent && len(c.open) < maxDepth {
		c.open = append(c.open, openBlock{indent: indent})
	}
	c.indented = len(c.open)
}

// indentOf returns how far the line that text begins with is indented. The marks of
// lists, comments, quotes and diffs count as blanks.
func indentOf(text []byte) (indent int, blank bool) {
	for i, c := range text {
		switch c {
		case ' ', '\t', '-', '+', '#', '*', '/', '>', '|', '\r':
		default:
			return i, c == '\n'
		}
	}
	return len(text), true
}

// braces opens and closes the blocks of a piece of a line. A brace that closes the block
// of an earlier line ends that of the line, for another one may follow: }, {
func (c *layoutCursor) braces(piece []byte) {
	for _, b := range piece {
		switch {
		case b == '{' && len(c.open) >= c.indented+maxDepth:
			c.deeper++
		case b == '{':
			c.open = append(c.open, openBlock{})
		case b == '}' && c.deeper > 0:
			c.deeper--
		case b == '}' && len(c.open) > c.indented:
			c.open = c.open[:len(c.open)-1]
		case b == '}' && len(c.open) > 0:
			c.open[len(c.open)-1].block = nil
		}
	}
}

// block returns the innermost block around c.at.
func (c *layoutCursor) block() *block {
	var outer *block
	for i := range c.open {
		if c.open[i].block == nil {
			c.open[i].block = &block{outer, i}
		}
		outer = c.open[i].block
	}
	return outer
}

// beginsStanza reports whether the line that text begins with is blank, a
// [section] or opens with a brace.
func beginsStanza(text []byte) bool {
	const enough = 256
	line, _, _ := bytes.Cut(text[:min(len(text), enough)], []byte{'\n'})
	line = bytes.TrimSpace(line)
	return len(line) == 0 || line[0] == '[' && line[len(line)-1] == ']' || line[0] == '{' || line[0] == '}'
}

// distanceCost is rule 4. lines is how far apart a and b are.
func distanceCost(a, b Value) (cost float64, lines int) {
	if a.Start > b.Start {
		a, b = b, a
	}
	lines = max(b.line-a.line, (b.Start-a.End)/200)
	far := min(float64(lines)*costPerLine, maxPerLine)
	if lines == 0 {
		far = float64(b.Start-a.End) / 1000 // bytes break ties between several pairs on one line
	}
	switch {
	case a.stanza != b.stanza || !a.block.isWithin(b.block) && !b.block.isWithin(a.block):
		return costText + far, lines
	case lines == 0:
		return costLine + far, lines
	case lines == 1:
		return costNext, lines
	}
	return costStanza + far, lines
}

package pairing

import (
	"bytes"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/candidates"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
)

// A Value is an id, a secret or a token in a text, with its place and its name.
type Value struct {
	detectors.Span
	Text            string
	line, stanza    int    // of its start, counted from 0
	block           *block // innermost block around it
	Name            nameKind
	Shape           keyformat.Shape
	Group           string   // part of its name that sets it apart: "dev" of DEV_KEY_ID
	SaysAWS         bool     // its name says that it is of AWS
	foreignName     bool     // a secret: its name is of another service, unless the id has it too
	strangeName     bool     // a secret: its name is of something else than a secret of AWS, as uploader_key
	foreignWords    []string // the words of its name that say which other service it is of
	around          []string // such words of the names around it
	namedElsewhere  bool     // a secret: a name near it is of something else
	Example         bool     // made up, see keyformat.IsSample and PlaceholderID
	Account         string   // named by an id or a token, or ""
	InSignedRequest bool     // an id: it stands in a request that it signed
	onlyOfGroup     bool     // an id: no other one has its group
}

// A block is a part of a text that indentation or braces set apart: the lines below "aws:"
// in YAML, {"id":"…","key":"…"} in JSON.
type block struct {
	outer *block
	depth int // number of blocks around it
}

// isWithin reports whether b is c or lies within it.
func (b *block) isWithin(c *block) bool {
	for b.depth > c.depth {
		b = b.outer
	}
	return b == c
}

// A layoutCursor walks through a text once, forwards, and knows in which line, stanza and
// block it is.
type layoutCursor struct {
	text         []byte
	at           int // offset up to which the text was read
	line, stanza int
	// open are the blocks around at, outermost first: first blocks of the indentation, then
	// blocks of braces in the line.
	open     []openBlock
	indented int // number of open blocks of the indentation
	deeper   int // number of open braces beyond maxDepth
}

// An openBlock is a block that has begun. Its block is made when a value stands in it.
type openBlock struct {
	indent int
	block  *block
}

// maxDepth bounds the blocks of the indentation, and the blocks of braces in a line. Deeper
// ones count as the innermost.
const maxDepth = 64

func newLayoutCursor(text []byte) *layoutCursor {
	c := &layoutCursor{text: text}
	c.indent()
	return c
}

// newValue returns the value at s, without its place.
func newValue(text []byte, s detectors.Span) Value {
	v := Value{Span: s, Text: string(text[s.Start:s.End])}
	v.Example = keyformat.IsSample(v.Text)
	if candidates.IsPrefix(text[s.Start : s.Start+keyformat.PrefixLen]) {
		v.Example = keyformat.PlaceholderID(v.Text) != ""
	}
	return v
}

// setPlace sets the place of v, which must not begin before the last one.
func (c *layoutCursor) setPlace(v *Value) {
	s := v.Span
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
	c.at = s.Start // so that a long line with many values is read once
	v.line, v.stanza, v.block = c.line, c.stanza, c.block()
}

// indent closes the blocks that are indented more than the line at c.at, and opens one if
// the line is indented more than all of them. If it closes blocks, none of which has the
// indentation of the line, the outermost of them goes on instead: whether two values are in one
// block depends on no line above them, which may be far away.
func (c *layoutCursor) indent() {
	c.open, c.deeper = c.open[:c.indented], 0
	indent, blank := indentOf(c.text[c.at:])
	if blank {
		return
	}
	var b openBlock
	for len(c.open) > 0 && c.open[len(c.open)-1].indent > indent {
		b, c.open = c.open[len(c.open)-1], c.open[:len(c.open)-1]
	}
	if len(c.open) == 0 || c.open[len(c.open)-1].indent < indent && len(c.open) < maxDepth {
		b.indent = indent
		c.open = append(c.open, b)
	}
	c.indented = len(c.open)
}

// indentOf returns the indentation of the first line of text. The marks of lists, comments,
// quotes and diffs count as blanks.
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

// braces opens and closes the blocks of the braces in a piece of a line. A brace may close
// the block of an earlier line. Then the values behind it are in a new block, as in "}, {".
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

// beginsStanza reports whether the first line of text is blank, is a [section] or begins
// with a brace.
func beginsStanza(text []byte) bool {
	const enough = 256
	text = text[:min(len(text), enough)]
	for i := 0; i < len(text) && (text[i] == ' ' || text[i] == '\t' || keyformat.IsAlnum(text[i])); i++ {
		if text[i] > ' ' {
			return false // as most lines, whose ends need not be looked for
		}
	}
	line, _, _ := bytes.Cut(text, []byte{'\n'})
	line = bytes.TrimSpace(line)
	return len(line) == 0 || line[0] == '[' && line[len(line)-1] == ']' || line[0] == '{' || line[0] == '}'
}

// The costs of distance, beside which pairing.go has those of names and shapes.
const (
	costLine    = 0.0
	costNext    = 1.0
	costStanza  = 2.0
	costText    = 5.0
	costPerLine = 0.05
	maxPerLine  = 2.5
)

// distanceCost is rule 4. It also returns the number of lines between a and b.
func distanceCost(a, b *Value) (cost float64, lines int) {
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

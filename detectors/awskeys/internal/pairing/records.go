package pairing

import (
	"bytes"
	"slices"
)

// A value is often called only "value" or "default", and its name stands elsewhere in its
// record: in a field beside it, or in the key of a record around it.
//
//	variable "aws_secret_key" {             the opening of the record
//	  description = "of the uploader"       a field
//	  default     = "…"                     the value, and its label
//	}
//
//	- name: AWS_SECRET_ACCESS_KEY           a field that holds the name
//	  value: …
//
// Terraform, CloudFormation, SSM, DynamoDB, Azure, GitLab, Jenkins, Postman, HAR and plists
// all write so. Records are told apart by their braces and by the indentation of their
// lines, and no format is parsed: the value may be in a piece of a file, or in a log.

const (
	// maxAbove and maxBelow bound the distance of a value from the name in its record, in
	// bytes. A description of CloudFormation has at most 4,000 (CloudFormation User Guide,
	// "Parameters").
	maxAbove = 4 << 10
	maxBelow = 1 << 10
	// maxFields bounds the fields of a record that are kept.
	maxFields = 64
	// secretOpenings and idOpenings are how many records around a secret or an id are looked
	// at, and maxAbove and idAbove how far. The name of a secret decides whether it counts,
	// the name of an id only which secret it gets; and texts hold ids by the thousands.
	secretOpenings = 8
	idOpenings     = 2
	idAbove        = 1 << 10
)

// A record is the text beside one value and around it.
type record struct {
	fields   [][]byte // of the same record, nearest first, without the value
	own      []byte   // the field of the value, up to it
	openings [][]byte // keys of the records around it, innermost first
	named    bool     // a field or the opening of braces holds the name
	braced   bool     // braces enclose it
	called   bool     // parentheses do: it is an argument
}

// A recordReader reads the record of a value from the inside to the outside.
type recordReader struct {
	record
	indent  int  // of the lines of the record
	depth   int  // braces that close below the reader and open above it
	inside  bool // the reader has not left the record yet
	pending bool // a brace opens a record, and its key is not read yet
	label   bool // the next field is the one of the value
	tags    int  // tags that close below the reader and open above it
}

// recordAround returns the record of the value at start, with at most so many openings, as far
// as reach bytes above.
func recordAround(text []byte, start, openings, reach int) *record {
	r := recordReader{inside: true, label: true}
	r.fields = make([][]byte, 0, 8)
	least := max(0, start-reach)
	line := bytes.LastIndexByte(text[least:start], '\n') + 1 + least
	r.indent, _ = indentOf(text[line:])
	r.readLine(text[line:start], true)
	own := r.indent
	for line > least && len(r.openings) < openings {
		end := line - 1
		line = bytes.LastIndexByte(text[least:end], '\n') + 1 + least
		if !r.readLineAbove(bytes.TrimRight(text[line:end], "\r")) {
			break
		}
	}
	if r.braced || r.called || own > 0 {
		r.readBelow(text[start:min(len(text), start+maxBelow)], own)
	}
	if attributes, within := attributesAround(text, start); within {
		r.fields = attributes
	} else {
		r.fields = slices.Concat(attributes, conditions(text[start:]), r.fields)
	}
	return &r.record
}

// attributesAround returns the attributes of the tag that the value at start is in, as of
// <add key="aws_secret" value="…" />, or that it is right behind, as of <string
// name="aws_secret">…. within says which.
func attributesAround(text []byte, start int) (attributes [][]byte, within bool) {
	before := text[max(0, start-maxRow):start]
	before = before[bytes.LastIndexByte(before, '<')+1:]
	if len(before) == 0 || len(before) == maxRow || !bytes.ContainsAny(before, "=") {
		return nil, false
	}
	tag, rest, closed := bytes.Cut(before, []byte{'>'})
	if !closed {
		behind := text[start:min(len(text), start+maxRow)]
		end := bytes.IndexAny(behind, "<>")
		if end < 0 || behind[end] == '<' {
			return nil, false
		}
		tag = text[start-len(before) : start+end]
	} else if len(bytes.TrimSpace(rest)) > 0 {
		return nil, false
	}
	for len(attributes) < maxFields {
		name, rest, ok := bytes.Cut(tag, []byte{'='})
		rest = bytes.TrimLeft(rest, " \t\r\n")
		if !ok || len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
			break
		}
		value, next, _ := bytes.Cut(rest[1:], rest[:1])
		key, _ := lastName(name)
		attributes = append(attributes, bytes.Join([][]byte{[]byte(key), value}, []byte{'='}))
		tag = next
	}
	return attributes, !closed && attributes != nil
}

// readLineAbove reads a whole line, and reports whether the record may go on above it.
func (r *recordReader) readLineAbove(line []byte) bool {
	indent, blank := indentOf(line)
	if r.depth > 0 || r.pending {
		r.readLine(line, false)
		return true
	}
	trimmed := bytes.TrimSpace(line)
	switch {
	case blank || len(trimmed) == 0:
		return r.indent > 0
	case isSection(trimmed) && indent <= r.indent+1:
		r.open(trimmed)
		return false
	case trimmed[0] != '<' && closesTag(trimmed) && openedTags(trimmed) < 0: // the text of an element begins above
		r.tags -= openedTags(trimmed)
	case r.tags > 0 && bytes.IndexByte(trimmed, '<') < 0:
	case indent < r.indent && opensBlock(trimmed):
		r.indent = indent
		r.open(trimmed)
	case indent < r.indent && opensCall(trimmed) >= 0:
		open := opensCall(trimmed)
		r.called = r.called || r.inside
		for _, argument := range slices.Backward(bytes.Split(trimmed[open+1:], []byte{','})) {
			r.field(argument, true, false)
		}
		r.indent = indent
		r.open(trimmed[:open+1])
	case indent == r.indent || bytes.ContainsAny(line, "{}[]"):
		r.readLine(line, false)
	}
	return true
}

// readLine reads the fields of line, the last one first. A line that begins with the dash
// of a list is the first of its record. In the line of the value, ownLine, parentheses
// enclose a record too: the arguments of a call. Elsewhere they are prose.
func (r *recordReader) readLine(line []byte, ownLine bool) {
	indent, _ := indentOf(line)
	own := indent == r.indent
	end := len(line)
	for i := len(line) - 1; i >= 0; i-- {
		switch c := line[i]; {
		case c == '}' || c == ']' || c == ')' && ownLine && !r.pending:
			r.field(line[i+1:end], own, false)
			r.depth++
		case (c == '{' || c == '[' || c == '(' && ownLine) && r.depth > 0:
			r.depth--
		case c == '{' || c == '[' || c == '(' && ownLine && !r.pending: // else of the key, as in ENV.fetch("X") { … }
			r.field(line[i+1:end], own, false)
			r.pending, own = true, true
			r.called = r.called || c == '('
			r.braced = r.braced || r.inside && c == '{'
			r.indent = min(r.indent, indent)
		case c == ',' || c == ';':
			r.field(line[i+1:end], own, false)
		case c == '<' && i+1 < end && line[i+1] != '/' && closesTag(line[:i]):
			r.field(line[i:end], own, false)
			end = i
			continue
		default:
			continue
		}
		end = i
	}
	r.field(line[:end], own, true)
	if dash := dashOf(line); dash >= 0 && own && r.depth == 0 && !r.pending {
		r.indent, r.inside = dash+1, false
	}
}

// field takes a field of the record, if own is true, or the key of a record around it.
// beginsLine says that no other field is before it on its line.
func (r *recordReader) field(f []byte, own, beginsLine bool) {
	f = bytes.TrimSpace(f)
	switch {
	case r.depth > 0:
	case r.label:
		r.label, r.own = false, f
	case r.pending && len(f) == 0:
		r.pending = beginsLine // else the record is an element of a list
		if !r.pending {
			r.inside = false
		}
	case r.pending:
		r.pending = false
		r.open(f)
	case len(f) == 0 || !own || !r.inside || len(r.fields) == maxFields:
	case f[0] == '<':
		r.element(f)
	default:
		r.fields = append(r.fields, f)
	}
}

// element takes a field that is an element, or only the beginning or the end of one. The end
// of one is of a record before that of the value, and the beginning begins that of the value.
func (r *recordReader) element(f []byte) {
	switch opened := openedTags(f); {
	case opened < 0:
		r.tags -= opened
	case r.tags > 0:
		r.tags = max(0, r.tags-opened)
		if r.tags == 0 && opened > 0 && !bytes.HasSuffix(f, []byte{'>'}) { // the first line of its text
			r.fields = append(r.fields, f)
		}
	case opened > 0 && bytes.HasSuffix(f, []byte{'>'}) && !bytes.Contains(f, []byte("</")):
		r.openings, r.inside = append(r.openings, f), false
	default:
		r.fields, r.inside = append(r.fields, f), opened == 0
	}
}

// closesTag reports whether line ends in </tag> or <tag />.
func closesTag(line []byte) bool {
	line = bytes.TrimRight(line, " ")
	tag := line[max(0, bytes.LastIndexByte(line, '<')):]
	return bytes.HasSuffix(tag, []byte{'>'}) && (bytes.HasPrefix(tag, []byte("</")) || bytes.HasSuffix(tag, []byte("/>")))
}

// openedTags returns how many tags f opens and does not close, or closes and does not open
// if the number is negative.
func openedTags(f []byte) int {
	n := 0
	for i, c := range f {
		switch {
		case c != '<' || i+1 == len(f):
		case f[i+1] == '/':
			n--
		case 'A' <= f[i+1]&^0x20 && f[i+1]&^0x20 <= 'Z':
			n++
		}
	}
	return n - bytes.Count(f, []byte("/>"))
}

// open takes the key of a record around the value. A record that is called only "value" is
// a part of the one around it, unless it is a call.
func (r *recordReader) open(key []byte) {
	r.openings = append(r.openings, key)
	r.inside = r.inside && isFiller(lastWordOf(key)) && !r.called
}

// readBelow takes the fields below the value, up to the end of its record, whose lines have
// at least that indentation.
func (r *recordReader) readBelow(text []byte, least int) {
	depth, from := 0, -1 // from: where the field begins, behind the rest of the value
	take := func(to int) {
		if f := bytes.TrimSpace(text[max(0, from):to]); from >= 0 && len(f) > 0 && len(r.fields) < maxFields {
			r.fields = append(r.fields, f)
		}
		from = to + 1
	}
	for i, c := range text {
		switch {
		case c == '{' || c == '[':
			depth++
		case (c == '}' || c == ']' || c == ')' && r.called) && depth == 0:
			take(i)
			return
		case c == '}' || c == ']':
			depth--
		case c == ',' && depth == 0:
			take(i)
		case c == '\n' && depth == 0:
			take(i)
			if r.braced || r.called {
				continue
			}
			indent, blank := indentOf(text[i+1:])
			if blank || indent < least || dashOf(text[i+1:]) >= 0 {
				return
			}
		}
	}
}

// isSection reports whether line is the head of a section, as in INI and TOML.
func isSection(line []byte) bool {
	return len(line) > 2 && line[0] == '[' && line[len(line)-1] == ']' && !bytes.ContainsAny(line, ",\"':{")
}

// opensCall returns where the call opens whose arguments go on below line, or -1.
func opensCall(line []byte) int {
	if c := line[len(line)-1]; c != ',' && c != '(' {
		return -1
	}
	depth := 0
	for i, c := range slices.Backward(line) {
		switch {
		case c == ')':
			depth++
		case c == '(' && depth == 0:
			return i
		case c == '(':
			depth--
		}
	}
	return -1
}

// opensBlock reports whether a line opens the block below it, by indentation, as a scalar of
// YAML (key: >-) or as a tag.
func opensBlock(line []byte) bool {
	if scalar := bytes.TrimRight(line, "+-123456789"); bytes.HasSuffix(scalar, []byte(": >")) || bytes.HasSuffix(scalar, []byte(": |")) {
		return true
	}
	switch line[len(line)-1] {
	case ':':
		return true
	case '>':
		return line[0] == '<' && !bytes.Contains(line, []byte("</")) && !bytes.HasSuffix(line, []byte("/>"))
	}
	return false
}

// dashOf returns the column of the dash that begins an element of a list, or -1.
func dashOf(line []byte) int {
	for i, c := range line {
		if c == '-' && i+1 < len(line) && line[i+1] == ' ' {
			return i
		}
		if c != ' ' && c != '\t' {
			break
		}
	}
	return -1
}

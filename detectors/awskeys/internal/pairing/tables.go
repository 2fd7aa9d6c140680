package pairing

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
)

// A value may stand in the row of a table. Then its name is in the first cell of the row, or
// at the head of its column:
//
//	| AWS_SECRET | of the uploader | … |         account,access_key_id,secret_access_key
//	(5, 'AWS_SECRET', '…')                       prod,AKIA…,…
//
// Where the head of the column names it, the first cell tells the accounts apart.

const (
	// maxRow bounds a row up to the value, and the head of a table.
	maxRow = 1 << 10
	// maxCell bounds the name in a cell. A secret is no name.
	maxCell = keyformat.SecretLen - 1
)

// A row is the beginning of a row of a table, up to a value.
type row struct {
	cells     [][]byte // before the value
	separator []byte   // between two cells; nil if there is no row
}

// rowOf returns the row that before, the line of a value up to it, is. The separator of a
// first cell stands behind it.
func rowOf(before, value []byte) row {
	line := inBrackets(before)
	edge := bytes.TrimRight(line, " \"'`*")
	if len(edge) == 0 {
		rest := bytes.TrimLeft(bytes.TrimLeftFunc(value, isValueRune), `"'`)
		if len(line) == len(before) && len(rest) > 0 && bytes.IndexByte([]byte(",;\t"), rest[0]) >= 0 {
			return row{separator: rest[:1]}
		}
		return row{}
	}
	separator := edge[len(edge)-1:]
	switch c := separator[0]; {
	case bytes.HasPrefix(bytes.TrimLeft(line, " >*/#"), []byte{'|'}):
		separator = []byte{'|'}
	case c == ',' || c == ';' || c == '\t' || c == '|':
	case bytes.HasSuffix(before, []byte("  ")):
		separator = []byte("  ")
	default:
		return row{}
	}
	cells := cellsOf(line, separator)
	return row{cells[:len(cells)-1], separator}
}

// isValueRune reports whether c may be of an id or a secret.
func isValueRune(c rune) bool { return c < utf8.RuneSelf && keyformat.IsSecretByte(byte(c)) }

// inBrackets returns the part of line behind its last opening bracket: SQL has rows in
// parentheses.
func inBrackets(line []byte) []byte { return line[bytes.LastIndexAny(line, "([{")+1:] }

// cellsOf returns the cells of line, without blanks and quotes.
func cellsOf(line, separator []byte) [][]byte {
	line = bytes.TrimLeft(line, " >*/#")
	if separator[0] == '|' {
		line = bytes.TrimPrefix(line, separator)
	}
	cells := bytes.Split(line, separator)
	if len(separator) > 1 { // any number of blanks
		last := len(cells) - 1
		cells = append(slices.DeleteFunc(cells[:last:last], func(c []byte) bool { return len(bytes.TrimSpace(c)) == 0 }), cells[last])
	}
	for i, c := range cells {
		cells[i] = bytes.Trim(c, " \t\"'`*\r\n")
	}
	return cells
}

// nameCell returns the first cell of the row that is no number, if it may be a name.
func (r row) nameCell() []byte {
	for _, cell := range r.cells[:min(2, len(r.cells))] {
		if !isNameCell(cell) {
			return nil
		}
		if len(bytes.Trim(cell, "0123456789")) > 0 {
			return cell
		}
	}
	return nil
}

// columnName returns the head of the column of the value in the row at text[line:]. The head
// of the table is the first of the lines above that are rows, or the first line of the
// text. It is looked for as far as reach bytes above.
func (r row) columnName(text []byte, line, reach int) []byte {
	if r.separator == nil || line == 0 {
		return nil
	}
	least := max(0, line-reach)
	head := r.headCell(text[line-1 : line-1]) // none
	for at := line; at > least; {
		end := at - 1
		at = bytes.LastIndexByte(text[least:end], '\n') + 1 + least
		cell := r.headCell(text[at:min(end, at+maxRow)])
		if cell == nil {
			return head
		}
		if isNameCell(cell) {
			head = cell
		}
	}
	if first, _, _ := bytes.Cut(text[:min(least, maxRow)], []byte{'\n'}); len(first) > 0 {
		return r.headCell(first)
	}
	return head
}

// headCell returns the cell of line in the column of the value, or nil if line is no row
// with that many cells.
func (r row) headCell(line []byte) []byte {
	line, separator := bytes.TrimRight(line, "\r"), r.separator
	if i := bytes.LastIndexByte(line, '('); i >= 0 {
		if bytes.HasPrefix(line, []byte("COPY ")) { // of PostgreSQL; its rows have tabs
			separator = []byte{','}
		}
		line, _, _ = bytes.Cut(line[i+1:], []byte{')'})
	}
	if !bytes.Contains(line, separator) {
		return nil
	}
	cells := cellsOf(line, separator)
	if len(cells) <= len(r.cells) || separator[0] == ',' && len(cells) == 2 && len(cells[1]) == 0 { // an argument, and its comma
		return nil
	}
	return cells[len(r.cells)]
}

// isNameCell reports whether a cell holds a name of a few words, and no id.
func isNameCell(cell []byte) bool {
	if len(cell) == 0 || len(cell) > maxCell || beginsWithID(cell) {
		return false
	}
	for _, c := range cell {
		if !keyformat.IsNameByte(c) && c != ' ' && c != '@' && c != '/' {
			return false
		}
	}
	return true
}

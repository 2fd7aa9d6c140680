package pairing

import (
	"bytes"

	"github.com/stanch-dev/stanch/detectors/awskeys/internal/candidates"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
)

// A value may have its name by its place in parentheses:
//
//	INSERT INTO t (id, aws_secret) VALUES (1, '…'), (2, '…')     the column with its number
//	Aws::Credentials.new(id, '…')                                the second argument

// placeOf returns where the parenthesis around the value at start opens, and how many values
// stand between them. ok is false if none does, or if the value has a label in it.
func placeOf(text []byte, start int) (open, index int, ok bool) {
	least := max(0, start-maxRow)
	before := bytes.TrimRight(text[least:start], "\"'`\\")
	if n := len(before); n > 1 && n < start-least && keyformat.IsAlnum(before[n-1]) && !keyformat.IsAlnum(before[n-2]) {
		before = before[:n-1] // N'…' of SQL
	}
	before = bytes.TrimRight(before, " \t\r\n")
	if !bytes.HasSuffix(before, []byte{','}) && !bytes.HasSuffix(before, []byte{'('}) {
		return 0, 0, false
	}
	depth := 0
	for i := len(before) - 1; i >= 0; i-- {
		switch c := before[i]; {
		case c == '\'' || c == '"' || c == '`':
			if i = bytes.LastIndexByte(before[:i], c); i < 0 {
				return 0, 0, false
			}
		case c == ')' || c == ']' || c == '}':
			depth++
		case c == '(' && depth == 0:
			return least + i, index, true
		case c == '(' || c == '[' || c == '{':
			if depth--; depth < 0 {
				return 0, 0, false
			}
		case c == ',' && depth == 0:
			index++
		case c == ';':
			return 0, 0, false
		}
	}
	return 0, 0, false
}

// nameByPlace returns the name that a value has by its place in parentheses, and its kind. ok
// is false if it has none.
func nameByPlace(text []byte, start int, judge judgeName) (kind nameKind, name string, ok bool) {
	open, index, ok := placeOf(text, start)
	if !ok {
		return unnamed, "", false
	}
	if index < 2 && makesCredentials(text[max(0, open-maxCell):open]) {
		// So clients of other stores call them, too. Both need a name, or the id would have
		// that of the call, and belong to whatever else has it.
		argument := [2]string{"access_key_id", "secret_access_key"}[index]
		kind, name = judgePhrase([]byte(argument), judge)
		return kind, name, kind != unnamed
	}
	table, columns := insertedColumns(text, open)
	if index >= len(columns) {
		return unnamed, "", false
	}
	cells := cellsOf(text[open+1:start], []byte{','})
	column, first := columns[index], row{cells: cells[:len(cells)-1]}.nameCell()
	if isFiller(lastWordOf(column)) {
		if len(cells)-1 != index { // a comma within a text
			return unnamed, "", false
		}
		behind, _, _ := bytes.Cut(text[start:min(len(text), start+maxRow)], []byte{')'})
		return rowFields(columns, append(cells, cellsOf(behind, []byte{','})[1:]...)).ownName(judge)
	}
	kind, name = judgePhrase(column, judge)
	if kind == NamedSecret && isAWS(splitWords(table)) && !isWord(splitWords(name), notKeyWords) {
		kind, name = NamedAWS, "aws_"+name
	}
	return kind, name + "_" + string(first), true
}

// rowFields returns a row of SQL as a record.
func rowFields(columns, cells [][]byte) *record {
	r := &record{}
	for i, cell := range cells[:min(len(cells), len(columns))] {
		r.fields = append(r.fields, bytes.Join([][]byte{columns[i], cell}, []byte{'='}))
	}
	return r
}

// isSecondOfCredentials reports whether the value at text[at:] is the second argument of a
// function that makes credentials of AWS.
func isSecondOfCredentials(text []byte, at int) bool {
	open, index, ok := placeOf(text, at)
	return ok && index == 1 && makesCredentials(text[max(0, open-maxCell):open])
}

// SaysCredentials reports whether b may hold the name of such a function.
func SaysCredentials(b []byte) bool { return candidates.ContainsAny(b, []string{"redential"}) }

// makesCredentials reports whether before, in front of a parenthesis, ends in the name of a
// function that makes credentials of AWS: BasicAWSCredentials, Aws::Credentials.new.
func makesCredentials(before []byte) bool {
	at := len(before)
	for at > 0 && (keyformat.IsNameByte(before[at-1]) || before[at-1] == ':') {
		at--
	}
	words := phraseWords(before[at:])
	return isAWS(words) && isWord(words, []string{"credential", "credentials"}) &&
		isWord(words[len(words)-1:], []string{"credential", "credentials", "new", "create", "provider"})
}

// insertedColumns returns the names of a table and its columns, if a row of an INSERT of SQL
// opens at text[open].
func insertedColumns(text []byte, open int) (table string, columns [][]byte) {
	const blanks, values = " \t\r\n", "VALUES"
	head := bytes.TrimRight(text[max(0, open-maxAbove):open], blanks)
	if bytes.HasSuffix(head, []byte("),")) { // another row is before it
		head = head[:max(endOfLast(head, values), endOfLast(head, "values"))]
	}
	at := len(head) - len(values)
	if at < 0 || !bytes.EqualFold(head[at:], []byte(values)) {
		return "", nil
	}
	head = bytes.TrimRight(head[:at], blanks)
	from := bytes.LastIndexByte(head, '(')
	if from < 0 || !bytes.HasSuffix(head, []byte{')'}) {
		return "", nil
	}
	for column := range bytes.SplitSeq(head[from+1:len(head)-1], []byte{','}) {
		columns = append(columns, bytes.Trim(column, blanks+"\"'`[]"))
	}
	table, _ = lastName(head[:from])
	return table, columns
}

// endOfLast returns where the last word in b ends, or 0. It is many times as fast as
// bytes.LastIndex, and lists have thousands of rows.
func endOfLast(b []byte, word string) int {
	end := 0
	for {
		i := bytes.Index(b[end:], []byte(word))
		if i < 0 {
			return end
		}
		end += i + len(word)
	}
}

// conditions returns the fields of the WHERE that stands behind a value in a statement of SQL:
//
//	UPDATE settings SET value = '…' WHERE name = 'aws_secret'
func conditions(behind []byte) (fields [][]byte) {
	statement, _, _ := bytes.Cut(behind[:min(len(behind), maxRow)], []byte{';'})
	for _, words := range [][2]string{{"WHERE ", "AND "}, {"where ", "and "}} {
		_, where, _ := bytes.Cut(statement, []byte(words[0]))
		for field := range bytes.SplitSeq(where, []byte(words[1])) {
			if field, _, _ = bytes.Cut(bytes.TrimSpace(field), []byte{'\n'}); bytes.ContainsAny(field, "'\"") {
				fields = append(fields, field)
			}
		}
	}
	return fields
}

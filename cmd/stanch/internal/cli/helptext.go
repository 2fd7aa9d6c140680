package cli

import (
	"strings"
	"unicode/utf8"
)

// A textWriter lays out help in lines of at most width characters. Only a word that is longer
// than that makes a longer line.
type textWriter struct {
	strings.Builder
	width int
	bold  bool // headings are bold
}

func (w *textWriter) heading(s string) {
	w.WriteString("\n")
	w.title(s)
}

func (w *textWriter) title(s string) {
	if w.bold {
		s = "\x1b[1m" + s + "\x1b[0m"
	}
	w.WriteString(s + "\n")
}

// flow writes words, the first line behind first, the others behind rest.
func (w *textWriter) flow(first, rest, words string) { w.wrap(first, rest, "", strings.Fields(words)) }

// command writes a command for a shell; a line that goes on ends with a backslash.
func (w *textWriter) command(indent, command string) {
	w.wrap(indent, indent+"    ", ` \`, strings.Split(command, " "))
}

// wrap writes words. Each line that is not the last ends with more.
func (w *textWriter) wrap(first, rest, more string, words []string) {
	line, empty := first, true
	for i, word := range words {
		room := w.width
		if i < len(words)-1 {
			room -= len(more)
		}
		switch {
		case empty:
			line += word
		case columns(line)+1+columns(word) <= room:
			line += " " + word
		default:
			w.WriteString(line + more + "\n")
			line = rest + word
		}
		empty = false
	}
	w.WriteString(strings.TrimRight(line, " ") + "\n")
}

// A row is a term and its meaning: a flag, a command, a line of a table.
type row struct{ term, text string }

// rows writes a table in two columns or, where the second would be narrow, the text of each
// row below its term.
func (w *textWriter) rows(list []row) { w.table(list, 0) }

// table is rows with a first column of least characters or more.
func (w *textWriter) table(list []row, least int) {
	const widest, narrow = 32, 36
	column := least
	for _, r := range list {
		if n := columns(r.term) + 4; n <= widest {
			column = max(column, n)
		}
	}
	below := column == 0 || w.width-column < narrow
	if below {
		column = 6
	}
	margin := strings.Repeat(" ", column)
	for _, r := range list {
		first := "  " + r.term
		if pad := column - columns(first); !below && pad >= 2 {
			w.flow(first+margin[:pad], margin, r.text)
			continue
		}
		if below {
			w.flow("  ", "    ", r.term)
		} else {
			w.WriteString(first + "\n")
		}
		if r.text != "" {
			w.flow(margin, margin, r.text)
		}
	}
}

// text writes paragraphs, blank lines between them. Lines that are indented are rows of a table
// if two spaces or more part a term from its text, otherwise commands.
func (w *textWriter) text(s string) {
	least := 0 // all tables of a text have the same columns
	for line := range strings.Lines(s) {
		if term, _, isRow := cutRow(line); isRow {
			least = max(least, columns(term)+4)
		}
	}
	for i, paragraph := range strings.Split(strings.Trim(s, "\n"), "\n\n") {
		if i > 0 {
			w.WriteString("\n")
		}
		lines := strings.Split(strings.Trim(paragraph, "\n"), "\n")
		for len(lines) > 0 {
			n := 1
			for n < len(lines) && isIndented(lines[n]) == isIndented(lines[0]) {
				n++
			}
			switch {
			case isIndented(lines[0]):
				w.block(lines[:n], least)
			case n == 1 && len(lines) > 1: // above a table
				w.title(lines[0])
			default:
				w.flow("", "", strings.TrimLeft(strings.Join(lines[:n], " "), "# ")) // cobra has "#### Linux:"
			}
			lines = lines[n:]
		}
	}
}

func isIndented(line string) bool {
	return strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")
}

// cutRow parts the term and the text of a row.
func cutRow(line string) (term, text string, isRow bool) {
	term, text, isRow = strings.Cut(strings.TrimSpace(line), "  ")
	return term, strings.TrimSpace(text), isRow && isIndented(line)
}

// block writes lines that are indented, those of tables with a first column of least
// characters.
func (w *textWriter) block(lines []string, least int) {
	var table []row
	for _, line := range lines {
		rest := strings.TrimLeft(line, " \t")
		term, text, isRow := cutRow(line)
		switch {
		case isRow:
			table = append(table, row{term, text})
		case len(table) > 0 && len(line)-len(rest) > 2: // the row above goes on
			table[len(table)-1].text += " " + rest
		default:
			w.table(table, least)
			table = nil
			w.command("  ", rest)
		}
	}
	w.table(table, least)
}

// examples writes commands, one a line, each with words behind "#" or without: beside the
// command if there is room for all, otherwise above.
func (w *textWriter) examples(s string) {
	var list []row
	column, room := 0, true
	for line := range strings.Lines(s) {
		command, words, _ := strings.Cut(strings.TrimSpace(line), "  #")
		list = append(list, row{strings.TrimSpace(command), strings.TrimSpace(words)})
		column = max(column, columns(strings.TrimSpace(command))+4)
	}
	for _, r := range list {
		room = room && column+2+columns(r.text) <= w.width
	}
	for _, r := range list {
		switch {
		case r.text == "":
			w.command("  ", r.term)
		case room:
			w.WriteString("  " + r.term + strings.Repeat(" ", column-2-columns(r.term)) + "# " + r.text + "\n")
		default:
			w.flow("  # ", "  # ", r.text)
			w.command("  ", r.term)
		}
	}
}

// columns returns how many columns of a terminal s takes. Help has no wide characters.
func columns(s string) int { return utf8.RuneCountInString(s) }

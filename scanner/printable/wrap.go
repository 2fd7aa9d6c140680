package printable

import "strings"

// narrowest is the number of columns below which wrapping leaves a word or two on each row,
// and the terminal's own wrapping reads no worse.
const narrowest = 24

// Wrap breaks a line between words into rows of at most width characters. A word that is
// longer stays whole, as do all lines if width is below narrowest.
func Wrap(line string, width int) (rows []string) {
	for width >= narrowest {
		end := rowEnd(line, width)
		if end == 0 {
			break
		}
		rows = append(rows, strings.TrimRight(line[:end], " "))
		line = strings.TrimLeft(line[end:], " ")
	}
	return append(rows, line)
}

// rowEnd returns where line is to be broken, 0 if it has room or one word. It looks no further than
// the row, so that the time for a line grows with its length alone.
func rowEnd(line string, width int) (end int) {
	column, begun := 0, false
	for i, r := range line {
		switch {
		case column > width && end > 0:
			return end
		case r != ' ':
			begun = true
		case begun:
			end = i
		}
		column++
	}
	if column <= width {
		return 0
	}
	return end
}

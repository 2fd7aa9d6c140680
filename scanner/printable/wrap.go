package printable

import (
	"strings"
	"unicode/utf8"
)

// narrowest is the number of columns below which wrapping leaves a word or two on each row,
// and the terminal's own wrapping reads no worse.
const narrowest = 24

// Wrap breaks a line between words into rows of at most width characters. A word that is
// longer stays whole, as do all lines if width is below narrowest.
func Wrap(line string, width int) (rows []string) {
	for width >= narrowest && utf8.RuneCountInString(line) > width {
		end, column := -1, 0
		for i, r := range line {
			if column > width && end > 0 {
				break
			}
			if r == ' ' && strings.TrimSpace(line[:i]) != "" {
				end = i
			}
			column++
		}
		if end < 0 {
			break
		}
		rows = append(rows, strings.TrimRight(line[:end], " "))
		line = strings.TrimLeft(line[end:], " ")
	}
	return append(rows, line)
}

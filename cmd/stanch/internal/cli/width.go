package cli

import (
	"io"
	"os"
)

// Width returns how many columns the terminal has that w is, 0 if w is none: a file or a pipe
// gets lines as they are.
//
// No character needs a fallback there. On Windows, Go writes to a console in UTF-16
// (WriteConsoleW in internal/poll), whatever the code page of the console: "·" and "…" are
// right in 437 and 850, too. A file and a pipe get UTF-8.
func Width(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !isTerminal(f) {
		return 0
	}
	return terminalWidth(f.Fd())
}

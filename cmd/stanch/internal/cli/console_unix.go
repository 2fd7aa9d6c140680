//go:build unix

package cli

import "golang.org/x/sys/unix"

// terminalWidth returns the columns of the terminal that fd is, 0 if it is none.
func terminalWidth(fd uintptr) int {
	size, err := unix.IoctlGetWinsize(int(fd), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}

// takesEscapes reports whether the terminal that fd is understands escape codes.
func takesEscapes(uintptr) bool { return true }

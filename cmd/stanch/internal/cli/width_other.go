//go:build !unix && !windows

package cli

// terminalWidth returns 0: the width of the terminal is not known.
func terminalWidth(uintptr) int { return 0 }

//go:build !unix && !windows

package cli

func terminalWidth(uintptr) int { return 0 }

package cli

import "golang.org/x/sys/windows"

// terminalWidth returns the columns of the console that fd is, 0 if it is none.
func terminalWidth(fd uintptr) int {
	var info windows.ConsoleScreenBufferInfo
	if windows.GetConsoleScreenBufferInfo(windows.Handle(fd), &info) != nil {
		return 0
	}
	return int(info.Window.Right-info.Window.Left) + 1
}

// takesEscapes reports whether the console that fd is understands escape codes, and makes it do
// so. In a window of cmd.exe or of Windows PowerShell they are off unless a program turns them
// on, and "\x1b[K" would be printed; before Windows 10 they cannot be turned on.
func takesEscapes(fd uintptr) bool {
	var mode uint32
	if windows.GetConsoleMode(windows.Handle(fd), &mode) != nil {
		return false
	}
	const escapes = windows.ENABLE_PROCESSED_OUTPUT | windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING
	return mode&escapes == escapes || windows.SetConsoleMode(windows.Handle(fd), mode|escapes) == nil
}

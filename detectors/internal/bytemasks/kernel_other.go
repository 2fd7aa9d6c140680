//go:build !amd64

package bytemasks

func hasVector() bool { return false }

func classifyVector(*byte, *byte, int, *[tables][2][16]byte) {}

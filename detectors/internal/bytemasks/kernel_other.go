//go:build !amd64

package bytemasks

func hasVector() bool { return false }

func classifyVector(*byte, *byte, int, *tables) bool { return false }

func findVector(*masks, int, *findings) {}

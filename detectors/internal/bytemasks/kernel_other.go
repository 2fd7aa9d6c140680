//go:build !amd64 && !arm64

package bytemasks

func hasVector() bool { return false }

func classifyVector(*masks, int, []byte, int) bool { return false }

func findVector(*masks, int, *findings) {}

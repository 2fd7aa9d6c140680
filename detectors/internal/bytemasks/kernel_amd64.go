package bytemasks

import "golang.org/x/sys/cpu"

// hasVector reports whether this processor has the instructions for 32 bytes at once (AVX2).
func hasVector() bool { return cpu.X86.HasAVX2 }

// classifyVector is classify. It sets the masks at m, of which each class has row bytes.
//
//go:noescape
func classifyVector(m *byte, text *byte, n int, t *tables) bool

// findVector is find.
//
//go:noescape
func findVector(m *masks, n int, f *findings)

package bytemasks

import "golang.org/x/sys/cpu"

// hasVector reports whether this processor has the instructions of classifyVector.
func hasVector() bool { return cpu.X86.HasAVX2 }

// classifyVector is classify with instructions for 32 bytes at once (AVX2). It sets the masks
// at m, of which each class has stride bytes.
//
//go:noescape
func classifyVector(m *byte, text *byte, n int, t *[tables][2][16]byte)

//go:build amd64 || arm64

package prefetch

import "unsafe"

func line[T any](at *T) { load(unsafe.Pointer(at)) }

//go:noescape
func load(at unsafe.Pointer)

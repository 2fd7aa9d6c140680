// Package prefetch has the processor load memory that will be read soon. A reader waits for
// main memory 100 ns and longer; if it has other work to do first, it need not wait.
package prefetch

// Line asks for the cache line in which s[i] begins. It does nothing if s has no such element,
// and on processors other than amd64 and arm64. It never faults, even if s is a mapped file
// that was cut off. Concurrent calls are allowed.
func Line[T any](s []T, i int) {
	if uint(i) < uint(len(s)) {
		line(&s[i])
	}
}

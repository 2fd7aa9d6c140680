package pack

import (
	"runtime"

	"golang.org/x/sync/errgroup"
)

// Guard calls fn. It returns an error if fn reads beyond the end of a file that was cut off
// after it was mapped. Callers that read ids of an Index need it; Walk and Read do it
// themselves.
func Guard(fn func() error) (err error) {
	defer recoverFault(&err)()
	return fn()
}

// recoverFault turns a fault in mapped memory into an error: a file that became shorter
// since it was mapped. Use it as defer recoverFault(&err)(). It works in the calling
// goroutine only.
func recoverFault(err *error) func() {
	undo := panicOnFault()
	return func() {
		undo()
		switch p := recover().(type) {
		case nil:
		case runtime.Error:
			if _, fault := p.(interface{ Addr() uintptr }); !fault {
				panic(p)
			}
			*err = damaged("the file was cut off while it was read")
		default:
			panic(p)
		}
	}
}

func workers() int { return runtime.GOMAXPROCS(0) }

// parallel runs fn for parts of [0, n), as many at once as there are CPUs.
func parallel(n int, fn func(from, to int) error) error {
	const least = 1 << 14 // less is not worth a goroutine
	parts := min(workers(), n/least+1)
	var g errgroup.Group
	for i := range parts {
		g.Go(func() (err error) {
			defer recoverFault(&err)()
			return fn(n*i/parts, n*(i+1)/parts)
		})
	}
	return g.Wait()
}

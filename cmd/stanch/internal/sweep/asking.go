//go:build sweep

package sweep

import (
	"sync"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
)

// An asking sums up how far the questions to AWS are that scans ask at once. When none asks any
// more, the sum begins anew.
type asking struct {
	mu                       sync.Mutex
	began                    time.Time
	scans, done, of, ignored int
}

// scan returns the scanner.Scanner.Verified of one scan.
func (a *asking) scan() func(done, of, ignored int) {
	before := 0
	return func(done, of, ignored int) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if of == 0 {
			return
		}
		if done == 0 {
			if a.scans == 0 {
				a.began, a.done, a.of, a.ignored = time.Now(), 0, 0, 0
			}
			a.scans, a.of, a.ignored = a.scans+1, a.of+of, a.ignored+ignored
		}
		a.done, before = a.done+done-before, done
		if done == of {
			a.scans--
		}
	}
}

// text says "asking AWS: 44 of 500 keys · 12 s left", or "" if no scan asks.
func (a *asking) text() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.scans == 0 {
		return ""
	}
	return cli.Asked(int64(a.done), int64(a.of), int64(a.ignored), time.Since(a.began))
}

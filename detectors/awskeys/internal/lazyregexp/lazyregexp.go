package lazyregexp

import (
	"regexp"
	"sync"
)

// New compiles a pattern when it is first asked for: few runs, and hardly one of a
// hook, meet a text that it is for, and to compile all costs as much as to start.
func New(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// Package lazyregexp compiles patterns when they are first used.
//
// Few runs meet a text that one of them is for, least of all a hook, and compiling all of
// them costs as much as starting the program.
package lazyregexp

import (
	"regexp"
	"sync"
)

// New returns a function that returns the compiled pattern. It panics if pattern is no
// regular expression, when it is first called.
func New(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

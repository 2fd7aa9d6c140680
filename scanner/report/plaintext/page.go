package plaintext

import (
	"strings"

	"github.com/stanch-dev/stanch/scanner/printable"
)

// A style is the parameter of an SGR sequence.
type style string

const (
	plain style = ""
	bold  style = "1"
	dim   style = "2"
	alarm style = "1;31"
	warn  style = "33"
	note  style = "36"
	good  style = "32"
)

// A page is text with styles. All text on it is safe for terminals.
type page struct {
	strings.Builder
	color bool
}

func (p *page) put(st style, s string) {
	s = printable.Quoted(s)
	if st == plain || s == "" || !p.color {
		p.WriteString(s)
		return
	}
	p.WriteString("\x1b[" + string(st) + "m" + s + "\x1b[0m")
}

func (p *page) nl() { p.WriteByte('\n') }

package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

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

// A page is text with styles. Whatever is put on it is safe for terminals.
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

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func plural(n int, noun string) string {
	return thousands(int64(n)) + " " + noun + ending(int64(n))
}

func ending(n int64) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// thousands writes 24154 as 24,154.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func size(n int64) string {
	units := [...]string{"B", "kB", "MB", "GB", "TB"}
	f, unit := float64(n), 0
	for f >= 999.5 && unit < len(units)-1 {
		f, unit = f/1000, unit+1
	}
	if unit == 0 || f >= 99.5 {
		return fmt.Sprintf("%.0f %s", f, units[unit])
	}
	return fmt.Sprintf("%.1f %s", f, units[unit])
}

func elapsed(ms int64) string {
	switch {
	case ms < 1000:
		return fmt.Sprintf("%d ms", ms)
	case ms < 60_000:
		return fmt.Sprintf("%.1f s", float64(ms)/1000)
	}
	return (time.Duration(ms) * time.Millisecond).Round(time.Second).String()
}

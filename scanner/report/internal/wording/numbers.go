package wording

import (
	"fmt"
	"time"
)

// Ending is the end of a noun behind n.
func Ending(n int64) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// Size writes a number of bytes.
func Size(n int64) string {
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

// Elapsed writes a duration in milliseconds.
func Elapsed(ms int64) string {
	switch {
	case ms < 1000:
		return fmt.Sprintf("%d ms", ms)
	case ms < 60_000:
		return fmt.Sprintf("%.1f s", float64(ms)/1000)
	}
	return (time.Duration(ms) * time.Millisecond).Round(time.Second).String()
}

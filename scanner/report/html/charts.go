package html

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/printable"
)

const (
	fewestDays = 3 // of one or two days, a chart is a block of colour
	chartDays  = 366
	chartWidth = 720
	chartTop   = 140
)

// charts shows how long leaked keys were live, as far as sweeps know.
//
// The charts are for a security team that watches an organization: are fewer keys live than a
// month ago, and is a leaked key shut off sooner? No list of findings answers that, and the
// page asks no server that could draw it. Refused for that reason: to delete them, which
// would save 150 lines. A page for such a team is to begin with them.
func (v *view) charts() {
	var open []lifetime
	var took []time.Duration
	for i := range v.findings {
		f := &v.findings[i]
		h := f.History
		if h == nil || h.FirstSeen.IsZero() || f.Ignored != "" || !isLive(f) && h.DeadSince.IsZero() {
			continue
		}
		life := lifetime{from: h.FirstSeen}
		if !isLive(f) { // else it came back to life
			life.to = h.DeadSince
			took = append(took, max(0, h.DeadSince.Sub(h.FirstSeen)))
		}
		open = append(open, life)
	}
	if len(open) == 0 || v.scan.Started.IsZero() {
		return
	}
	first, counts := perDay(open, v.scan.Started)
	if len(counts) < fewestDays && len(took) == 0 {
		return
	}
	v.put(`<section aria-labelledby="h-charts"><h2 id="h-charts">Over time</h2><div class="two">` + "\n")
	if len(counts) >= fewestDays {
		v.exposure(first, counts)
	}
	v.deactivation(took)
	v.put("</div></section>\n")
}

// A lifetime is when a leak was known and live; to is zero if it still is.
type lifetime struct{ from, to time.Time }

func startOfDay(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// perDay returns how many of open were live at the end of each day, from the day first to
// the day of now. The last count is the one at now.
func perDay(open []lifetime, now time.Time) (first time.Time, counts []int) {
	last := startOfDay(now)
	first = last
	for _, l := range open {
		if d := startOfDay(l.from); d.Before(first) {
			first = d
		}
	}
	if oldest := last.AddDate(0, 0, 1-chartDays); first.Before(oldest) {
		first = oldest
	}
	day := func(t time.Time) int { return int(startOfDay(t).Sub(first) / (24 * time.Hour)) }
	counts = make([]int, day(last)+1)
	for _, l := range open {
		end := len(counts)
		if !l.to.IsZero() {
			end = min(end, day(l.to))
		}
		for i := max(0, day(l.from)); i < end; i++ {
			counts[i]++
		}
	}
	return first, counts
}

// exposure draws the live leaks of each day.
func (v *view) exposure(first time.Time, counts []int) {
	most := max(1, slices.Max(counts))
	var line strings.Builder
	step := float64(chartWidth) / float64(len(counts))
	for i, n := range counts {
		y := chartTop - float64(n)*(chartTop-20)/float64(most)
		if i == 0 {
			fmt.Fprintf(&line, "M0 %.1f", y)
		} else if n != counts[i-1] {
			fmt.Fprintf(&line, "V%.1f", y)
		}
		fmt.Fprintf(&line, "H%.1f", float64(i+1)*step)
	}
	peak := slices.Index(counts, slices.Max(counts))
	says := fmt.Sprintf("Live leaks that were known at the end of each day, from %s to %s: %s now, at most %s, on %s.",
		date(first), date(v.scan.Started), printable.Thousands(int64(counts[len(counts)-1])), printable.Thousands(int64(counts[peak])), date(first.AddDate(0, 0, peak)))
	v.put(`<figure><h3>Open live leaks per day</h3><svg class="chart" viewBox="0 0 %d %d" role="img" aria-label="%s">`, chartWidth, chartTop+24, says)
	v.put(`<line class="grid" x1="0" x2="%d" y1="20" y2="20"/><text x="0" y="14">%s</text>`, chartWidth, printable.Thousands(int64(most)))
	v.put(`<path class="area" d="%sV%dH0Z"/><path class="line" d="%s"/>`, trusted(line.String()), chartTop, trusted(line.String()))
	v.put(`<line class="axis" x1="0" x2="%d" y1="%d" y2="%d"/><text x="0" y="%d">%s</text><text x="%d" y="%d" text-anchor="end">%s</text></svg>`,
		chartWidth, chartTop, chartTop, chartTop+18, date(first), chartWidth, chartTop+18, date(v.scan.Started))
	v.put("<figcaption>%s</figcaption></figure>\n", says)
}

// ages are the columns of the chart of deactivation times.
var ages = [...]struct {
	below time.Duration
	label string
}{
	{time.Hour, "1 hour"}, {24 * time.Hour, "1 day"}, {7 * 24 * time.Hour, "1 week"},
	{30 * 24 * time.Hour, "30 days"}, {90 * 24 * time.Hour, "90 days"}, {1<<63 - 1, "longer"},
}

// deactivation draws how long leaks were live after a sweep had found them.
func (v *view) deactivation(took []time.Duration) {
	if len(took) == 0 {
		return
	}
	var counts [len(ages)]int
	for _, d := range took {
		i := 0
		for i < len(ages)-1 && d > ages[i].below {
			i++
		}
		counts[i]++
	}
	slices.Sort(took)
	var parts []string
	for i, a := range ages {
		parts = append(parts, fmt.Sprintf("%s: %d", a.label, counts[i]))
	}
	says := fmt.Sprintf("From the sweep that found a leak to the one that found it dead, for %s: half took %s or less. Up to %s.",
		printable.Plural(len(took), "leak"), roughly(took[(len(took)-1)/2]), strings.Join(parts, ", "))
	v.put(`<figure><h3>Time to deactivation</h3><svg class="chart" viewBox="0 0 %d %d" role="img" aria-label="%s">`, chartWidth, chartTop+24, says)
	most, slot := slices.Max(counts[:]), chartWidth/len(ages)
	for i, n := range counts {
		height := n * (chartTop - 20) / most
		v.put(`<rect class="col" x="%d" y="%d" width="%d" height="%d"/>`, i*slot+8, chartTop-height, slot-16, height)
		v.put(`<text x="%d" y="%d" text-anchor="middle">%s</text><text x="%d" y="%d" text-anchor="middle">%s</text>`,
			i*slot+slot/2, chartTop-height-5, printable.Thousands(int64(n)), i*slot+slot/2, chartTop+18, ages[i].label)
	}
	v.put(`<line class="axis" x1="0" x2="%d" y1="%d" y2="%d"/></svg><figcaption>%s</figcaption></figure>`+"\n", chartWidth, chartTop, chartTop, says)
}

// roughly writes a duration as people say it.
func roughly(d time.Duration) string {
	switch h := int(d.Round(time.Hour) / time.Hour); {
	case d < time.Hour:
		return printable.Plural(int(d.Round(time.Minute)/time.Minute), "minute")
	case h < 48:
		return printable.Plural(h, "hour")
	default:
		return printable.Plural(h/24, "day")
	}
}

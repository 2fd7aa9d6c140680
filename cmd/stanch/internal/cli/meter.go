package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// A Meter says on a Line how far a scan is: how much has been read, and how many keys AWS has
// been asked about. Its methods may be called concurrently.
type Meter struct {
	Line *Line
	Last string // what the scan does after all keys have been verified; "" for nothing that takes long

	objects, bytes  atomic.Int64
	total, contents atomic.Int64 // 0 if nobody knows; contents of files are the first of total
	asked, toAsk    atomic.Int64
	phase           atomic.Pointer[phase]
	part            atomic.Pointer[string]
}

// A phase is a stage of a scan: its words, and when it began.
type phase struct {
	text  func(since time.Duration) string
	began time.Time
}

// During calls do, a scan, and shows meanwhile how far it is.
func (m *Meter) During(do func() error) error { return m.Line.During(m.text, do) }

// begin begins a phase. Without a Line nobody looks.
func (m *Meter) begin(text func(time.Duration) string) {
	m.phase.Store(&phase{text: text, began: time.Now()})
}

func (m *Meter) text() string {
	var words []string
	if part := m.part.Load(); part != nil {
		words = append(words, *part)
	}
	if p := m.phase.Load(); p != nil {
		if text := p.text(time.Since(p.began)); text != "" {
			words = append(words, text)
		}
	}
	return strings.Join(words, " · ")
}

// Part says which part of a scan of many is read: "repository 12 of 230". Its objects count anew.
// Its text may hold strangers' names.
func (m *Meter) Part(text string) {
	m.part.Store(&text)
	m.phase.Store(nil)
	m.objects.Store(0)
	m.bytes.Store(0)
	m.total.Store(0)
}

// Verified is scanner.Scanner.Verified.
func (m *Meter) Verified(done, of, ignored int) {
	m.asked.Store(int64(done))
	m.toAsk.Store(int64(of))
	switch done {
	case of: // the report comes, maybe on the same terminal, and maybe in a pager
		m.begin(func(time.Duration) string { return m.Last })
		m.part.Store(nil)
	case 0:
		m.begin(func(since time.Duration) string { return asking(m.asked.Load(), m.toAsk.Load(), int64(ignored), since) })
	}
}

// asking says how far the questions to AWS are, and about how many keys that would only be
// reported if they were live: they may be nearly all.
func asking(done, of, ignored int64, since time.Duration) string {
	return Asked(done, of, ignored, since) + " (Ctrl-C keeps the report)"
}

// reading says how much was read.
func (m *Meter) reading(since time.Duration) string {
	done, total := m.objects.Load(), m.total.Load()
	if total == 0 || done > total {
		return printable.Plural(done, "object") + ", " + printable.Thousands(m.bytes.Load()/1e6) + " MB read"
	}
	text := fmt.Sprintf("%d %% · %s of %s", done*100/total, printable.Thousands(done), printable.Plural(total, "object"))
	return text + left(m.effort(done), m.effort(total), since)
}

// perContent is how many other objects take as long as the content of a file: about 4 in the
// history of terraform.
const perContent = 4

// effort returns how many contents of files take as long as the first objects do. Contents come
// first: if all objects were the same, the first half would promise too much time for the rest.
func (m *Meter) effort(objects int64) int64 {
	contents := min(m.contents.Load(), objects)
	return contents + (objects-contents)/perContent
}

// left says how long the rest will take, if the part that is done tells: it must have taken
// some seconds, and be more than a few.
func left(done, of int64, since time.Duration) string {
	if since < 2*time.Second || done < 10 || done >= of {
		return ""
	}
	return " · " + rough(time.Duration(float64(since)*float64(of-done)/float64(done))) + " left"
}

// rough says how long d is, in the words of people.
func rough(d time.Duration) string {
	switch {
	case d < 90*time.Second:
		return strconv.Itoa(max(int(d.Seconds()+0.5), 1)) + " s"
	case d < 90*time.Minute:
		return strconv.Itoa(int(d.Minutes()+0.5)) + " min"
	}
	return strconv.Itoa(int(d.Hours()+0.5)) + " h"
}

// Source returns src with the Meter at work while it is read. A SelectiveSource stays one: a
// plain Source has to assemble objects that a SelectiveSource can leave out.
func (m *Meter) Source(src scanner.Source) scanner.Source {
	if m.Line == nil {
		return src
	}
	if s, ok := src.(scanner.SelectiveSource); ok {
		return selectiveMeter{meteredSource{src, m}, s}
	}
	return meteredSource{src, m}
}

type meteredSource struct {
	scanner.Source
	m *Meter
}

// Blobs implements scanner.Source.
func (s meteredSource) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	defer s.m.beginRead()()
	return s.Source.Blobs(ctx, s.m.counted(yield))
}

type selectiveMeter struct {
	meteredSource
	selective scanner.SelectiveSource
}

// BlobsMatching implements scanner.SelectiveSource.
func (s selectiveMeter) BlobsMatching(ctx context.Context, p scanner.Prefilter, yield func(scanner.Blob) error) error {
	defer s.m.beginRead()()
	passed, total := p.Passed, p.Total
	p.Passed = func(objects, bytes int64) {
		s.m.add(objects, bytes)
		if passed != nil {
			passed(objects, bytes)
		}
	}
	p.Total = func(objects, contents int64) {
		s.m.total.Add(objects)
		s.m.contents.Add(contents)
		if total != nil {
			total(objects, contents)
		}
	}
	return s.selective.BlobsMatching(ctx, p, s.m.counted(yield))
}

// beginRead begins the phase of reading, and returns the function that ends it.
func (m *Meter) beginRead() (end func()) {
	m.begin(m.reading)
	return func() {
		m.begin(func(time.Duration) string {
			return printable.Plural(m.objects.Load(), "object") + " read · looking where the findings are"
		})
	}
}

func (m *Meter) add(objects, bytes int64) {
	m.objects.Add(objects)
	m.bytes.Add(bytes)
}

// counted returns yield with its objects counted; a text that comes in windows is one.
func (m *Meter) counted(yield func(scanner.Blob) error) func(scanner.Blob) error {
	return func(b scanner.Blob) error {
		objects := int64(1)
		if b.Window != nil && b.Window.Offset > 0 {
			objects = 0
		}
		m.add(objects, int64(len(b.Data)))
		return yield(b)
	}
}

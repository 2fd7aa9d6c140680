package cli

import (
	"io"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/sync/errgroup"

	"github.com/stanch-dev/stanch/scanner/printable"
)

// When a Line appears, and how often it is drawn anew: a command that is over sooner shows
// none, and no eye reads faster.
const (
	lineDelay = 500 * time.Millisecond
	lineEvery = 200 * time.Millisecond
)

// A Line is the one line of a terminal that says how far the work is. It is overwritten in
// place, and erased before anything else is written there by the writers that Screen returns.
//
// A nil Line shows nothing: that is the Line of a command whose stderr is no terminal.
type Line struct {
	w     io.Writer  // the terminal
	width func() int // of the terminal, in columns; 0 if it is not known

	mu    sync.Mutex
	shown bool
	inRow bool // another writer has left the cursor in the middle of a row
}

// erase moves the cursor to the first column and clears the row.
const erase = "\r\x1b[K"

// NewLine returns a Line on w, nil if nothing may move there.
func NewLine(w io.Writer) *Line {
	if !MayMove(w) {
		return nil
	}
	return &Line{w: w, width: func() int { return Width(w) }}
}

// Show replaces the line by text, cut to the width of the terminal. "" erases it. It does
// nothing while the last row is not complete: there, somebody may be asked for something.
func (l *Line) Show(text string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case text == "":
		l.clear()
		return
	case l.inRow:
		return
	}
	width := l.width()
	if width <= 0 {
		width = 80
	}
	// The last column stays free: some terminals wrap when it is written.
	l.shown = true
	_, _ = io.WriteString(l.w, erase+fit(onOneLine(text), width-1))
}

// Clear erases the line.
func (l *Line) Clear() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear()
}

func (l *Line) clear() {
	if l.shown {
		_, _ = io.WriteString(l.w, erase)
	}
	l.shown = false
}

// Pause erases the line, and lets none be shown until resume is called: a person is asked for
// something on the same terminal.
func (l *Line) Pause() (resume func()) {
	if l == nil {
		return func() {}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear()
	l.inRow = true
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.inRow = false
	}
}

// During calls do, and shows text() meanwhile.
func (l *Line) During(text func() string, do func() error) error {
	if l == nil {
		return do()
	}
	var group errgroup.Group
	done := make(chan struct{})
	group.Go(func() error {
		defer l.Clear()
		for wait := lineDelay; ; wait = lineEvery {
			select {
			case <-done:
				return nil
			case <-time.After(wait):
			}
			l.Show(text())
		}
	})
	defer func() {
		close(done)
		_ = group.Wait() // it returns no error
	}()
	return do()
}

// Screen returns a Writer for w that erases l first, if w is a terminal. It may be the same
// terminal, and mostly is.
func (l *Line) Screen(w io.Writer) io.Writer {
	if l == nil || !isTerminal(w) {
		return w
	}
	return screen{l, w}
}

type screen struct {
	line *Line
	w    io.Writer
}

// Write implements io.Writer.
func (s screen) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	s.line.mu.Lock()
	defer s.line.mu.Unlock()
	s.line.clear()
	s.line.inRow = p[len(p)-1] != '\n'
	return s.w.Write(p)
}

// Fd is the descriptor of the terminal.
func (s screen) Fd() uintptr {
	fd, _ := descriptorOf(s.w)
	return fd
}

// onOneLine returns text, which may quote strangers, without anything that moves a cursor.
func onOneLine(text string) string {
	return strings.ReplaceAll(printable.Text(text), "\n", " ")
}

// fit cuts text to so many columns. A remark in brackets at its end goes first, since it says
// least: "asking AWS: 44 of 500 keys · 12 s left (Ctrl-C keeps the report)". The number of objects
// goes next, since the time that is left says more: "8 % · 43,391 of 542,098 objects · 13 s left".
func fit(text string, columns int) string {
	if words, _, ok := strings.Cut(text, " ("); ok && strings.HasSuffix(text, ")") && cut(text, columns) != text {
		text = words
	}
	if cut(text, columns) == text {
		return text
	}
	parts := strings.Split(text, " · ")
	if n := len(parts) - 2; n > 0 && strings.HasSuffix(parts[n], " objects") && strings.HasSuffix(parts[n+1], " left") {
		text = strings.Join(slices.Delete(parts, n, n+1), " · ")
	}
	return cut(text, columns)
}

// cut returns the beginning of text that takes so many columns at most. If that is not the
// whole of it, the last column is "…".
func cut(text string, columns int) string {
	used, end := 0, 0 // end: where the cut would be
	for i, r := range text {
		w := runeWidth(r)
		if used+w > columns {
			if columns < 1 {
				return ""
			}
			return text[:end] + "…"
		}
		used += w
		if used < columns {
			end = i + len(string(r))
		}
	}
	return text
}

// runeWidth returns how many columns a terminal gives to r, which prints. For a rune of which
// terminals disagree it returns the greater number, so that no row is too long.
func runeWidth(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case r < 0x1100:
		return 1
	case r <= 0x115f, // Hangul
		r >= 0x231a && r <= 0x2bff && (r < 0x2500 || r > 0x259f), // symbols, some of which are emoji; box drawing is not
		r >= 0x2e80 && r <= 0xa4cf,                               // CJK
		r >= 0xa960 && r <= 0xa97f, r >= 0xac00 && r <= 0xd7ff,
		r >= 0xf900 && r <= 0xfaff, r >= 0xfe30 && r <= 0xfe6f,
		r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6,
		r >= 0x16fe0: // scripts and pictures beyond the basic plane
		return 2
	}
	return 1
}

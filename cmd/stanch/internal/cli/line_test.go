package cli

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// lineOn returns a Line on w as if it were a terminal of so many columns.
func lineOn(w io.Writer, columns int) *Line {
	return &Line{w: w, width: func() int { return columns }}
}

func TestCut(t *testing.T) {
	for _, tt := range []struct {
		text    string
		columns int
		want    string
	}{
		{"", 5, ""},
		{"abcde", 5, "abcde"},
		{"abcdef", 5, "abcd…"},
		{"abcdef", 1, "…"},
		{"abcdef", 0, ""},
		{"漢字", 4, "漢字"},
		{"漢字x", 4, "漢…"},
		{"a漢字", 3, "a…"}, // half a character is none
		{"한글 🦊🦊", 8, "한글 🦊…"},
		{"e\u0301e\u0301e\u0301", 2, "e\u0301…"},
		{"e\u0301e\u0301", 2, "e\u0301e\u0301"},
	} {
		if got := cut(tt.text, tt.columns); got != tt.want {
			t.Errorf("cut(%q, %d) = %q, want %q", tt.text, tt.columns, got, tt.want)
		}
	}
}

// TestFit: a narrow terminal loses the remark, then the number of objects, and then the end.
func TestFit(t *testing.T) {
	const reading = "acme/web · 8 % · 43,391 of 542,098 objects · 13 s left"
	for _, tt := range []struct {
		text    string
		columns int
		want    string
	}{
		{reading, 60, reading},
		{reading, 39, "acme/web · 8 % · 13 s left"},
		{reading, 20, "acme/web · 8 % · 13…"},
		{"8 % · 43,391 of 542,098 objects", 20, "8 % · 43,391 of 542…"},
		{"asking AWS: 44 of 500 keys · 12 s left (Ctrl-C)", 39, "asking AWS: 44 of 500 keys · 12 s left"},
		{"asking AWS: 44 of 500 keys · 12 s left (Ctrl-C)", 30, "asking AWS: 44 of 500 keys · …"},
	} {
		if got := fit(tt.text, tt.columns); got != tt.want {
			t.Errorf("fit(%q, %d) = %q, want %q", tt.text, tt.columns, got, tt.want)
		}
	}
}

// TestLine: the line is overwritten, cut, and erased before another writer writes; it waits
// while the last row is not complete, and no name moves the cursor.
func TestLine(t *testing.T) {
	var tty bytes.Buffer
	l := lineOn(&tty, 12)
	notes := screen{l, &tty}
	for _, step := range []struct {
		do   func()
		want string
	}{
		{l.Clear, ""},
		{func() { l.Show("one") }, erase + "one"},
		{func() { l.Show("much longer than that") }, erase + "much longe…"},
		{func() { _, _ = io.WriteString(notes, "a note\n") }, erase + "a note\n"},
		{func() { _, _ = io.WriteString(notes, "more\n") }, "more\n"},
		{func() { l.Show("44 of 500 (a remark)") }, erase + "44 of 500"},
		{func() { l.Show("1 of 2 (ok)") }, erase + "1 of 2 (ok)"},
		{func() { l.Show("a\x1b[2J\nb\rc") }, erase + `a\x1b[2J b…`},
		{func() { _, _ = notes.Write(nil) }, ""},
		{func() { _, _ = io.WriteString(notes, "code: ") }, erase + "code: "},
		{func() { l.Show("two") }, ""},
		{l.Clear, ""},
		{func() { _, _ = io.WriteString(notes, "ok\n") }, "ok\n"},
		{func() { l.Show("three") }, erase + "three"},
		{func() { l.Show("") }, erase},
		{func() { l.Show("") }, ""},
		{func() { l.Show("four") }, erase + "four"},
		{l.Clear, erase},
		{l.Clear, ""},
	} {
		tty.Reset()
		if step.do(); tty.String() != step.want {
			t.Errorf("on the terminal: %q, want %q", &tty, step.want)
		}
	}
	l.Show("five")
	tty.Reset()
	resume := l.Pause()
	if l.Show("six"); tty.String() != erase {
		t.Errorf("while somebody is asked: %q", &tty)
	}
	tty.Reset()
	resume()
	if l.Show("six"); tty.String() != erase+"six" {
		t.Errorf("after that: %q", &tty)
	}
	unknown := lineOn(&tty, 0)
	tty.Reset()
	if unknown.Show(strings.Repeat("x", 100)); tty.String() != erase+strings.Repeat("x", 78)+"…" {
		t.Errorf("without a width: %q", &tty)
	}
}

// TestDuring: a command that is over soon shows nothing; a slow one leaves nothing behind.
func TestDuring(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := errors.New("failed")
		for _, tt := range []struct {
			takes time.Duration
			want  string
		}{{400 * time.Millisecond, ""}, {800 * time.Millisecond, erase + "x" + erase + "x" + erase}} {
			var tty bytes.Buffer
			err := lineOn(&tty, 80).During(func() string { return "x" }, func() error { time.Sleep(tt.takes); return failed })
			if !errors.Is(err, failed) || tty.String() != tt.want {
				t.Errorf("%v: %v, on the terminal %q, want %q", tt.takes, err, &tty, tt.want)
			}
		}
	})
}

// TestNoLine: where nothing moves, nothing is shown, and writers stay what they are.
func TestNoLine(t *testing.T) {
	var file bytes.Buffer
	l := NewLine(&file)
	if l != nil || l.Screen(&file) != io.Writer(&file) {
		t.Fatalf("a Line on a file: %v", l)
	}
	l.Show("x")
	l.Pause()()
	l.Clear()
	called := false
	if err := l.During(func() string { return "x" }, func() error { called = true; return nil }); err != nil || !called || file.Len() > 0 {
		t.Errorf("%v, called %v, written %q", err, called, &file)
	}
}

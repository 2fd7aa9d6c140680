package changes

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// added returns the new lines of text, without their ends.
func added(text string, olds []string, removed string) (lines []string, a *addedLines) {
	var before [][]byte
	for _, old := range olds {
		before = append(before, []byte(old))
	}
	known := lineSet{}
	if removed != "" {
		known.add([]byte(removed))
	}
	a = findAddedLines([]byte(text), before, known)
	if a.all {
		return []string{"all"}, a
	}
	for _, l := range a.lines {
		lines = append(lines, strings.TrimRight(text[l.from:l.to], "\r\n"))
	}
	return lines, a
}

func TestFindAddedLines(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		olds       []string
		removed    string
		want       string // joined by spaces
	}{
		{"a new file", "a\nb\n", nil, "", "all"},
		{"a new file with a line of a removed one", "a\nb\n", nil, "b\nc\n", "a"},
		{"nothing", "a\nb\n", []string{"a\nb\n"}, "", ""},
		{"a line more", "a\nx\nb\n", []string{"a\nb\n"}, "", "x"},
		{"the first line", "x\na\n", []string{"a\n"}, "", "x"},
		{"the last line, without its end", "a\nx", []string{"a\n"}, "", "x"},
		{"an end for the last line", "a\nb\n", []string{"a\nb"}, "", ""},
		{"other line ends", "a\r\nb\r\n", []string{"a\nb\n"}, "", ""},
		{"a moved line", "b\nc\na\n", []string{"a\nb\nc\n"}, "", ""},
		{"a line twice", "a\na\n", []string{"a\n"}, "", "a"},
		{"a changed line", "ab\nkey = 2\ncd\n", []string{"ab\nkey = 1\ncd\n"}, "", "key = 2"},
		{"a merge: a line of each side", "a\nours\ntheirs\n", []string{"a\nours\n", "a\ntheirs\n"}, "", ""},
		{"a merge: a line of no side", "a\nx\ntheirs\n", []string{"a\nours\n", "a\ntheirs\n"}, "", "x"},
		{"an empty file before", "a\n", []string{""}, "", "a"},
		{"an empty file", "", []string{"a\n"}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, a := added(tt.text, tt.olds, tt.removed)
			if strings.Join(got, " ") != tt.want {
				t.Errorf("new: %q, want %q", got, tt.want)
			}
			if n := len(got); !a.all && a.count != n || a.all && a.count != int(countLines([]byte(tt.text))) {
				t.Errorf("%d lines are counted", a.count)
			}
		})
	}
}

// TestOverlaps: a match is new if it has a byte of a new line, or stands at its end.
func TestOverlaps(t *testing.T) {
	const text = "old\nnew line\nold too\n"
	_, a := added(text, []string{"old\nold too\n"}, "")
	for part, want := range map[string]bool{"old\n": false, "old\nn": true, "new": true, "line\n": true, "line\nold": true, "old too": false} {
		from := strings.Index(text, part)
		if got := a.overlaps(from, from+len(part)); got != want {
			t.Errorf("%q is new: %v, want %v", part, got, want)
		}
	}
	if !a.overlaps(4, 4) || a.overlaps(0, 0) {
		t.Error("an empty match is not judged by the line that it is in")
	}
}

// TestAddedLinesOfRandomTexts compares with a count of equal lines, which no short cut for a
// common beginning or end can spoil.
func TestAddedLinesOfRandomTexts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	text := func() string {
		var lines []string
		for range random.IntN(8) {
			lines = append(lines, strings.Repeat("a", random.IntN(3)))
		}
		return strings.Join(lines, "\n") + []string{"", "\n"}[random.IntN(2)]
	}
	for range 20_000 {
		now, old := text(), text()
		left := map[string]int{}
		eachLine([]byte(old), func(l lineSpan) { left[strings.TrimSuffix(old[l.from:l.to], "\n")]++ })
		var want []string
		eachLine([]byte(now), func(l lineSpan) {
			line := strings.TrimSuffix(now[l.from:l.to], "\n")
			if left[line]--; left[line] < 0 {
				want = append(want, line)
			}
		})
		got, _ := added(now, []string{old}, "")
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("%q after %q: %q is new, want %q", now, old, got, want)
		}
	}
}

package scanner

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// The sizes that these tests use in the place of WindowSize and Overlap.
const testWindow, testOverlap = 1000, 400

// cut returns the windows of the text of r, with copies of their data.
func cut(r io.Reader) ([]Blob, error) {
	var all []Blob
	err := windows(r, Blob{ID: "id", Name: "name"}, testWindow, testOverlap, func(b Blob) error {
		b.Data = bytes.Clone(b.Data)
		all = append(all, b)
		return nil
	})
	return all, err
}

func TestWindows(t *testing.T) {
	const step = testWindow - testOverlap
	for _, tt := range []struct{ size, want int }{
		{0, 1}, {1, 1}, {testWindow - 1, 1}, {testWindow, 1}, {testWindow + 1, 2},
		{testWindow + step, 2}, {testWindow + step + 1, 3}, {10 * testWindow, 16},
	} {
		text := make([]byte, tt.size)
		for i := range text {
			text[i] = byte('a' + i%23)
		}
		for name, r := range map[string]io.Reader{
			"whole": bytes.NewReader(text), "by_bytes": iotest.OneByteReader(bytes.NewReader(text)), "with_EOF": iotest.DataErrReader(bytes.NewReader(text)),
		} {
			got, err := cut(r)
			if err != nil || len(got) != tt.want {
				t.Fatalf("%d bytes, %s: %d windows, want %d, error %v", tt.size, name, len(got), tt.want, err)
			}
			end := 0
			for i, b := range got {
				if b.ID != "id" || b.Name != "name" || string(b.Data) != string(text[b.Window.Offset:][:len(b.Data)]) {
					t.Errorf("%d bytes, %s: window %d is not the text at %d", tt.size, name, i, b.Window.Offset)
				}
				if i > 0 && end-int(b.Window.Offset) != testOverlap {
					t.Errorf("%d bytes, %s: window %d begins at %d, the last ends at %d", tt.size, name, i, b.Window.Offset, end)
				}
				if (b.Window.Lead > 0) != (i > 0) || (b.Window.Tail > 0) != (i < len(got)-1) {
					t.Errorf("%d bytes, %s: window %d leaves %d and %d bytes to its neighbours", tt.size, name, i, b.Window.Lead, b.Window.Tail)
				}
				end = int(b.Window.Offset) + len(b.Data)
			}
			if end != tt.size {
				t.Errorf("%d bytes, %s: the windows end at %d", tt.size, name, end)
			}
		}
	}
}

// TestWindowPositions: line and column of a window are those of its first byte, in
// text with long runes, without newlines, and in data that is no text at all.
func TestWindowPositions(t *testing.T) {
	for _, piece := range []string{"a", "\n", "ab\n", "é", "鍵x", "🔑", "🔑\n鍵é", "\xff", "\x80\x80\x80\x80\x80", "\xf0\x9f", "鍵\xffx\n\xe9"} {
		for shift := range 5 {
			text := strings.Repeat("x", shift) + strings.Repeat(piece, 5000/len(piece))
			got, err := cut(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range got {
				before := text[:b.Window.Offset]
				line, last := strings.Count(before, "\n"), before[strings.LastIndexByte(before, '\n')+1:]
				if w := b.Window; w.Line != line || w.Column != utf8.RuneCountInString(last) {
					t.Errorf("%q + %d: at %d: %d:%d, want %d:%d", piece, shift, w.Offset, w.Line, w.Column, line, utf8.RuneCountInString(last))
				}
				if utf8.ValidString(text) && !utf8.ValidString(text[b.Window.Offset:]) {
					t.Errorf("%q + %d: a window begins within a rune, at %d", piece, shift, b.Window.Offset)
				}
			}
		}
	}
}

// TestWindowErrors: the text before an error is searched, an error is none of
// the ends of a text, and that of yield ends it.
func TestWindowErrors(t *testing.T) {
	broken := errors.New("broken")
	for _, size := range []int{0, 10, testWindow, testWindow + 1, 3 * testWindow} {
		for _, want := range []error{broken, io.ErrUnexpectedEOF, fmt.Errorf("zlib: %w", io.ErrUnexpectedEOF)} {
			text := strings.Repeat("x", size)
			got, err := cut(io.MultiReader(strings.NewReader(text), iotest.ErrReader(want)))
			last := got[len(got)-1]
			if !errors.Is(err, want) || int(last.Window.Offset)+len(last.Data) != size {
				t.Errorf("%d bytes, %v: error %v, windows until %d", size, want, err, int(last.Window.Offset)+len(last.Data))
			}
		}
		calls := 0
		err := windows(strings.NewReader(strings.Repeat("x", size)), Blob{}, testWindow, testOverlap, func(Blob) error { calls++; return broken })
		if !errors.Is(err, broken) || calls != 1 {
			t.Errorf("%d bytes: error %v after %d calls", size, err, calls)
		}
	}
}

// TestPairAtBorders moves a pair, an id alone and a long run that holds 40
// characters over the borders of windows: each is found once, with the line and the
// column that it has in the text as a whole.
func TestPairAtBorders(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	long := detectorstest.Fill("{secret2}{secret3}") // no secret: but a part of it looks like one
	for _, text := range []string{"é {AKIA1}\nsecret={secret1}\n", "x {AKIA1} x", "id={AKIA1} key=" + long + " "} {
		text = detectorstest.Fill(text)
		for _, filler := range []string{"鍵 ", "some words\n"} {
			for at := testWindow - testOverlap - len(text) - 10; at < testWindow+10; at += 3 {
				whole := strings.Repeat(filler, at/len(filler)) + text + strings.Repeat(filler, 2*testWindow/len(filler))
				want := &hits{}
				want.add(Blob{ID: "id"}, "", []byte(whole), set.Detect(nil, []byte(whole)))
				got := &hits{}
				all, err := cut(strings.NewReader(whole))
				if err != nil {
					t.Fatal(err)
				}
				for _, b := range all {
					got.add(b, "", b.Data, set.Detect(nil, b.Data))
				}
				if diff := cmp.Diff(render(want), render(got)); diff != "" {
					t.Fatalf("at %d (-as a whole +in windows):\n%s", at, diff)
				}
			}
		}
	}
}

// render returns the matches, a line each.
func render(h *hits) []string {
	var lines []string
	findings := h.findings()
	locate(findings, h)
	for _, f := range findings {
		c := f.Match.Credential
		line := fmt.Sprintf("%s %s rank %d", c.ID, c.Secret.Reveal(), f.Match.Rank)
		for _, l := range f.Locations {
			line += fmt.Sprintf(" %d:%d-%d secret %d", l.Line, l.Column, l.EndColumn, l.SecretLine)
		}
		lines = append(lines, line)
	}
	return lines
}

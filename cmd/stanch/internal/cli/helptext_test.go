package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTextWriter(t *testing.T) {
	const text = `A paragraph of words that flows
to the next line, with a-word-that-is-longer-than-the-width in it.

Heading
  stanch git PATH  the first row
  x                the second row, which is
                   longer

  go install example.com/cmd/stanch@latest`
	for _, tt := range []struct {
		name  string
		width int
		write func(*textWriter)
		want  string
	}{
		{"text beside", 60, func(w *textWriter) { w.text(text) }, `A paragraph of words that flows to the next line, with
a-word-that-is-longer-than-the-width in it.

Heading
  stanch git PATH  the first row
  x                the second row, which is longer

  go install example.com/cmd/stanch@latest
`},
		{"text below", 30, func(w *textWriter) { w.text(text) }, `A paragraph of words that
flows to the next line, with
a-word-that-is-longer-than-the-width
in it.

Heading
  stanch git PATH
      the first row
  x
      the second row, which is
      longer

  go install \
      example.com/cmd/stanch@latest
`},
		{"a long term", 60, func(w *textWriter) {
			w.rows([]row{{"--a", "short"}, {"--a-name-that-leaves-no-room-at-all", "its text"}})
		}, `  --a  short
  --a-name-that-leaves-no-room-at-all
       its text
`},
		{"examples beside", 40, func(w *textWriter) { w.examples("  stanch git  # here\n  stanch dir .  # on disk") }, `  stanch git    # here
  stanch dir .  # on disk
`},
		{"examples above", 24, func(w *textWriter) { w.examples("  stanch git\n  stanch git PATH --verbose  # a repository") }, `  stanch git
  # a repository
  stanch git PATH \
      --verbose
`},
		{"headings of a text", 60, func(w *textWriter) { w.bold = true; w.text("Words.\n\nScan\n  git  history\n\nMore.") },
			"Words.\n\n\x1b[1mScan\x1b[0m\n  git  history\n\nMore.\n"},
		{"headings of a terminal", 40, func(w *textWriter) { w.bold = true; w.heading("Report") }, "\n\x1b[1mReport\x1b[0m\n"},
	} {
		w := &textWriter{width: tt.width}
		tt.write(w)
		if diff := cmp.Diff(tt.want, w.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestHelpWidth(t *testing.T) {
	for columns, want := range map[string]int{"": 80, "40": 40, "5": 20, "250": 100, "0": 80, "-3": 80, "wide": 80} {
		if got := helpWidth(&bytes.Buffer{}, func(string) string { return columns }); got != want {
			t.Errorf("COLUMNS=%s: %d columns, want %d", columns, got, want)
		}
	}
}

// TestOtherFlags: a flag that no group names is in the help all the same.
func TestOtherFlags(t *testing.T) {
	root := NewRoot(&Streams{}, "manual")
	for _, name := range []string{"output", "format", "verify", "accounts", "role", "unheard-of"} {
		root.Flags().String(name, "", "usage of `IT`")
	}
	var got []string
	for _, g := range FlagGroups(root) {
		for _, f := range g.Flags {
			got = append(got, g.Heading+": "+f.Name)
		}
	}
	want := "Report: format, Report: output, Ask AWS: verify, Ask AWS: accounts, Your identity: role, Flags: unheard-of, Flags: version"
	if strings.Join(got, ", ") != want {
		t.Errorf("%s\nwant %s", strings.Join(got, ", "), want)
	}
}

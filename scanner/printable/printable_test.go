package printable_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/printable"
)

func TestStrippedWriter(t *testing.T) {
	const said = "remote: \x1b[2J\x1b]0;t\a50% (1/2)\rfertig: größe 日本 \u202e\u009b\x80\xff\b\tok\n\u20ac"
	const want = "remote: [2J]0;t50% (1/2)\rfertig: größe 日本  ok\n€"
	for step := 1; step <= len(said); step++ {
		var b strings.Builder
		c := printable.StrippedWriter(&b)
		for part := range slices.Chunk([]byte(said), step) {
			if n, err := c.Write(part); n != len(part) || err != nil {
				t.Fatal(n, err)
			}
		}
		if b.String() != want {
			t.Fatalf("%d bytes at once: %q, want %q", step, b.String(), want)
		}
	}
}

func TestQuoted(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""}, {"a b/ü.go", "a b/ü.go"}, {"a\tb", `"a\tb"`}, {"\x1b[0m", `"\x1b[0m"`},
		{"\xff", `"\xff"`}, {"\u202e", `"\u202e"`}, {"\u009b", `"\u009b"`}, {"\u00a0", `"\u00a0"`},
	} {
		if got := printable.Quoted(tt.in); got != tt.want || printable.Quoted(got) != got {
			t.Errorf("printable.Quoted(%q) = %s, then %s; want %s", tt.in, got, printable.Quoted(got), tt.want)
		}
	}
}

func TestText(t *testing.T) {
	const in, want = "two\nlines \x1b[2J\u202e日本", `two
lines \x1b[2J\u202e日本`
	if got := printable.Text(in); got != want {
		t.Errorf("Text(%q) = %q, want %q", in, got, want)
	}
}

package report

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/report/html"
	"github.com/stanch-dev/stanch/scanner/report/internal/reporttest"
)

var update = flag.Bool("update", false, "write the golden files")

// write reports a set of findings in a format.
func write(t testing.TB, format, set string, o Options, show bool) []byte {
	t.Helper()
	var b bytes.Buffer
	o.Rules = reporttest.Rules
	reporttest.Write(t, handler(t, format, &b, o), set, show)
	return b.Bytes()
}

// withoutAssets leaves the style and the script out of a page: they are files already.
func withoutAssets(t *testing.T, page []byte) []byte {
	t.Helper()
	pairs := []string{html.ContentSecurityPolicy(), "…"}
	for _, name := range []string{"html/page.css", "html/page.js"} {
		asset, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, string(asset), "…")
	}
	return []byte(strings.NewReplacer(pairs...).Replace(string(page)))
}

func TestGolden(t *testing.T) {
	for _, tt := range []struct {
		file, format string
		o            Options
	}{
		{"several.txt", "text", Options{}},
		{"several.verbose.txt", "text", Options{Verbose: true}},
		{"several.color.txt", "text", Options{Color: true}},
		{"several.json", "json", Options{}},
		{"several.sarif", "sarif", Options{}},
		{"fleet.txt", "text", Options{}},
		{"fleet.json", "json", Options{}},
		{"fleet.html", "html", Options{}},
		{"none.html", "html", Options{}},
		{"odd.html", "html", Options{}},
		{"held.txt", "text", Options{}},
		{"held.json", "json", Options{}},
		{"held.sarif", "sarif", Options{}},
		{"aged.txt", "text", Options{Now: func() time.Time { return reporttest.Day.Add(30 * time.Second) }, RefreshWith: "--no-cache"}},
		{"aged.later.txt", "text", Options{Now: func() time.Time { return reporttest.Day.AddDate(0, 0, 3) }, RefreshWith: "stanch verify"}},
		{"aged.json", "json", Options{}},
		{"aged.sarif", "sarif", Options{}},
		{"aged.html", "html", Options{}},
		{"aged.md", "markdown", Options{}},
		{"aged.annotations", "github", Options{RefreshWith: "--no-cache"}},
		{"aged.junit.xml", "junit", Options{Now: func() time.Time { return reporttest.Day.AddDate(0, 0, 3) }, RefreshWith: "stanch verify"}},
		{"every.txt", "text", Options{Verbose: true}},
		{"every.json", "json", Options{}},
		{"every.shown.json", "json", Options{}},
		{"every.sarif", "sarif", Options{}},
		{"every.html", "html", Options{}},
		{"none.txt", "text", Options{}},
		{"none.json", "json", Options{}},
		{"none.sarif", "sarif", Options{}},
		{"odd.txt", "text", Options{}},
		{"odd.json", "json", Options{}},
		{"odd.sarif", "sarif", Options{}},
		{"unread.txt", "text", Options{}},
		{"unread.sarif", "sarif", Options{}},
		{"several.annotations", "github", Options{}},
		{"several.md", "markdown", Options{}},
		{"several.junit.xml", "junit", Options{}},
		{"odd.annotations", "github", Options{}},
		{"odd.md", "markdown", Options{}},
		{"odd.junit.xml", "junit", Options{}},
		{"none.annotations", "github", Options{}},
		{"none.md", "markdown", Options{}},
		{"none.junit.xml", "junit", Options{}},
		{"unread.annotations", "github", Options{}},
		{"unread.md", "markdown", Options{}},
		{"unread.junit.xml", "junit", Options{}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			set, _, _ := strings.Cut(tt.file, ".")
			got := withoutAssets(t, write(t, tt.format, set, tt.o, strings.Contains(tt.file, ".shown.")))
			for _, n := range []byte{12, 13, 20} { // no golden file holds a secret
				got = bytes.ReplaceAll(got, []byte(reporttest.SecretKey(n)), fmt.Appendf(nil, "{secret%d}", n))
			}
			file := filepath.Join("testdata", tt.file)
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), string(got)); d != "" {
				t.Errorf("run with -update if it is right (-want +got):\n%s", d)
			}
		})
	}
}

// handler returns the Handler of a format.
func handler(t testing.TB, format string, w io.Writer, o Options) finding.Handler {
	t.Helper()
	h, err := New(format, w, o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

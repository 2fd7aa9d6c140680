package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/report/internal/reporttest"
)

func TestReplayIsIdentity(t *testing.T) {
	for _, set := range []string{"several", "fleet", "held", "none", "odd", "unread", "every"} {
		for _, show := range []bool{false, true} {
			saved := write(t, "json", set, Options{}, show)
			var again bytes.Buffer
			if err := finding.Replay(bytes.NewReader(saved), finding.JSON(&again), show); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(saved), again.String()); d != "" {
				t.Errorf("%s (-saved +replayed):\n%s", set, d)
			}
		}
	}
}

// Secrets in a saved report stay there unless they are asked for.
func TestReplayDropsSecrets(t *testing.T) {
	hidden, shown := write(t, "json", "several", Options{}, false), write(t, "json", "several", Options{}, true)
	if bytes.Equal(hidden, shown) {
		t.Fatal("the set shows no secret")
	}
	var out bytes.Buffer
	if err := finding.Replay(bytes.NewReader(shown), finding.JSON(&out), false); err != nil || strings.Contains(out.String(), `"secret":`) || strings.Contains(out.String(), `"token":`) {
		t.Errorf("error %v, wrote %s", err, out.String())
	}
}

// A saved report gives each format as the scan did. Not for the set
// "odd": JSON cannot hold its bytes.
func TestReplayIntoFormats(t *testing.T) {
	for _, set := range []string{"several", "fleet", "held", "every"} {
		for _, format := range Formats {
			o := Options{Verbose: true, Rules: reporttest.Rules}
			var got bytes.Buffer
			h, _ := New(format, &got, o)
			if err := finding.Replay(bytes.NewReader(write(t, "json", set, o, false)), h, false); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(write(t, format, set, o, false)), got.String()); d != "" {
				t.Errorf("%s, %s (-direct +replayed):\n%s", set, format, d)
			}
		}
	}
}

const (
	scanLine    = `{"type":"scan","schema":"stanch/v1","version":"0.1.0","source":"git","target":"."}` + "\n"
	findingLine = `{"type":"finding","fingerprint":"f","rule":"r","title":"t","confidence":"high","state":"live","may_be_live":true,"facts":[],"ignored":"","locations":[]}` + "\n"
	summaryLine = `{"type":"summary","findings":1,"ignored":0,"live":1,"unknown":0,"may_be_live":1,"objects":0,"bytes":0,"unread":[],"elapsed_ms":0}` + "\n"
)

func TestReplayErrors(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"whole", scanLine + findingLine + summaryLine, ""},
		{"empty_lines", "\n" + scanLine + "\r\n\n" + summaryLine + "\n", ""},
		{"unknown_type", scanLine + `{"type":"metric","x":1}` + "\n" + summaryLine, ""},
		{"repository", scanLine + `{"type":"repository","name":"o/n","state":"swept"}` + "\n" + summaryLine, ""},
		{"repository_outside", `{"type":"repository","name":"o/n","state":"swept"}` + "\n", `line 1: a record of type "repository" outside`},
		{"unknown_field", scanLine + strings.Replace(findingLine, "{", `{"new":[1],`, 1) + summaryLine, ""},
		{"empty", "", "no report: the stream holds no scan, which \"stanch git -f json\" writes"},
		{"not_json", "hello\n", "line 1: not a record of a report, which \"stanch git -f json\" writes: invalid character 'h'"},
		{"malformed", scanLine + "{\n" + summaryLine, "line 2: not a record of a report: unexpected end"},
		{"not_an_object", scanLine + "[]\n" + summaryLine, "line 2: not a record"},
		{"wrong_type", scanLine + `{"type":"finding","facts":3}` + "\n", "line 2: json: cannot unmarshal number"},
		{"other_schema", strings.Replace(strings.Replace(scanLine, "v1", "v2", 1), "0.1.0", "7.0.0", 1),
			`line 1: schema "stanch/v2", written by stanch "7.0.0", is not "stanch/v1"`},
		{"no_schema", `{"type":"scan"}`, `line 1: schema ""`},
		{"no_scan", findingLine, `line 1: a record of type "finding" outside of a scan`},
		{"after_summary", scanLine + summaryLine + findingLine, "line 3: a record"},
		{"two_scans", scanLine + summaryLine + scanLine, "line 3: a second report"},
		{"bad_time", strings.Replace(scanLine, `"source"`, `"started":"today","source"`, 1), "line 1: parsing time"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := finding.Replay(strings.NewReader(tt.in), finding.JSON(&bytes.Buffer{}), false)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

func TestReplayTruncated(t *testing.T) {
	whole := scanLine + findingLine + findingLine
	for _, in := range []string{whole, whole + findingLine[:50], strings.TrimSuffix(whole, "\n")} {
		var out, text bytes.Buffer
		if err := finding.Replay(strings.NewReader(in), finding.JSON(&out), false); !errors.Is(err, finding.ErrTruncated) {
			t.Errorf("%v, want ErrTruncated", err)
		}
		if !strings.HasPrefix(out.String(), whole) || !strings.Contains(out.String(), `"type":"summary","findings":2,"ignored":0,"live":2`) {
			t.Errorf("replayed:\n%s", &out)
		}
		_ = finding.Replay(strings.NewReader(in), handler(t, "text", &text, Options{}), false)
		if !strings.Contains(text.String(), "LIVE  t") || !strings.Contains(text.String(), "NOT READ") {
			t.Errorf("text:\n%s", &text)
		}
	}
}

// TestReplayOlder: a report of a version without may_be_live says the same with it.
func TestReplayOlder(t *testing.T) {
	ignored := strings.Replace(findingLine, `"may_be_live":true`, `"may_be_live":false`, 1)
	ignored = strings.Replace(ignored, `"ignored":""`, `"ignored":"a test"`, 1)
	dead := strings.Replace(strings.Replace(findingLine, `"may_be_live":true`, `"may_be_live":false`, 1), `"state":"live"`, `"state":"invalid"`, 1)
	unasked := strings.Replace(findingLine, `"state":"live"`, `"state":"skipped","skipped":"id-only"`, 1)
	later := strings.Replace(findingLine, `"state":"live"`, `"state":"asleep"`, 1)
	want := scanLine + findingLine + ignored + dead + unasked + later + strings.Replace(summaryLine, `"may_be_live":1`, `"may_be_live":3`, 1)
	older := regexp.MustCompile(`"may_be_live":\w+,`).ReplaceAllString(want, "")
	var out bytes.Buffer
	if err := finding.Replay(strings.NewReader(older), finding.JSON(&out), false); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Errorf("an older report (-want +got):\n%s", d)
	}
}

func TestReplayLongLine(t *testing.T) {
	long := strings.Replace(findingLine, `"title":"t"`, `"title":"`+strings.Repeat("t", 3<<20)+`"`, 1)
	var out bytes.Buffer
	if err := finding.Replay(strings.NewReader(scanLine+long+summaryLine), finding.JSON(&out), false); err != nil {
		t.Fatal(err)
	}
	if out.String() != scanLine+long+summaryLine {
		t.Error("a long line changed")
	}
}

var errFull = errors.New("disk full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrors(t *testing.T) {
	for _, format := range []string{"text", "json", "sarif"} {
		h, _ := New(format, full{}, Options{})
		if err := finding.Replay(strings.NewReader(scanLine+summaryLine), h, false); !errors.Is(err, errFull) {
			t.Errorf("%s: %v, want %v", format, err, errFull)
		}
	}
}

// What Replay writes, it reads and writes again unchanged, whatever it read
// first; and no format makes anything dangerous of it.
func FuzzReplay(f *testing.F) {
	// Small seeds: go test minimizes each input that it likes, and a long one
	// takes it a minute. TestReplayIsIdentity has the long ones.
	for _, set := range []string{"several", "odd"} {
		lines := strings.SplitAfter(string(write(f, "json", set, Options{}, true)), "\n")
		for _, finding := range lines[1 : len(lines)-2] {
			f.Add([]byte(scanLine + finding + summaryLine))
		}
	}
	f.Add(write(f, "json", "unread", Options{}, false))
	f.Add([]byte(scanLine + findingLine))
	f.Fuzz(func(t *testing.T, in []byte) {
		var once, twice, text, sarif bytes.Buffer
		err := finding.Replay(bytes.NewReader(in), finding.JSON(&once), true)
		if err != nil && !errors.Is(err, finding.ErrTruncated) {
			return
		}
		if err := finding.Replay(bytes.NewReader(once.Bytes()), finding.JSON(&twice), true); err != nil {
			t.Fatalf("replaying our own stream: %v\n%s", err, &once)
		}
		if d := cmp.Diff(once.String(), twice.String()); d != "" {
			t.Fatalf("not a fixed point (-once +twice):\n%s", d)
		}
		_ = finding.Replay(bytes.NewReader(in), handler(t, "text", &text, Options{Verbose: true}), true)
		reporttest.Harmless(t, text.String())
		if err := finding.Replay(&once, handler(t, "sarif", &sarif, Options{}), true); err != nil || !json.Valid(sarif.Bytes()) {
			t.Fatalf("SARIF: %v\n%s", err, &sarif)
		}
		if !utf8.Valid(twice.Bytes()) {
			t.Fatal("the stream is not UTF-8")
		}
	})
}

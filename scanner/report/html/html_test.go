package html

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/report/internal/reporttest"
	"github.com/stanch-dev/stanch/verifier"
)

// hostile strings try to end the element or attribute that they stand in.
var hostile = []string{
	`</script><script>window.pwned=1</script><b-ad>`,
	`</noscript></details></li></ol><img src=x onerror=window.pwned=1>`,
	`"><img src=x onerror="window.pwned=1"><b-ad a="`,
	`' autofocus onfocus='window.pwned=1`,
	`javascript:window.pwned=1//`,
	`https://evil.example/"onmouseover="window.pwned=1`,
	`data:text/html,<script>window.pwned=1</script>`,
	`<!--<script>`, `]]></style><b-ad>`, `&lt;b-ad&gt;&#60;b-ad&#62;`, `%s%!d(MISSING)`,
	"rtl\u202egpj.exe", "zero\u200bwidth\u2066isolate", "bad\xff\xfeutf8", "line\u2028\n\x1b[31m\x00end", `</title><b-ad>`,
	`https://github.com/o/n?<b-ad>#"`, `../../..`, `a b/ü#?%41:c.txt`, `"quoted"`,
}

// fillAll sets each string in v, however deep, to s, and each list that is empty to one
// element: whatever is added to the records is tried too.
func fillAll(v reflect.Value, s string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
	case reflect.Int, reflect.Int64:
		v.SetInt(3)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillAll(v.Elem(), s)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fillAll(v.Index(0), s)
	case reflect.Struct:
		switch x := v.Addr().Interface().(type) {
		case *time.Time:
			*x = reporttest.Day
			return
		case *detectors.Secret:
			*x = detectors.NewSecret(s)
			return
		}
		for i := range v.NumField() {
			fillAll(v.Field(i), s)
		}
	}
}

// hostilePage returns the page of a stream in which each text is one of texts, in each
// state and as each kind of place. The stream holds secrets as well.
func hostilePage(t testing.TB, texts, secrets []string) []byte {
	t.Helper()
	var b bytes.Buffer
	h := New(&b)
	var scan finding.Scan
	var sum finding.Summary
	fillAll(reflect.ValueOf(&scan).Elem(), texts[0])
	fillAll(reflect.ValueOf(&sum).Elem(), texts[0])
	errs := []error{h.Scan(scan)}
	states := []verifier.State{verifier.Live, verifier.IDActive, verifier.Invalid, verifier.Skipped, ""}
	kinds := []finding.Kind{finding.KindBlob, finding.KindCommit, finding.KindRefName, "issue"}
	for i, s := range texts {
		var r finding.Repository
		fillAll(reflect.ValueOf(&r).Elem(), s)
		failed := r
		failed.State = finding.RepositoryFailed
		errs = append(errs, h.Repository(r), h.Repository(failed))
		for k, state := range states {
			var f finding.Finding
			fillAll(reflect.ValueOf(&f).Elem(), s)
			secret := detectors.NewSecret(secrets[i%len(secrets)])
			f.Verdict.State, f.Match.Credential.Secret, f.Match.Credential.Token = state, secret, secret
			if state == "" {
				f.Verdict.State = verifier.State(s)
			} else if k != 0 {
				f.Ignored = ""
			}
			commit := f.Locations[0]
			commit.Kind, commit.Commit, commit.Unreachable = kinds[k%len(kinds)], reporttest.SHA('c'), ""
			known := commit // of a repository that can be linked to
			known.Repo = "https://github.com/example/app"
			f.Locations = append(f.Locations, commit, known)
			errs = append(errs, h.Finding(f))
		}
	}
	if err := errors.Join(append(errs, h.Summary(sum))...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var (
	elements = strings.Fields("html head meta link title style body a header p time main section h1 h2 h3 ul ol li b span bdi code div table caption " +
		"thead tbody tr th td svg rect details summary noscript form label input select option optgroup output dl dt dd figure figcaption line path text " +
		"footer kbd dialog button script")
	attributes = strings.Fields("lang charset http-equiv content name rel href class id datetime hidden aria-labelledby aria-label aria-live aria-hidden " +
		"tabindex role scope target type autocomplete spellcheck placeholder value label method data-h data-a data-r data-u data-t data-n data-filter " +
		"data-name viewBox preserveAspectRatio width height x x1 x2 y y1 y2 d text-anchor")
	hrefs = regexp.MustCompile(`^(https?://[^\s"<>]+|#[a-z0-9-]+|data:,)$`)
)

// intact checks that page holds no element, attribute or address but those that the
// code of the page writes, and no letter that does not print.
func intact(t *testing.T, page []byte) {
	t.Helper()
	text := strings.NewReplacer(pageStyle, "", pageScript, "").Replace(string(page))
	for _, r := range text {
		if r == utf8.RuneError || r != '\n' && !strconv.IsPrint(r) {
			t.Fatalf("%q is in the page", r)
		}
	}
	d := xml.NewDecoder(strings.NewReader(text)) // the page is written as XML too
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%v in:\n%s", err, text)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if !slices.Contains(elements, e.Name.Local) {
			t.Errorf("an element %q", e.Name.Local)
		}
		for _, a := range e.Attr {
			if !slices.Contains(attributes, a.Name.Local) {
				t.Errorf("an attribute %q of %s", a.Name.Local, e.Name.Local)
			}
			if a.Name.Local == "href" && !hrefs.MatchString(a.Value) {
				t.Errorf("a link to %q", a.Value)
			}
		}
	}
}

func TestHTMLEscapes(t *testing.T) {
	for _, s := range hostile {
		t.Run(s, func(t *testing.T) { intact(t, hostilePage(t, []string{s}, []string{reporttest.SecretKey(1)})) })
	}
	for _, set := range []string{"several", "fleet", "held", "none", "odd", "unread"} {
		t.Run(set, func(t *testing.T) { intact(t, write(t, set, false)) })
	}
}

func FuzzHTML(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		intact(t, hostilePage(t, []string{s}, []string{reporttest.SecretKey(1)}))
	})
}

// TestHTMLShowsNoSecret: not even if the stream holds them.
func TestHTMLShowsNoSecret(t *testing.T) {
	page := string(write(t, "several", true)) + string(hostilePage(t, hostile, []string{reporttest.SecretKey(1)}))
	for n := range byte(12) {
		if strings.Contains(page, reporttest.SecretKey(n)) {
			t.Errorf("secret %d is in the page", n)
		}
	}
}

// TestHTMLPolicy: the browser runs the script and takes the style, since their hashes are
// those of the elements.
func TestHTMLPolicy(t *testing.T) {
	page := string(write(t, "several", false))
	for _, name := range []string{"style", "script"} {
		_, rest, _ := strings.Cut(page, "<"+name+">")
		text, _, ok := strings.Cut(rest, "</"+name+">")
		h := sha256.Sum256([]byte(text))
		if want := name + "-src 'sha256-" + base64.StdEncoding.EncodeToString(h[:]) + "'"; !ok || !strings.Contains(ContentSecurityPolicy(), want) {
			t.Errorf("%s: %q is not in %q", name, want, ContentSecurityPolicy())
		}
	}
	if strings.Count(page, `content="`+ContentSecurityPolicy()+`"`) != 1 {
		t.Error("the page does not say its policy")
	}
}

// TestList: the page begins with what needs work, and names the columns that say something.
func TestList(t *testing.T) {
	live := finding.Finding{Match: detectors.Match{Rule: reporttest.AccessKey}, Verdict: verifier.Verdict{State: verifier.Live, Identity: verifier.Identity{Account: "111122223333"}}}
	dead := finding.Finding{Match: detectors.Match{Rule: reporttest.AccessKey}, Verdict: verifier.Verdict{State: verifier.Invalid}}
	at := func(f finding.Finding, repos ...string) finding.Finding {
		for _, r := range repos {
			f.Locations = append(f.Locations, finding.Location{Repo: r, Path: "a", Time: reporttest.Day})
		}
		return f
	}
	swept := at(dead, "o/n")
	swept.History = &finding.History{FirstSeen: reporttest.Day}
	for _, tt := range []struct {
		name     string
		findings []finding.Finding
		want     []string
	}{
		{"urgent", []finding.Finding{live, dead}, []string{`<select name="state"><option value="urgent">live or unknown (1)<`, `class="columns no-repo no-seen"`, `<span class="whole">111122223333</span>`}},
		{"all_dead", []finding.Finding{dead}, []string{`<select name="state"><option value="open">not ignored (1)<`, `class="columns no-who no-repo no-seen"`}},
		{"a_scan", []finding.Finding{at(dead, "o/n", "o/m")}, []string{`class="columns no-who"`, `<span class="seen">Committed, UTC</span>`, `<span class="seen commit">`}},
		{"a_sweep", []finding.Finding{swept}, []string{`class="columns no-who no-repo"`, `<span class="seen">First seen, UTC</span>`}},
		{"both", []finding.Finding{swept, at(dead, "o/m")}, []string{`<span class="seen">First seen or committed, UTC</span>`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			page := pageOf(t, finding.Scan{Started: reporttest.Day}, tt.findings...)
			for _, want := range tt.want {
				if !strings.Contains(page, want) {
					t.Errorf("no %s in:\n%s", want, page)
				}
			}
		})
	}
}

// TestChartNeedsDays: a chart of one day is a block of colour.
func TestChartNeedsDays(t *testing.T) {
	for days, want := range map[int]bool{0: false, 1: false, 2: true} {
		f := finding.Finding{Match: detectors.Match{Rule: reporttest.AccessKey}, Verdict: verifier.Verdict{State: verifier.Live},
			History: &finding.History{FirstSeen: reporttest.Day.AddDate(0, 0, -days)}}
		if got := strings.Contains(pageOf(t, finding.Scan{Started: reporttest.Day}, f), "Over time"); got != want {
			t.Errorf("first seen %d days before: a chart is %v", days, got)
		}
	}
}

func pageOf(t *testing.T, s finding.Scan, findings ...finding.Finding) string {
	t.Helper()
	var b bytes.Buffer
	h := New(&b)
	err := h.Scan(s)
	for i := range findings {
		err = errors.Join(err, h.Finding(findings[i]))
	}
	if err := errors.Join(err, h.Summary(finding.Summary{})); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestLinksOfSeveral: a report that is made of scans of several kinds links to the GitHub Enterprise
// that one of them read, and to no other host.
func TestLinksOfSeveral(t *testing.T) {
	c := reporttest.SHA('c')
	f := finding.Finding{Match: detectors.Match{Rule: reporttest.AccessKey}}
	for _, repo := range []string{"https://git.example.com/o/n", "https://git.example.com/o/n.wiki", "https://gitlab.example.com/o/n"} {
		f.Locations = append(f.Locations, finding.Location{Kind: finding.KindBlob, Repo: repo, Path: "b", Commit: c})
	}
	var b bytes.Buffer
	r := finding.Saved{Header: finding.Scan{Source: "several"}, Findings: []finding.Finding{f}, Repositories: []finding.Repository{{Name: "o/n", URL: "https://git.example.com/o/n"}}}
	if err := r.Replay(New(&b)); err != nil {
		t.Fatal(err)
	}
	got := regexp.MustCompile(`https://[^"]*/blob/`).FindAllString(b.String(), -1)
	if want := []string{"https://git.example.com/o/n/blob/", "https://git.example.com/o/n.wiki/blob/"}; !slices.Equal(got, want) {
		t.Errorf("links to %q, want %q", got, want)
	}
}

func TestAddress(t *testing.T) {
	c := reporttest.SHA('c')
	base := "https://github.com/o/n/blob/" + c + "/"
	for _, tt := range []struct {
		name   string
		l      finding.Location
		github bool
		want   string
	}{
		{"file", finding.Location{Kind: finding.KindBlob, Repo: "https://github.com/o/n", Path: "a/b.txt", Line: 3, Commit: c}, false, base + "a/b.txt#L3"},
		{"clone_url", finding.Location{Kind: finding.KindBlob, Repo: "https://github.com/o/n.git", Path: "b", Line: 1, Commit: c}, false, base + "b#L1"},
		{"odd_name", finding.Location{Kind: finding.KindBlob, Repo: "https://github.com/o/n", Path: "a b/ü#?%41.txt", Line: 3, Commit: c}, true, base + "a%20b/%C3%BC%23%3F%2541.txt#L3"},
		{"in_archive", finding.Location{Kind: finding.KindBlob, Repo: "https://github.com/o/n", Path: "a.zip!x/y", Line: 3, Commit: c}, true, base + "a.zip"},
		{"commit", finding.Location{Kind: finding.KindCommit, Repo: "https://github.com/o/n", Line: 5, Commit: c}, true, "https://github.com/o/n/commit/" + c},
		{"enterprise", finding.Location{Kind: finding.KindBlob, Repo: "https://git.example.com/o/n", Path: "b", Commit: c}, true, "https://git.example.com/o/n/blob/" + c + "/b"},
		{"issue", finding.Location{Kind: "issue", Repo: "https://github.com/o/n", Path: "https://github.com/o/n/issues/3"}, true, "https://github.com/o/n/issues/3"},
		{"issue_elsewhere", finding.Location{Kind: "issue", Repo: "https://github.com/o/n", Path: "https://evil.example/o/n/issues/3"}, true, ""},
		{"other_host", finding.Location{Kind: finding.KindBlob, Repo: "https://gitlab.com/o/n", Path: "b", Commit: c}, false, ""},
		{"local", finding.Location{Kind: finding.KindBlob, Repo: "/home/o/n", Path: "b", Commit: c}, false, ""},
		{"up", finding.Location{Kind: finding.KindBlob, Repo: "https://github.com/o/n", Path: "../../../../evil/x", Commit: c}, true, ""},
		{"redacted", finding.Location{Kind: finding.KindBlob, Repo: "https://github.com/o/n", Path: "a/[redacted 1a2b3c4d].env", Line: 3, Commit: c}, true, ""},
		{"no_commit", finding.Location{Kind: finding.KindBlob, Repo: "https://github.com/o/n", Path: "b", Commit: "main/../.."}, true, ""},
		{"script", finding.Location{Kind: finding.KindBlob, Repo: "javascript://github.com/%0aalert(1)", Path: "b", Commit: c}, true, ""},
		{"password", finding.Location{Kind: finding.KindBlob, Repo: "https://u:p@github.com/o/n", Path: "b", Commit: c}, true, ""},
		{"ref", finding.Location{Kind: finding.KindRefName, Repo: "https://github.com/o/n", Path: "refs/heads/x", Commit: c}, true, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := address(&tt.l, tt.github); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestPerDay(t *testing.T) {
	at := func(days, hours int) time.Time {
		return startOfDay(reporttest.Day).AddDate(0, 0, days).Add(time.Duration(hours) * time.Hour)
	}
	for _, tt := range []struct {
		name  string
		open  []lifetime
		first time.Time
		want  []int
	}{
		{"today", []lifetime{{from: at(0, 1)}}, at(0, 0), []int{1}},
		{"closed_the_same_day", []lifetime{{from: at(-1, 1), to: at(-1, 5)}}, at(-1, 0), []int{0, 0}},
		{"two", []lifetime{{from: at(-3, 23), to: at(-1, 1)}, {from: at(-2, 0)}}, at(-3, 0), []int{1, 2, 1, 1}},
		{"later_than_now", []lifetime{{from: at(2, 0)}}, at(0, 0), []int{0}},
		{"dead_before_it_was_found", []lifetime{{from: at(-1, 0), to: at(-2, 0)}}, at(-1, 0), []int{0, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			first, got := perDay(tt.open, reporttest.Day)
			if d := cmp.Diff(fmt.Sprint(tt.first, tt.want), fmt.Sprint(first, got)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
	first, counts := perDay([]lifetime{{from: reporttest.Day.AddDate(-20, 0, 0)}}, reporttest.Day)
	if len(counts) != chartDays || counts[0] != 1 || !first.Equal(at(1-chartDays, 0)) {
		t.Errorf("of twenty years: %d days from %s", len(counts), first)
	}
}

// write returns the report of a set of findings.
func write(t testing.TB, set string, showSecrets bool) []byte {
	t.Helper()
	var b bytes.Buffer
	reporttest.Write(t, New(&b), set, showSecrets)
	return b.Bytes()
}

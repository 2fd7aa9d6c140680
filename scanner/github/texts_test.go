package github

import (
	"archive/zip"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// An item is one of a list that GitHub sorts by the time of the last change.
type item struct {
	number  int
	pull    bool
	updated time.Time
}

// A textServer has the lists of ada/app; other paths are answered by fakes.
type textServer struct {
	*httptest.Server
	issues   []item
	comments []item
	// between is called before each page but the first.
	between func()
	fakes   map[string]fake
	asked   []string
	// unchanged counts the answers that GitHub does not count.
	unchanged int
}

func newTextServer(t *testing.T) (*textServer, *Lister) {
	t.Helper()
	s := &textServer{between: func() {}, fakes: map[string]fake{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	l, err := NewLister(s.URL, Static{Secret: detectors.NewSecret(token)}, "test")
	if err != nil {
		t.Fatal(err)
	}
	return s, l
}

func (s *textServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/repos/ada/app/")
	s.asked = append(s.asked, path)
	if f := s.fakes[path]; f != nil {
		f(w, r)
		return
	}
	switch path {
	case "issues":
		s.list(w, r, s.issues, "issues")
	case "issues/comments":
		s.list(w, r, s.comments, "issues/1#issuecomment")
	default:
		s.answer(w, r, []int{})
	}
}

// list answers as GitHub does: "since" is inclusive, pages are counted.
func (s *textServer) list(w http.ResponseWriter, r *http.Request, items []item, path string) {
	since, _ := time.Parse(time.RFC3339, r.FormValue("since"))
	page, _ := strconv.Atoi(r.FormValue("page"))
	page = max(1, page)
	if len(s.asked) > 1 {
		s.between()
	}
	items = slices.DeleteFunc(slices.Clone(items), func(i item) bool { return i.updated.Before(since) })
	slices.SortFunc(items, func(a, b item) int {
		return cmp.Or(a.updated.Compare(b.updated), cmp.Compare(a.number, b.number))
	})
	if r.FormValue("direction") == "desc" {
		slices.Reverse(items)
	}
	items = items[min(len(items), (page-1)*perPage):min(len(items), page*perPage)]
	answer := []map[string]any{}
	for _, i := range items {
		one := map[string]any{
			"id": i.number, "number": i.number, "title": fmt.Sprint("title ", i.number), "body": fmt.Sprint("body ", i.number),
			"html_url": fmt.Sprintf("https://github.com/ada/app/%s-%d", path, i.number), "user": map[string]any{"login": "eve"},
			"created_at": noon, "updated_at": i.updated,
		}
		if i.pull {
			one["pull_request"] = map[string]any{"url": "x"}
			one["html_url"] = fmt.Sprintf("https://github.com/ada/app/pull/1#issuecomment-%d", i.number)
		}
		answer = append(answer, one)
	}
	s.answer(w, r, answer)
}

// answer answers with JSON, or with 304 if that is what the client has.
func (s *textServer) answer(w http.ResponseWriter, r *http.Request, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	etag := fmt.Sprintf(`W/"%x"`, sha256.Sum256(append([]byte(r.Header.Get("Authorization")), body...)))
	w.Header().Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		s.unchanged++
		w.Header().Del("Link")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(body)
}

// read returns what src has, by id without the time, and what it could not read.
func read(t *testing.T, src *Texts) (texts map[string]string, unread []string) {
	t.Helper()
	texts = map[string]string{}
	err := src.Blobs(t.Context(), func(b scanner.Blob) error {
		if id, _, _ := strings.Cut(string(b.ID), "@"); b.Err == nil {
			texts[id] = string(b.Data)
		} else {
			unread = append(unread, b.Name+": "+b.Err.Error())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return texts, unread
}

func texts(t *testing.T, l *Lister, cursor string, kinds ...string) *Texts {
	t.Helper()
	src, err := l.Texts("ada/app", kinds, cursor)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// TestTextsWhileEdited: what is edited while pages are read hides nothing, and lists
// that do not move on end.
func TestTextsWhileEdited(t *testing.T) {
	for _, tt := range []struct {
		name   string
		stamp  func(i int) time.Time
		pulls  int // every so many
		edits  bool
		issues int
	}{
		{"apart", func(i int) time.Time { return noon.Add(time.Duration(i) * time.Minute) }, 0, true, 450},
		{"in_one_second", func(int) time.Time { return noon }, 0, false, 450},
		{"in_few_seconds", func(i int) time.Time { return noon.Add(time.Duration(i/130) * time.Second) }, 0, true, 450},
		{"among_pulls", func(i int) time.Time { return noon.Add(time.Duration(i/130) * time.Second) }, 2, true, 450},
		{"a_page", func(i int) time.Time { return noon.Add(time.Duration(i) * time.Minute) }, 0, false, 100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, l := newTextServer(t)
			want := 0
			for i := range tt.issues {
				pull := tt.pulls > 0 && i%tt.pulls == 0
				if s.issues = append(s.issues, item{i + 1, pull, tt.stamp(i)}); !pull {
					want++
				}
			}
			edit := 0
			s.between = func() {
				if tt.edits {
					s.issues[edit].updated = noon.Add(1000 * time.Hour)
					edit++
				}
			}
			got, unread := read(t, texts(t, l, "", Issues))
			if len(got) != want || len(unread) > 0 || got["issues/2"] != "title 2\n\nbody 2" {
				t.Errorf("%d of %d issues, unread %v", len(got), want, unread)
			}
		})
	}
	s, l := newTextServer(t)
	page := fmt.Sprintf("[%s]", strings.TrimSuffix(strings.Repeat(`{"number":1,"pull_request":{},"updated_at":"2026-01-02T12:00:00Z"},`, perPage), ","))
	s.fakes["issues"] = says(200, page)
	if _, unread := read(t, texts(t, l, "", Issues)); len(unread) != 1 || !strings.Contains(unread[0], "the same again") {
		t.Errorf("unread %v after %d requests", unread, len(s.asked))
	}
}

// TestTextsNext: the next run reads what was changed since, and only that, and what failed.
func TestTextsNext(t *testing.T) {
	s, l := newTextServer(t)
	now := time.Now()
	s.issues = []item{{1, false, now.Add(-time.Hour)}, {2, false, now.Add(-2 * time.Hour)}}
	first := texts(t, l, "", Issues, Pulls)
	if got, _ := read(t, first); len(got) != 2 {
		t.Error(got)
	}
	s.issues[1].updated = now
	second := texts(t, l, next(t, first, true), Issues, Pulls)
	if got, _ := read(t, second); len(got) != 1 || got["issues/2"] == "" {
		t.Error(got)
	}
	s.comments = []item{{3, false, now}}
	s.fakes["issues/comments"] = says(403, `{"message":"Resource not accessible by integration"}`)
	third := texts(t, l, next(t, second, true), Issues, Pulls)
	if _, unread := read(t, third); len(unread) != 1 || !strings.Contains(unread[0], "not accessible") {
		t.Errorf("unread %v", unread)
	}
	delete(s.fakes, "issues/comments")
	fourth := texts(t, l, next(t, third, false), Issues, Pulls)
	if got, _ := read(t, fourth); len(got) != 1 || got["issues/comments/3"] == "" {
		t.Error(got)
	}
	// A kind that is added is read from the beginning; so is a list with other kinds.
	s.comments = append(s.comments, item{4, true, noon})
	for _, kinds := range [][]string{{Issues}, {Issues, Pulls}} {
		before := texts(t, l, "", Issues)
		read(t, before)
		src := texts(t, l, next(t, before, true), kinds...)
		if got, _ := read(t, src); (got["issues/comments/4"] != "") != (len(kinds) == 2) {
			t.Errorf("%v: %v", kinds, got)
		}
	}
}

// next returns the cursor after src.
func next(t *testing.T, src *Texts, complete bool) string {
	t.Helper()
	cursor, whole := src.Next()
	if whole != complete {
		t.Errorf("complete: %v, want %v: %s", whole, complete, cursor)
	}
	return cursor
}

// TestTextsUnchanged: GitHub counts no request for a list that is as it was, with the same
// token; with another token it costs one request, as without ETags.
func TestTextsUnchanged(t *testing.T) {
	s, l := newTextServer(t)
	s.issues, s.comments = []item{{1, false, noon}, {2, true, noon}}, []item{{3, false, noon}, {4, true, noon}}
	first := texts(t, l, "", Issues, Pulls, Releases)
	if got, unread := read(t, first); len(got) != 3 || len(unread) > 0 {
		t.Errorf("%v, unread %v", got, unread)
	}
	cursor, lists := next(t, first, true), len(s.asked)
	for range 3 {
		s.asked, s.unchanged = nil, 0
		src := texts(t, l, cursor, Issues, Pulls, Releases)
		if got, _ := read(t, src); len(got) > 0 || len(s.asked) != lists || s.unchanged != lists {
			t.Errorf("%d of %d requests are free: %v", s.unchanged, len(s.asked), got)
		}
		if again := next(t, src, true); again != cursor {
			t.Errorf("%s becomes %s", cursor, again)
		}
	}
	s.issues[0].updated = time.Now()
	s.asked, s.unchanged = nil, 0
	if got, _ := read(t, texts(t, l, cursor, Issues, Pulls, Releases)); len(got) != 1 || len(s.asked) != lists || s.unchanged != lists-1 {
		t.Errorf("%d of %d requests are free: %v", s.unchanged, len(s.asked), got)
	}
	other, err := NewLister(s.URL, Static{Secret: detectors.NewSecret("another-" + token)}, "test")
	if err != nil {
		t.Fatal(err)
	}
	s.asked, s.unchanged = nil, 0
	if got, _ := read(t, texts(t, other, cursor, Issues, Pulls, Releases)); len(got) != 1 || len(s.asked) != lists || s.unchanged != 0 {
		t.Errorf("%d of %d requests are free: %v", s.unchanged, len(s.asked), got)
	}
}

// TestTextsFullPage: a release on a page of its own is read, although the page before it is
// full and as it was.
func TestTextsFullPage(t *testing.T) {
	s, l := newTextServer(t)
	var releases []map[string]any
	add := func(n int) {
		for range n {
			releases = append(releases, map[string]any{"id": len(releases) + 1, "tag_name": "v1"})
		}
	}
	s.fakes["releases"] = func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.FormValue("page"))
		if n*perPage < len(releases) {
			w.Header().Set("Link", fmt.Sprintf(`<http://%s/x?page=%d>; rel="next"`, r.Host, n+1))
		}
		s.answer(w, r, releases[min(len(releases), (n-1)*perPage):min(len(releases), n*perPage)])
	}
	add(perPage)
	first := texts(t, l, "", Releases)
	read(t, first)
	add(1)
	second := texts(t, l, next(t, first, true), Releases)
	if got, _ := read(t, second); got["releases/101"] == "" {
		t.Errorf("%d texts, without the last one", len(got))
	}
	s.unchanged = 0
	if got, _ := read(t, texts(t, l, next(t, second, true), Releases)); len(got) > 0 || s.unchanged != 2 {
		t.Errorf("%d texts again, %d pages are as they were", len(got), s.unchanged)
	}
}

// TestTextsCutOff: a pass that limits cut off again and again yields each text, and goes on
// where it was: it makes no more requests in all than one without limits, but one for each
// limit.
func TestTextsCutOff(t *testing.T) {
	made := func(s *textServer) {
		for i := range 450 {
			s.issues = append(s.issues, item{i + 1, false, noon.Add(time.Duration(i) * time.Minute)})
			s.comments = append(s.comments, item{i + 1, i%2 == 0, noon.Add(time.Duration(i) * time.Second)})
		}
		at := `"created_at":"2026-01-02T12:00:00Z","updated_at":"2026-01-02T12:00:00Z"`
		for page, body := range map[string]string{
			"pulls":    `{"number":%d,"title":"pull",` + at + `}`,
			"releases": `{"id":%d,"tag_name":"v",` + at + `,"assets":[{"id":1%[1]d,"size":1,` + at + `}]}`,
		} {
			s.fakes[page] = func(w http.ResponseWriter, r *http.Request) {
				n, _ := strconv.Atoi(r.FormValue("page"))
				if n < 3 {
					w.Header().Set("Link", fmt.Sprintf(`<http://%s/x?page=%d>; rel="next"`, r.Host, n+1))
				}
				says(200, "["+fmt.Sprintf(body, 2*n)+","+fmt.Sprintf(body, 2*n+1)+"]")(w, r)
			}
		}
		s.fakes["actions/runs"] = says(200, `{"workflow_runs":[{"id":1,`+at+`},{"id":2,`+at+`},{"id":3,`+at+`}]}`)
		s.fakes["actions/artifacts"] = says(200, `{"artifacts":[{"id":4,`+at+`},{"id":5,`+at+`}]}`)
		s.fakes["/graphql"] = func(w http.ResponseWriter, r *http.Request) {
			var sent struct{ Variables struct{ After string } }
			_ = json.NewDecoder(r.Body).Decode(&sent)
			n, _ := strconv.Atoi(sent.Variables.After)
			says(200, fmt.Sprintf(`{"data":{"repository":{"discussions":{"pageInfo":{"hasNextPage":%v,"endCursor":"%d"},"nodes":[{"id":"D%[2]d"}]}}}}`, n < 2, n+1))(w, r)
		}
	}
	kinds := []string{Issues, Pulls, Releases, Actions, Discussions}
	s, l := newTextServer(t)
	made(s)
	want, unread := read(t, texts(t, l, "", kinds...))
	if len(want) != 450+450+6+12+5+3 || len(unread) > 0 {
		t.Fatalf("%d texts, unread %v", len(want), unread)
	}
	whole := len(s.asked)

	for _, every := range []int{1, 2, 7} {
		s, l := newTextServer(t)
		made(s)
		l.MaxWait = 0
		left, limits := every, 0
		handler := s.Config.Handler
		s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if left--; left < 0 {
				limits++
				says(429, ``, "Retry-After: 600")(w, r)
				return
			}
			handler.ServeHTTP(w, r)
		})
		got, cursor, complete := map[string]string{}, "", false
		for tries := 0; !complete && tries < 2*whole; tries++ {
			left = every + 1
			src := texts(t, l, cursor, kinds...)
			err := src.Blobs(t.Context(), func(b scanner.Blob) error {
				id, _, _ := strings.Cut(string(b.ID), "@")
				got[id] = string(b.Data)
				return b.Err
			})
			if limited := new(RateLimited); err != nil && !errors.As(err, &limited) {
				t.Fatal(err)
			} else if err != nil {
				passed(l)
			}
			cursor, complete = src.Next()
		}
		if !complete {
			t.Log(cursor)
		}
		if !complete || !maps.Equal(got, want) {
			t.Errorf("after each %d: %d of %d texts, complete: %v", every, len(got), len(want), complete)
		}
		t.Logf("after each %d requests: %d of %d requests, %d limits", every, len(s.asked), whole, limits)
		if len(s.asked) > whole+2*limits {
			t.Errorf("after each %d: %d requests, and %d in one go", every, len(s.asked), whole)
		}
	}
}

// TestTextsMissed: a file that could not be downloaded before a limit is read again by the
// next pass.
func TestTextsMissed(t *testing.T) {
	s, l := newTextServer(t)
	l.MaxWait, l.Wait = 0, nothing
	at := `"created_at":"2026-01-02T12:00:00Z","updated_at":"2026-01-02T12:00:00Z"`
	s.fakes["actions/runs"] = says(200, `{"workflow_runs":[{"id":1,`+at+`},{"id":2,`+at+`}]}`)
	s.fakes["actions/runs/1/logs"] = says(302, ``, "Location: http://elsewhere.example/")
	s.fakes["actions/runs/2/logs"] = says(429, ``, "Retry-After: 600")
	s.fakes["actions/artifacts"] = says(200, `{}`)
	first := texts(t, l, "", Actions)
	if err := first.Blobs(t.Context(), func(scanner.Blob) error { return nil }); err == nil {
		t.Error("the limit is no error")
	}
	delete(s.fakes, "actions/runs/1/logs")
	delete(s.fakes, "actions/runs/2/logs")
	passed(l)
	second := texts(t, l, next(t, first, false), Actions)
	if got, _ := read(t, second); len(got) != 1 || got["actions/runs/2"] == "" {
		t.Error(got)
	}
	third := texts(t, l, next(t, second, false), Actions)
	if got, _ := read(t, third); len(got) != 2 {
		t.Error(got)
	}
	next(t, third, true)
}

// TestTextCursor: the time that earlier versions have stored holds for all lists, and
// damage is an error.
func TestTextCursor(t *testing.T) {
	s, l := newTextServer(t)
	s.issues = []item{{1, false, noon.Add(-time.Hour)}, {2, false, noon}}
	src := texts(t, l, noon.Add(-time.Minute).Format(time.RFC3339), Issues)
	if got, _ := read(t, src); len(got) != 1 || got["issues/2"] == "" {
		t.Error(got)
	}
	for _, damaged := range []string{"{", "2026", `{"issues of issues":[]}`} {
		if _, err := l.Texts("ada/app", []string{Issues}, damaged); err == nil || !strings.Contains(err.Error(), "until where texts were read") {
			t.Errorf("%s: %v", damaged, err)
		}
	}
	if got, _ := read(t, texts(t, l, `{"issues of issues":null}`, Issues)); len(got) != 2 {
		t.Error(got)
	}
}

// TestTexts reads one of each kind.
func TestTexts(t *testing.T) {
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Errorf("%s gets the token", r.URL)
		}
		switch r.URL.Path {
		case "/cut":
			cut(w, r)
		case "/log":
			_, _ = w.Write(zipped(t, "0_build.txt", "the log"))
		default:
			_, _ = w.Write([]byte("a file"))
		}
	}))
	t.Cleanup(files.Close)
	s, l := newTextServer(t)
	l.Wait = nothing
	s.issues = []item{{1, false, noon}, {2, true, noon}}
	s.comments = []item{{3, false, noon}, {4, true, noon}}
	at := `"created_at":"2026-01-02T12:00:00Z","updated_at":"2026-01-02T12:00:00Z"`
	s.fakes["pulls"] = says(200, `[{"number":2,"title":"pull","body":null,"html_url":"https://github.com/ada/app/pull/2",`+at+`}]`)
	s.fakes["pulls/comments"] = says(200, `[{"id":5,"body":"why?","diff_hunk":"@@ -1 +1 @@\n+x","html_url":"https://github.com/ada/app/pull/2#discussion_r5",`+at+`}]`)
	s.fakes["releases"] = says(200, `[{"id":6,"tag_name":"v1","name":"One","body":"notes","assets":[{"id":7,"size":6,`+at+`},{"id":8,"size":2000000,`+at+`},{"id":17,"size":1,`+at+`}],`+at+`}]`)
	s.fakes["releases/assets/7"] = says(302, ``, "Location: "+files.URL+"/file")
	s.fakes["releases/assets/17"] = says(404, `{}`)
	s.fakes["actions/runs"] = says(200, `{"workflow_runs":[{"id":9,`+at+`},{"id":10,`+at+`},{"id":11,`+at+`},{"id":12,`+at+`}]}`)
	s.fakes["actions/runs/9/logs"] = says(302, ``, "Location: "+files.URL+"/log")
	s.fakes["actions/runs/10/logs"] = says(410, `{"message":"expired"}`)
	s.fakes["actions/runs/11/logs"] = says(302, ``, "Location: "+files.URL+"/cut")
	s.fakes["actions/runs/12/logs"] = says(302, ``, "Location: http://elsewhere.example/?sig=secret")
	s.fakes["actions/artifacts"] = says(200, `{"artifacts":[{"id":13,"size_in_bytes":9,`+at+`},{"id":14,"expired":true,`+at+`},{"id":15,"size_in_bytes":9999999,`+at+`},{"id":16,"size_in_bytes":1,`+at+`}]}`)
	s.fakes["actions/artifacts/13/zip"] = says(200, "PK", "Content-Type: application/zip")
	s.fakes["actions/artifacts/16/zip"] = says(200, strings.Repeat("x", 9000), "Content-Type: application/zip")
	for _, tt := range []struct {
		kind   string
		want   map[string]string
		unread []string
	}{
		{Issues, map[string]string{"issues/1": "title 1\n\nbody 1", "issues/comments/3": "body 3"}, nil},
		{Pulls, map[string]string{"pulls/2": "pull\n\n", "issues/comments/4": "body 4", "pulls/comments/5": "why?\n\n@@ -1 +1 @@\n+x"}, nil},
		{Releases, map[string]string{"releases/6": "v1 One\n\nnotes", "releases/assets/7": "a file"}, nil},
		{Actions, map[string]string{"actions/runs/9": string(zipped(t, "0_build.txt", "the log")), "actions/artifacts/13": "PK"},
			[]string{"tried 3 times", "refusing the redirect to elsewhere.example", "too large", "too large"}},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			src := texts(t, l, "", tt.kind)
			src.MaxSize = 5000
			got, unread := read(t, src)
			if fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if len(unread) != len(tt.unread) {
				t.Fatalf("unread %q, want %q", unread, tt.unread)
			}
			for i, want := range tt.unread {
				if !strings.Contains(unread[i], want) || strings.Contains(unread[i], "sig=") {
					t.Errorf("unread %q, want %q", unread[i], want)
				}
			}
			if len(unread) == 0 {
				scannertest.Source(t, src)
			}
		})
	}
	for _, kind := range []string{Issues, Pulls, Actions, Releases} {
		s.fakes = map[string]fake{"issues": says(410, `{"message":"Issues are disabled for this repo"}`), "issues/comments": says(200, `[]`), "actions/runs": says(200, `{}`), "actions/artifacts": says(200, `{}`)}
		if got, unread := read(t, texts(t, l, "", kind)); len(got)+len(unread) > 0 {
			t.Errorf("%s: got %q, unread %q", kind, got, unread)
		}
	}
	if _, err := l.Texts("ada/app", []string{"wishes"}, ""); err == nil {
		t.Error("an unknown kind is taken")
	}
}

// TestTextsLimited: who would have to wait for too long learns until when, and what
// was not read is read the next time.
func TestTextsLimited(t *testing.T) {
	for _, path := range []string{"issues/comments", "actions/runs/9/logs"} {
		s, l := newTextServer(t)
		s.fakes["actions/runs"] = says(200, `{"workflow_runs":[{"id":9,"updated_at":"2026-01-02T12:00:00Z"}]}`)
		s.fakes[path] = says(429, `{"message":"slow down"}`, "Retry-After: 600")
		src := texts(t, l, "", Issues, Actions)
		err := src.Blobs(t.Context(), func(b scanner.Blob) error { return b.Err })
		if limited := new(RateLimited); !errors.As(err, &limited) || time.Until(limited.Until) < 9*time.Minute {
			t.Errorf("%s: %v", path, err)
		}
		next(t, src, false)
	}
}

func zipped(t *testing.T, name, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create(name)
	if err == nil {
		_, err = f.Write([]byte(content))
	}
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestDiscussions reads pages of discussions, of comments and of replies.
func TestDiscussions(t *testing.T) {
	const all, comments, replies = `{"data":{"repository":{"discussions":%s}}}`, `{"data":{"node":{"comments":%s}}}`, `{"data":{"node":{"replies":%s}}}`
	page := func(next string, nodes ...string) string {
		return fmt.Sprintf(`{"pageInfo":{"hasNextPage":%v,"endCursor":%q},"nodes":[%s]}`, next != "", next, strings.Join(nodes, ","))
	}
	limited := says(200, `{"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]}`, "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: {now+60}")
	fakes := []fake{
		limited,
		says(200, fmt.Sprintf(all, page("c1", `{"id":"D1","title":"one","body":"b1","url":"https://github.com/ada/app/discussions/1","author":{"login":"eve"},"comments":`+
			page("c2", `{"id":"C1","body":"b2","replies":`+page("c3", `{"id":"R1","body":"b3"}`)+`}`)+`}`))),
		says(200, fmt.Sprintf(comments, page("", `{"id":"C2","body":"b5","author":null}`))),
		says(200, fmt.Sprintf(replies, page("", `{"id":"R2","body":"b4"}`))),
		says(200, fmt.Sprintf(all, page("", `{"id":"D2","title":"two"}`))),
	}
	var asked []string
	next := func(w http.ResponseWriter, r *http.Request) {
		var sent struct {
			Query     string
			Variables map[string]any
		}
		_ = json.NewDecoder(r.Body).Decode(&sent)
		asked = append(asked, r.URL.Path+fmt.Sprint(sent.Variables))
		// Comments are read before the replies of those before, or after: by what is asked.
		n := len(asked) - 1
		switch {
		case strings.Contains(sent.Query, "DiscussionComment"):
			n = 3
		case strings.Contains(sent.Query, "on Discussion "):
			n = 2
		case sent.Variables["after"] == "c1":
			n = 4
		}
		fakes[n](w, r)
	}
	s, l := newTextServer(t)
	l.MaxWait, l.Wait = time.Hour, nothing
	s.fakes["/graphql"] = next
	got, unread := read(t, texts(t, l, "", Discussions))
	want := map[string]string{"discussions/D1": "one\n\nb1", "discussions/C1": "b2", "discussions/R1": "b3", "discussions/R2": "b4", "discussions/C2": "b5", "discussions/D2": "two\n\n"}
	if fmt.Sprint(got) != fmt.Sprint(want) || len(unread) > 0 || len(asked) != 5 {
		t.Errorf("got %q, unread %q, asked %q", got, unread, asked)
	}
	for answer, want := range map[string]string{
		fmt.Sprintf(all, page("same")):                     "the same again",
		`{"data":{"repository":null}}`:                     "not there",
		`{"errors":[{"type":"NOT_FOUND","message":"x"}]}`:  "not there",
		`{"errors":[{"type":"FORBIDDEN","message":"no"}]}`: "no",
		`[`: "unexpected EOF",
	} {
		s.fakes["/graphql"] = says(200, answer)
		if _, unread := read(t, texts(t, l, "", Discussions)); len(unread) != 1 || !strings.Contains(unread[0], want) {
			t.Errorf("%s: %q", answer, unread)
		}
	}
}

// TestGists lists the gists of members, and runs git with no URL of a stranger.
func TestGists(t *testing.T) {
	s, l := newTextServer(t)
	s.fakes["/orgs/ada/members"] = says(200, `[{"login":"eve"},{"login":"bob"}]`)
	s.fakes["/users/eve/gists"] = says(200, `[{"html_url":"https://gist.github.com/1","git_pull_url":"`+s.URL+`/gist/1.git"}]`)
	s.fakes["/users/bob/gists"] = says(200, `[]`)
	s.fakes["/orgs/solo/members"] = says(404, `{}`)
	s.fakes["/users/solo/gists"] = says(200, `[{"git_pull_url":"ext::sh -c x"}]`)
	var got []string
	list := func(owner string) error {
		return l.Gists(t.Context(), owner, nil, func(page APIPage[Gist]) error {
			for _, g := range page.Items {
				got = append(got, g.CloneURL)
			}
			return nil
		})
	}
	if err := list("ada"); err != nil || !slices.Equal(got, []string{s.URL + "/gist/1.git"}) {
		t.Errorf("%q: %v", got, err)
	}
	if err := list("solo"); err == nil || !strings.Contains(err.Error(), "not on its server") || len(got) != 1 {
		t.Errorf("%q: %v", got, err)
	}
}

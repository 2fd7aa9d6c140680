package github

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
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
}

func newTextServer(t *testing.T) (*textServer, *Lister) {
	t.Helper()
	s := &textServer{between: func() {}, fakes: map[string]fake{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	l, err := NewLister(s.URL, Static{detectors.NewSecret(token)}, "test")
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
		_, _ = w.Write([]byte("[]"))
	}
}

// list answers as GitHub does: "since" is inclusive, pages are counted.
func (s *textServer) list(w http.ResponseWriter, r *http.Request, items []item, path string) {
	since, _ := time.Parse(time.RFC3339, r.FormValue("since"))
	page, _ := strconv.Atoi(r.FormValue("page"))
	if len(s.asked) > 1 {
		s.between()
	}
	items = slices.DeleteFunc(slices.Clone(items), func(i item) bool { return i.updated.Before(since) })
	slices.SortFunc(items, func(a, b item) int {
		return cmp.Or(a.updated.Compare(b.updated), cmp.Compare(a.number, b.number))
	})
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
	_ = json.NewEncoder(w).Encode(answer)
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

func texts(t *testing.T, l *Lister, since time.Time, kinds ...string) *Texts {
	t.Helper()
	src, err := l.Texts("ada/app", kinds, since)
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
			got, unread := read(t, texts(t, l, time.Time{}, Issues))
			if len(got) != want || len(unread) > 0 || got["issues/2"] != "title 2\n\nbody 2" {
				t.Errorf("%d of %d issues, unread %v", len(got), want, unread)
			}
		})
	}
	s, l := newTextServer(t)
	page := fmt.Sprintf("[%s]", strings.TrimSuffix(strings.Repeat(`{"number":1,"pull_request":{},"updated_at":"2026-01-02T12:00:00Z"},`, perPage), ","))
	s.fakes["issues"] = says(200, page)
	if _, unread := read(t, texts(t, l, time.Time{}, Issues)); len(unread) != 1 || !strings.Contains(unread[0], "the same again") {
		t.Errorf("unread %v after %d requests", unread, len(s.asked))
	}
}

// TestTextsNext: the next run reads what was changed since, and only that.
func TestTextsNext(t *testing.T) {
	s, l := newTextServer(t)
	now := time.Now()
	s.issues = []item{{1, false, now.Add(-time.Hour)}, {2, false, now.Add(-2 * time.Hour)}}
	first := texts(t, l, time.Time{}, Issues, Pulls)
	if got, _ := read(t, first); len(got) != 2 {
		t.Error(got)
	}
	s.issues[1].updated = now
	second := texts(t, l, first.Next(), Issues, Pulls)
	if got, _ := read(t, second); len(got) != 1 || got["issues/2"] == "" {
		t.Error(got)
	}
	s.fakes["issues/comments"] = says(403, `{"message":"Resource not accessible by integration"}`)
	third := texts(t, l, second.Next(), Issues)
	if _, unread := read(t, third); len(unread) != 1 || !strings.Contains(unread[0], "not accessible") || !third.Next().Equal(second.Next()) {
		t.Errorf("unread %v, next %v", unread, third.Next())
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
			src := texts(t, l, time.Time{}, tt.kind)
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
		if got, unread := read(t, texts(t, l, time.Time{}, kind)); len(got)+len(unread) > 0 {
			t.Errorf("%s: got %q, unread %q", kind, got, unread)
		}
	}
	if _, err := l.Texts("ada/app", []string{"wishes"}, noon); err == nil {
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
		src := texts(t, l, noon.Add(-time.Hour), Issues, Actions)
		err := src.Blobs(t.Context(), func(b scanner.Blob) error { return b.Err })
		if limited := new(RateLimited); !errors.As(err, &limited) || time.Until(limited.Until) < 9*time.Minute || !src.Next().Equal(noon.Add(-time.Hour)) {
			t.Errorf("%s: %v, next %v", path, err, src.Next())
		}
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
	got, unread := read(t, texts(t, l, time.Time{}, Discussions))
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
		if _, unread := read(t, texts(t, l, time.Time{}, Discussions)); len(unread) != 1 || !strings.Contains(unread[0], want) {
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
		return l.Gists(t.Context(), owner, time.Time{}, func(g Gist) error {
			got = append(got, g.CloneURL)
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

package github

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A listServer has the repositories of ada, in the order of the list. As with GitHub, an ETag
// is that of the content of a page for a token, and an answer without content has no link.
type listServer struct {
	*textServer
	repos []Repository
	stars map[int64]int
	// sent are the ids that the answers since the last pass had, or would have had.
	sent []int64
	more bool // after the last one
}

func newListServer(t *testing.T, repos int) (*listServer, *Lister) {
	t.Helper()
	s := &listServer{stars: map[int64]int{}}
	var l *Lister
	s.textServer, l = newTextServer(t)
	for i := range repos {
		s.repos = append(s.repos, Repository{ID: int64(i + 1), PushedAt: noon.Add(-time.Duration(i) * time.Minute)})
	}
	s.fakes["/orgs/ada/repos"] = func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.FormValue("page"))
		n = max(n, 1)
		answer := []map[string]any{}
		for _, one := range s.repos[min(len(s.repos), (n-1)*perPage):min(len(s.repos), n*perPage)] {
			s.sent = append(s.sent, one.ID)
			answer = append(answer, map[string]any{"id": one.ID, "full_name": fmt.Sprint("ada/r", one.ID), "pushed_at": one.PushedAt, "stargazers_count": s.stars[one.ID], "topics": one.Topics})
		}
		header := w.Header()
		if s.more = n*perPage < len(s.repos); s.more {
			header.Set("Link", fmt.Sprintf(`<%s/orgs/ada/repos?page=%d>; rel="next"`, s.URL, n+1))
		}
		s.answer(w, r, answer)
		s.between()
	}
	return s, l
}

// A pageStore is a Known.
type pageStore map[string][]byte

func (p pageStore) known(_ context.Context, url string) ([]byte, error) { return p[url], nil }

// list lists ada, keeps its pages, and returns the ids.
func (p pageStore) list(t *testing.T, l *Lister) (ids []int64) {
	t.Helper()
	err := l.EachAPIPage(t.Context(), "ada", p.known, func(page APIPage[Repository]) (bool, error) {
		if page.Kept != nil {
			p[page.URL] = page.Kept
		}
		for _, r := range page.Items {
			ids = append(ids, r.ID)
		}
		return true, nil
	})
	if err != nil {
		t.Error(err)
	}
	return ids
}

// TestKnownPages: with whatever changes before and while a list is read, a known page yields
// the repositories that the page has now.
func TestKnownPages(t *testing.T) {
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // it makes tests
		s, l := newListServer(t, 100+random.IntN(240))
		next := int64(1000)
		change := func() {
			i := random.IntN(len(s.repos))
			switch one := s.repos[i]; random.IntN(6) {
			case 0: // a push
				s.repos = slices.Insert(slices.Delete(s.repos, i, i+1), 0, Repository{ID: one.ID, PushedAt: noon.Add(time.Duration(next) * time.Minute)})
			case 1:
				if len(s.repos) > perPage {
					s.repos = slices.Delete(s.repos, i, i+1)
				}
			case 2: // an old one comes from another owner
				s.repos = slices.Insert(s.repos, i, Repository{ID: next, PushedAt: one.PushedAt})
			case 3:
				s.repos = append(s.repos, Repository{ID: next})
			case 4: // the last page is full
				s.repos = s.repos[:max(perPage, len(s.repos)-len(s.repos)%perPage)]
			case 5:
				s.stars[one.ID]++
			}
			next++
		}
		kept := pageStore{}
		for range 12 {
			s.between = func() {}
			if random.IntN(3) == 0 {
				s.between = change
			}
			if random.IntN(3) == 0 {
				for range random.IntN(3) {
					change()
				}
			}
			s.sent = nil
			got := kept.list(t, l)
			var want []int64
			for _, id := range s.sent {
				if !slices.Contains(want, id) {
					want = append(want, id)
				}
			}
			if !slices.Equal(got, want) || s.more {
				t.Fatalf("seed %d: the pages had %v, listed are %v; there are more: %v", seed, want, got, s.more)
			}
		}
	}
}

// TestKnownPagesCost: a list that is as it was costs nothing, and a change costs the pages
// that it changes. A last page that is full is read each time: another one may follow.
func TestKnownPagesCost(t *testing.T) {
	s, l := newListServer(t, 250)
	kept := pageStore{}
	cost := func(step string, repos, want int) {
		t.Helper()
		s.asked, s.unchanged = nil, 0
		got := kept.list(t, l)
		if len(got) != repos || len(s.asked)-s.unchanged != want {
			t.Errorf("%s: %d repositories for %d of %d requests, want %d for %d", step, len(got), len(s.asked)-s.unchanged, len(s.asked), repos, want)
		}
	}
	cost("first", 250, 3)
	cost("again", 250, 0)
	s.stars[201]++
	cost("a star on page 3", 250, 1)
	s.repos = slices.Insert(slices.Delete(s.repos, 150, 151), 0, Repository{ID: 151, PushedAt: noon.Add(time.Hour)})
	cost("a push to one of page 2", 250, 2)
	s.repos = s.repos[:200]
	cost("the last page is empty", 200, 1)
	cost("again", 200, 0)
	clear(kept)
	cost("forgotten", 200, 2)
	cost("the last page is full", 200, 1)
	s.repos = append(s.repos, Repository{ID: 1000})
	cost("another one follows", 201, 2)
	cost("again", 201, 0)
	for url, page := range kept {
		kept[url] = []byte(strings.Replace(string(page), "Topics", "Labels", 1))
	}
	cost("kept by another version", 201, 3)
	for url := range kept {
		kept[url] = []byte("{")
	}
	cost("damaged", 201, 3)
	l.ofApp = true
	clear(kept)
	cost("an App", 201, 3)
	if len(kept) > 0 {
		t.Error("pages are kept whose ETags change each hour")
	}
}

// TestKnownGists: members and their gists cost nothing if they are as they were.
func TestKnownGists(t *testing.T) {
	s, l := newTextServer(t)
	members := []map[string]any{{"login": "eve"}, {"login": "bob"}}
	gists := map[string][]map[string]any{}
	s.fakes["/orgs/ada/members"] = func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, members) }
	for _, name := range []string{"eve", "bob", "kim"} {
		gists[name] = []map[string]any{{"html_url": "https://gist.github.com/" + name, "git_pull_url": s.URL + "/gist/" + name + ".git", "updated_at": noon}}
		s.fakes["/users/"+name+"/gists"] = func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, gists[name]) }
	}
	kept := pageStore{}
	cost := func(step, want string, counted int) {
		t.Helper()
		s.asked, s.unchanged = nil, 0
		var got []string
		err := l.Gists(t.Context(), "ada", kept.known, func(page APIPage[Gist]) error {
			if page.Kept != nil {
				kept[page.URL] = page.Kept
			}
			for _, g := range page.Items {
				got = append(got, g.WebURL[len("https://gist.github.com/"):]+" "+g.UpdatedAt.Format("15:04"))
			}
			return nil
		})
		if err != nil || strings.Join(got, ", ") != want || len(s.asked)-s.unchanged != counted {
			t.Errorf("%s: %q for %d of %d requests, want %q for %d: %v", step, got, len(s.asked)-s.unchanged, len(s.asked), want, counted, err)
		}
	}
	cost("first", "eve 12:00, bob 12:00", 3)
	cost("again", "eve 12:00, bob 12:00", 0)
	gists["bob"][0]["updated_at"] = noon.Add(time.Hour)
	cost("bob has changed his", "eve 12:00, bob 13:00", 1)
	members = append(members[1:], map[string]any{"login": "kim"})
	cost("eve has left, kim is new", "bob 13:00, kim 12:00", 2)
	gists["kim"] = []map[string]any{}
	cost("kim has removed hers", "bob 13:00", 1)
	cost("again", "bob 13:00", 0)
	if !json.Valid(kept[s.URL+"/orgs/ada/members?per_page=100"]) {
		t.Errorf("kept: %q", kept)
	}
}

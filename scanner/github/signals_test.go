package github

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// signalServer answers the query for signals, and counts the others.
type signalServer struct {
	changed                     time.Time // of the last discussion of ada/app
	without                     bool      // GitHub gives no signals
	signals, discussions, later int
}

func (s *signalServer) answer(w http.ResponseWriter, r *http.Request) {
	var sent struct {
		Query     string
		Variables struct{ After string }
	}
	_ = json.NewDecoder(r.Body).Decode(&sent)
	if !strings.Contains(sent.Query, "repositoryOwner") {
		s.discussions++
		says(200, `{"data":{"repository":{"discussions":{"nodes":[{"id":"D1","title":"one"}]}}}}`)(w, r)
		return
	}
	s.signals++
	if s.without {
		says(200, `{"data":{"repositoryOwner":null},"errors":[{"message":"Resource not accessible by integration"}]}`)(w, r)
		return
	}
	const none = `{"totalCount":0,"nodes":[]}`
	var nodes []string
	for i := range 100 {
		name, at := fmt.Sprintf("ada/r%s%d", sent.Variables.After, i), noon
		if i == 50 && (sent.Variables.After == "next") == (s.later > 0) {
			name, at = "Ada/App", s.changed
		}
		nodes = append(nodes, fmt.Sprintf(`{"nameWithOwner":%q,"issues":%[2]s,"pullRequests":%[2]s,"releases":%[2]s,"discussions":{"totalCount":1,"nodes":[{"updatedAt":%[3]q}]}}`, name, none, at.Format(time.RFC3339)))
	}
	says(200, fmt.Sprintf(`{"data":{"repositoryOwner":{"repositories":{"pageInfo":{"hasNextPage":%v,"endCursor":"next"},"nodes":[%s]}}}}`, sent.Variables.After == "", strings.Join(nodes, ",")))(w, r)
}

// TestTextsSignal: one request tells of a hundred repositories that their discussions are
// as they were. It is believed for a week, and not if there is news of a repository.
func TestTextsSignal(t *testing.T) {
	s, l := newTextServer(t)
	g := &signalServer{changed: noon}
	s.fakes["/graphql"] = g.answer
	cursor := ""
	look := func(batch, complete bool, signals, discussions int, why string) {
		t.Helper()
		g.signals, g.discussions = 0, 0
		src := texts(t, l, cursor, Issues, Discussions)
		src.Batch = batch
		if _, unread := read(t, src); len(unread) > 0 {
			t.Errorf("%s: unread %v", why, unread)
		}
		cursor = next(t, src, complete)
		if g.signals != signals || g.discussions != discussions {
			t.Errorf("%s: %d requests for signals and %d for discussions, want %d and %d", why, g.signals, g.discussions, signals, discussions)
		}
	}
	look(true, true, 1, 1, "first")
	g.later = 1 // the signal was used: the next page is asked for
	look(true, true, 1, 0, "nothing new")
	g.changed = noon.Add(time.Second)
	look(true, true, 1, 1, "no signal on this page")
	g.later = 0
	look(true, true, 1, 1, "changed")
	look(false, true, 0, 1, "news")
	look(true, true, 1, 1, "after news, which took no signal")

	// A page serves the other repositories of it.
	g.signals = 0
	for i := range 40 {
		if signal, err := l.signals.take(t.Context(), l.sender, fmt.Sprintf("ada/rnext%d", i)); err != nil || signal == "" {
			t.Fatal(signal, err)
		}
	}
	if g.signals > 1 {
		t.Errorf("%d requests for a page", g.signals)
	}

	// It is not believed for ever, and not at all if GitHub says nothing.
	l.signals = &signals{}
	look(true, true, 1, 0, "as before")
	var c map[string]*feedCursor
	if err := json.Unmarshal([]byte(cursor), &c); err != nil {
		t.Fatal(err)
	}
	c[signalName].Since = time.Now().Add(-signalTime - 4*24*time.Hour) // says has a clock that is behind
	old, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	cursor, l.signals = string(old), &signals{}
	look(true, true, 1, 1, "after a week")
	g.without, l.signals = true, &signals{}
	look(true, true, 1, 1, "without signals")
	look(true, true, 0, 1, "without signals, again")
}

// TestTextsSignalApp: with an App, whose ETags are of no use, the signal stands for all
// lists but those of Actions.
func TestTextsSignalApp(t *testing.T) {
	s, l := newTextServer(t)
	g := &signalServer{changed: noon}
	s.fakes["/graphql"] = g.answer
	s.fakes["actions/runs"], s.fakes["actions/artifacts"] = says(200, `{}`), says(200, `{}`)
	l.ofApp = true
	src := texts(t, l, "", Issues, Pulls, Releases, Actions, Discussions)
	src.Batch = true
	read(t, src)
	if len(s.asked) != 9 {
		t.Errorf("first: %q", s.asked)
	}
	s.asked, l.signals = nil, &signals{}
	src = texts(t, l, next(t, src, true), Issues, Pulls, Releases, Actions, Discussions)
	src.Batch = true
	read(t, src)
	if len(s.asked) != 3 || g.signals != 2 || g.discussions != 1 {
		t.Errorf("nothing new: %q", s.asked)
	}
}

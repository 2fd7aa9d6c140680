package github

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
)

// listerOf returns a Lister that asks a server with these answers, by path and query.
func listerOf(t *testing.T, answers map[string]func(http.ResponseWriter)) *Lister {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if answer := answers[r.URL.RequestURI()]; answer != nil {
			answer(w)
			return
		}
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"message":"Not Found"}`)
	}))
	t.Cleanup(srv.Close)
	l, err := NewLister(srv.URL, Static{Secret: detectors.NewSecret("t")}, "test")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func with(body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { fmt.Fprint(w, body) }
}

// TestLookUp finds a repository by its name, or by its id if another one has the name.
func TestLookUp(t *testing.T) {
	l := listerOf(t, map[string]func(http.ResponseWriter){
		"/repos/acme/app":   with(`{"id":1,"full_name":"acme/app"}`),
		"/repos/acme/taken": with(`{"id":3,"full_name":"acme/taken"}`),
		"/repos/acme/old": func(w http.ResponseWriter) {
			w.Header().Set("Location", "/repositories/2")
			w.WriteHeader(http.StatusMovedPermanently)
		},
		"/repositories/2": with(`{"id":2,"full_name":"acme/new"}`),
	})
	for _, tt := range []struct {
		name string
		id   int64
		want string // "" for gone
	}{{"acme/app", 1, "acme/app"}, {"acme/old", 2, "acme/new"}, {"acme/taken", 2, "acme/new"}, {"acme/taken", 9, ""}, {"acme/none", 9, ""}} {
		r, err := l.LookUp(t.Context(), tt.name, tt.id)
		if r.Name != tt.want || (tt.want == "") != errors.Is(err, ErrGone) {
			t.Errorf("%s: %+v, %v", tt.name, r, err)
		}
	}
}

// TestCount counts by the number of the last page.
func TestCount(t *testing.T) {
	link := func(next string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Link", next)
			fmt.Fprint(w, `[{"id":1,"full_name":"acme/app"}]`)
		}
	}
	l := listerOf(t, map[string]func(http.ResponseWriter){
		"/orgs/acme/repos?type=all&per_page=1":  link(`<https://h/orgs/acme/repos?page=2>; rel="next", <https://h/orgs/acme/repos?type=all&page=314>; rel="last"`),
		"/orgs/one/repos?type=all&per_page=1":   with(`[{"id":1,"full_name":"acme/app"}]`),
		"/orgs/empty/repos?type=all&per_page=1": with(`[]`),
		"/orgs/old/repos?type=all&per_page=1":   with(`[{"id":1,"full_name":"acme/app"},{"id":2,"full_name":"acme/b"}]`),
		"/orgs/odd/repos?type=all&per_page=1":   link(`<https://h/x?page=many>; rel="last"`),
		"/orgs/bad/repos?type=all&per_page=1":   link(`<https://h:x/>; rel="last"`),
		"/orgs/no/repos?type=all&per_page=1":    func(w http.ResponseWriter) { w.WriteHeader(http.StatusForbidden) },
	})
	for target, want := range map[string]int{"acme": 314, "one": 1, "empty": 0, "old": -1, "odd": -1, "bad": -1, "user": -1, "acme/app": 1} {
		if n, err := l.Count(t.Context(), target); n != want || err != nil {
			t.Errorf("%s: %d, %v, want %d", target, n, err, want)
		}
	}
	if _, err := l.Count(t.Context(), "no"); !errors.Is(err, ErrDenied) {
		t.Errorf("the error is %v", err)
	}
	if _, err := l.Count(t.Context(), "no such name"); err == nil {
		t.Error("a name that is none is no error")
	}
}

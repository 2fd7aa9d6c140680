package teampage_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/report/html"
	"github.com/stanch-dev/stanch/scanner/sweep/teampage"
)

func get(t *testing.T, h http.Handler, method, path, etag string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	if etag != "" {
		r.Header.Set("If-None-Match", etag)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestHandler asks for every file of the page, for those that the page names, and for others.
func TestHandler(t *testing.T) {
	h, err := teampage.Page{Style: html.Style(), States: html.States(), Report: "/report.html"}.Handler()
	if err != nil {
		t.Fatal(err)
	}
	page := get(t, h, http.MethodGet, "/", "")
	named := regexp.MustCompile(`(?:href|src)="(/assets/[^"]+)"`).FindAllStringSubmatch(page.Body.String(), -1)
	if page.Code != http.StatusOK || len(named) < 10 || !strings.Contains(page.Body.String(), `<a href="/report.html">`) {
		t.Fatalf("the page: %d, %d files, %s", page.Code, len(named), page.Body)
	}
	var preloaded []string
	for _, name := range named {
		preloaded = append(preloaded, name[1])
		w := get(t, h, http.MethodGet, name[1], "")
		want := "text/javascript; charset=utf-8"
		if strings.HasSuffix(name[1], ".css") {
			want = "text/css; charset=utf-8"
		}
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != want || w.Header().Get("Content-Security-Policy") != teampage.Policy || w.Body.Len() == 0 {
			t.Errorf("%s: %d, %v", name[1], w.Code, w.Header())
		}
		if w := get(t, h, http.MethodGet, name[1], w.Header().Get("ETag")); w.Code != http.StatusNotModified {
			t.Errorf("%s, again: %d", name[1], w.Code)
		}
	}
	for _, tt := range []struct {
		method, path string
		code         int
	}{
		{http.MethodHead, "/", http.StatusOK},
		{http.MethodGet, "/index.html", http.StatusNotFound},
		{http.MethodGet, "/assets/index.html", http.StatusNotFound},
		{http.MethodGet, "/assets/../teampage.go", http.StatusNotFound},
		{http.MethodGet, "/assets/", http.StatusNotFound},
		{http.MethodPost, "/", http.StatusMethodNotAllowed},
	} {
		if w := get(t, h, tt.method, tt.path, ""); w.Code != tt.code {
			t.Errorf("%s %s: %d, want %d", tt.method, tt.path, w.Code, tt.code)
		}
	}
	// A script that is not named would be loaded after another one, a trip later.
	scripts, err := filepath.Glob("assets/*.js")
	if err != nil || len(scripts) == 0 {
		t.Fatal(err)
	}
	for _, s := range scripts {
		if !slices.Contains(preloaded, "/"+filepath.ToSlash(s)) {
			t.Errorf("index.html does not name %s", s)
		}
	}
}

// TestScriptsMakeNoMarkup: text of strangers becomes a text node, nothing else.
func TestScriptsMakeNoMarkup(t *testing.T) {
	forbidden := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|\beval\b|new Function|srcdoc|setHTMLUnsafe|setTimeout\('|style=`)
	scripts, err := filepath.Glob("assets/*")
	if err != nil || len(scripts) == 0 {
		t.Fatal(err)
	}
	for _, name := range scripts {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if found := forbidden.Find(text); found != nil {
			t.Errorf("%s has %s", name, found)
		}
		if lines := strings.Count(string(text), "\n"); lines > 400 {
			t.Errorf("%s has %d lines", name, lines)
		}
		if foreign := regexp.MustCompile(`https?://[a-z]`).FindAll(text, -1); slices.ContainsFunc(foreign, func(b []byte) bool { return string(b) != "http://w" }) {
			t.Errorf("%s names another server: %s", name, foreign)
		}
	}
}

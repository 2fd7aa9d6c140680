//go:build sweep

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// A simulated is a GitHub with the organization acme: its API, and a real git behind it.
type simulated struct {
	url string // of the API
	dir string // of the repositories

	mu    sync.Mutex
	repos []*simulatedRepo
	clock time.Time
	calls []string // requests of the API, without the host
	git   []string // requests of git
	// fault may answer a request in place of the server, if it returns true.
	fault func(w http.ResponseWriter, r *http.Request) bool
}

type simulatedRepo struct {
	ID       int       `json:"id"`
	Name     string    `json:"full_name"`
	Fork     bool      `json:"fork"`
	Archived bool      `json:"archived"`
	Private  bool      `json:"private"`
	Wiki     bool      `json:"has_wiki"`
	Pushed   time.Time `json:"pushed_at"`
	parent   string
	activity []map[string]string
}

// simulate returns a GitHub that is closed with the test.
func simulate(t *testing.T) *simulated {
	t.Helper()
	s := &simulated{dir: t.TempDir(), clock: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	binary, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	backend := &cgi.Handler{Path: binary, Args: []string{"http-backend"}, Env: []string{"GIT_PROJECT_ROOT=" + s.dir, "GIT_HTTP_EXPORT_ALL=1"}, Stderr: t.Output()}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "x-access-token" || password != gitHubToken {
			w.Header().Set("WWW-Authenticate", "Basic")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		backend.ServeHTTP(w, r)
	})
	mux.HandleFunc("/api/v3/", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+gitHubToken {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		s.answer(w, r)
	})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		if strings.HasPrefix(r.URL.Path, "/api/") {
			s.calls = append(s.calls, strings.TrimPrefix(r.URL.RequestURI(), "/api/v3"))
		} else {
			s.git = append(s.git, r.Method+" "+r.URL.Path)
		}
		fault := s.fault
		s.mu.Unlock()
		if fault == nil || !fault(w, r) {
			mux.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	s.url = srv.URL + "/api/v3"
	return s
}

func (s *simulated) answer(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/api/v3")
	put := func(v any) { _ = json.NewEncoder(w).Encode(v) }
	switch name := strings.TrimPrefix(path, "/repos/"); {
	case path == "/orgs/acme/repos":
		s.list(w, r)
		return
	case strings.HasSuffix(name, "/activity"):
		events := []map[string]string{}
		if repo := s.find(strings.TrimSuffix(name, "/activity")); repo != nil && r.FormValue("activity_type") != "branch_deletion" {
			events = append(events, repo.activity...)
		}
		put(events)
		return
	case s.find(name) != nil:
		repo := s.find(name)
		var parent map[string]string
		if repo.parent != "" {
			parent = map[string]string{"full_name": repo.parent}
		}
		put(struct {
			*simulatedRepo
			Parent map[string]string `json:"parent,omitempty"`
		}{repo, parent})
		return
	}
	w.WriteHeader(http.StatusNotFound)
	put(map[string]string{"message": "Not Found"})
}

func (s *simulated) list(w http.ResponseWriter, r *http.Request) {
	list := slices.Clone(s.repos)
	slices.SortStableFunc(list, func(a, b *simulatedRepo) int { return b.Pushed.Compare(a.Pushed) })
	page := 1
	_, _ = fmt.Sscan(r.FormValue("page"), &page)
	size := 5 // instead of 100
	if r.FormValue("per_page") == "1" {
		size = 1
	}
	from, to := min((page-1)*size, len(list)), min(page*size, len(list))
	if to < len(list) {
		at := "http://" + r.Host + r.URL.Path
		w.Header().Set("Link", fmt.Sprintf(`<%s?page=%d>; rel="next", <%s?page=%d>; rel="last"`, at, page+1, at, (len(list)+size-1)/size))
	}
	_ = json.NewEncoder(w).Encode(append([]*simulatedRepo{}, list[from:to]...))
}

func (s *simulated) find(name string) *simulatedRepo {
	for _, r := range s.repos {
		if r.Name == "acme/"+strings.TrimPrefix(name, "acme/") {
			return r
		}
	}
	return nil
}

// repo adds a repository. It is a fork of parent, if that is not "".
func (s *simulated) repo(t *testing.T, name, parent, script string) *simulatedRepo {
	t.Helper()
	s.mu.Lock()
	r := &simulatedRepo{ID: 100 + len(s.repos), Name: "acme/" + name}
	if parent != "" {
		r.Fork, r.parent = true, "acme/"+parent
	}
	s.repos = append(s.repos, r)
	s.mu.Unlock()
	bare := filepath.Join(s.dir, r.Name+".git")
	if parent != "" {
		scannertest.Git(t, s.dir, "clone", "-q", "--mirror", filepath.Join(s.dir, "acme", parent+".git"), bare)
	} else {
		scannertest.Git(t, s.dir, "init", "-q", "--bare", "-b", "main", bare)
	}
	scannertest.Git(t, bare, "config", "uploadpack.allowAnySHA1InWant", "true")
	s.push(t, name, script)
	return r
}

// push runs a script in a clone of a repository, and pushes what it makes. leak N FILE
// writes the key N.
func (s *simulated) push(t *testing.T, name, script string) {
	t.Helper()
	work, bare := t.TempDir(), filepath.Join(s.dir, "acme", name+".git")
	scannertest.Git(t, work, "clone", "-q", bare, ".")
	text := `set -e
leak() { n=$1; sed "s/@/$n/g" <<'END' | while read -r line; do eval "echo \"$line\""; done >$2
aws_access_key_id = $id@
aws_secret_access_key = $secret@
END
}
commit() { git add -A; git -c user.name=A -c user.email=a@example.com commit -qm "$1"; }
`
	for n := range 9 {
		text += detectorstest.Fill(fmt.Sprintf("id%d='{AKIA%d}' secret%d='{secret%d}'\n", n, n, n, n))
	}
	cmd := exec.Command("sh", "-c", text+script)
	cmd.Dir = work
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, out)
	}
	if out, err := exec.Command("git", "-C", work, "rev-parse", "-q", "--verify", "HEAD").CombinedOutput(); err == nil {
		scannertest.Git(t, work, "push", "-q", "--force", "--all")
	} else if len(out) > 0 {
		t.Fatalf("%s", out)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = s.clock.Add(time.Minute)
	s.find(name).Pushed = s.clock
}

// head returns the id of the default branch of a repository.
func (s *simulated) head(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("git", "-C", filepath.Join(s.dir, "acme", name+".git"), "rev-parse", "HEAD").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// force notes that a commit was forced away.
func (s *simulated) force(name, before string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.find(name)
	r.activity = append(r.activity, map[string]string{"before": before, "ref": "refs/heads/main", "activity_type": "force_push", "timestamp": time.Now().UTC().Format(time.RFC3339)})
}

// taken returns the requests since the last call.
func (s *simulated) taken() (calls, git []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls, git, s.calls, s.git = s.calls, s.git, nil, nil
	return calls, git
}

// setFault sets what answers in place of the server, nil for nothing.
func (s *simulated) setFault(f func(w http.ResponseWriter, r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

func (s *simulated) remove(t *testing.T, name string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repos = slices.DeleteFunc(s.repos, func(r *simulatedRepo) bool { return r.Name == "acme/"+name })
	if err := os.RemoveAll(filepath.Join(s.dir, "acme", name+".git")); err != nil {
		t.Fatal(err)
	}
}

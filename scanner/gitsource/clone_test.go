package gitsource

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// password is what no error, argument or file may show.
const password = "p@ss:word-of-mine"

// serve serves the folder over smart HTTP to who knows the password, and
// returns the URL with it.
func serve(t *testing.T, folder string) string {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	backend := &cgi.Handler{Path: git, Args: []string{"http-backend"}, Env: []string{"GIT_PROJECT_ROOT=" + folder, "GIT_HTTP_EXPORT_ALL=1"}, Stderr: io.Discard}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, pass, _ := r.BasicAuth(); user != "me" || pass != password {
			w.Header().Set("WWW-Authenticate", "Basic")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		backend.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	return strings.Replace(srv.URL, "://", "://me:p%40ss%3Aword-of-mine@", 1)
}

func TestClone(t *testing.T) {
	dir := scannertest.Repo(t, put+`put f main; commit 1; put f pulled; commit 2; git update-ref refs/pull/1/head HEAD; git reset -q --hard HEAD~; git init -q --bare ../empty`+"\n")
	base := serve(t, filepath.Dir(dir))
	for _, engine := range []string{"git", "go-git"} {
		t.Run(engine, func(t *testing.T) {
			temp := t.TempDir()
			t.Setenv("TMPDIR", temp)
			t.Setenv("GIT_DIR", "/nowhere") // as in a hook
			if engine == "go-git" {
				t.Setenv("PATH", "")
			}
			for path, want := range map[string]string{"/repo/.git": "main pulled", "/empty": ""} {
				var progress bytes.Buffer
				r, err := Clone(context.Background(), base+path, &progress)
				if err != nil {
					t.Fatal(err)
				}
				if got := read(t, r).contents(); got != want {
					t.Errorf("blobs are %q, want %q", got, want)
				}
				checkNoPassword(t, r.dir.GitDir)
				if err := errors.Join(r.Close(), r.Close()); err != nil {
					t.Error(err)
				}
			}
			checkNothingLeft(t, temp)
		})
	}
}

func checkNoPassword(t *testing.T, gitDir string) {
	t.Helper()
	config, err := os.ReadFile(filepath.Join(gitDir, "config"))
	if err != nil || strings.Contains(string(config), "ss") && strings.Contains(string(config), "word-of-mine") {
		t.Errorf("config of the clone: %s, %v", config, err)
	}
}

func checkNothingLeft(t *testing.T, dir string) {
	t.Helper()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left in the temporary folder: %v, %v", left, err)
	}
}

func TestCloneErrors(t *testing.T) {
	scannertest.Need(t, "git")
	base := serve(t, t.TempDir())
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	tests := []struct {
		name, url string
		ctx       context.Context
		want      string
	}{
		{"no_such_repository", base + "/none", context.Background(), "/none: git clone: "},
		{"bad_url", "https://me:word-of-mine/1@host/%zz", context.Background(), "cloning https://[redacted]@host/%zz: not a valid URL"},
		{"password_of_ssh", "ssh://me:word-of-mine@127.0.0.1:1/x", context.Background(), "cloning ssh://me@127.0.0.1:1/x: "},
		{"protocol_that_runs_commands", "ext::sh -c touch% /tmp/x", context.Background(), "not allowed"},
		{"cancelled", base + "/none", cancelled, "context canceled"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			temp := t.TempDir()
			t.Setenv("TMPDIR", temp)
			_, err := Clone(tt.ctx, tt.url, nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "word-of-mine") {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			checkNothingLeft(t, temp)
		})
	}
}

// TestCloneRedirected follows a repository that was renamed, and takes the password to
// no other host: git would send it along from the second request on.
func TestCloneRedirected(t *testing.T) {
	dir := scannertest.Repo(t, put+"put f main; commit 1\n")
	backend, err := url.Parse(serve(t, filepath.Dir(dir)))
	if err != nil {
		t.Fatal(err)
	}
	leaked := false
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _, sent := r.BasicAuth()
		leaked = leaked || sent
		r.SetBasicAuth("me", password)
		httputil.NewSingleHostReverseProxy(&url.URL{Scheme: backend.Scheme, Host: backend.Host}).ServeHTTP(w, r)
	}))
	defer stranger.Close()
	mux := http.NewServeMux()
	mux.Handle("/", httputil.NewSingleHostReverseProxy(&url.URL{Scheme: backend.Scheme, Host: backend.Host}))
	mux.HandleFunc("/old/", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/repo/.git/info/refs?"+r.URL.RawQuery, http.StatusMovedPermanently)
	})
	mux.HandleFunc("/away/", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, stranger.URL+"/repo/.git/info/refs?"+r.URL.RawQuery, http.StatusMovedPermanently)
	})
	srv := httptest.NewServer(mux)
	defer srv.Close()
	base := strings.Replace(srv.URL, "://", "://"+backend.User.String()+"@", 1)
	r, err := Clone(context.Background(), base+"/old", nil)
	if err != nil {
		t.Fatalf("renamed: %v", err)
	}
	if got := read(t, r).contents(); got != "main" {
		t.Errorf("renamed: blobs are %q", got)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	r, err = Clone(context.Background(), base+"/away", nil)
	if err == nil || strings.Contains(err.Error(), "word-of-mine") {
		t.Errorf("another host: got %v", err)
		_ = r.Close()
	}
	if leaked {
		t.Error("the password went to another host")
	}
}

// TestCloneCancelled cancels while git waits for the server.
func TestCloneCancelled(t *testing.T) {
	scannertest.Need(t, "git")
	ctx, cancel := context.WithCancel(context.Background())
	left := make(chan struct{}, 100) // git may ask again
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
		left <- struct{}{}
	}))
	defer srv.Close()
	defer srv.CloseClientConnections()
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	if _, err := Clone(ctx, srv.URL+"/x", io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	select {
	case <-left:
	case <-time.After(20 * time.Second):
		t.Error("a child of git goes on after the end")
	}
	checkNothingLeft(t, temp)
}

func TestRemoteConfig(t *testing.T) {
	tests := []struct {
		url  string
		want [][2]string
	}{
		{"https://me:pw@h:8/x", [][2]string{{"http.https://h:8/.extraHeader", "Authorization: Basic bWU6cHc="}, {"http.https://h:8/.followRedirects", "false"}}},
		{"https://me@h/x", [][2]string{{"credential.https://h/.username", "me"}}},
		{"https://" + strings.Repeat("t", 20) + "@h/x", [][2]string{
			{"http.https://h/.extraHeader", "Authorization: Basic dHR0dHR0dHR0dHR0dHR0dHR0dHQ6"}, {"http.https://h/.followRedirects", "false"},
		}},
		{"https://h/x", nil},
	}
	for _, tt := range tests {
		r, err := parseRemote(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.config(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: settings are %q", tt.url, got)
		}
		if strings.Contains(r.url, "@") {
			t.Errorf("%s: argument is %s", tt.url, r.url)
		}
	}
}

func TestIsURL(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("git@host:here", 0o700); err != nil {
		t.Skip(err) // Windows has no such names
	}
	for operand, want := range map[string]bool{
		"https://github.com/a/b": true, "ssh://git@h/x": true, "file:///x": true, "git@github.com:a/b.git": true, "host:path": true,
		".": false, "..": false, "dir/sub": false, `C:\repo`: false, "C:/repo": false, "/abs:olute": false, "./a:b": false,
		"git@host:here": false, "": false, "-x": false,
	} {
		if got := IsURL(operand); got != want {
			t.Errorf("IsURL(%q) is %v", operand, got)
		}
	}
}

func TestRedact(t *testing.T) {
	for operand, want := range map[string]string{
		"https://me:pw@h/x":             "https://h/x",
		"https://token@h/x":             "https://h/x",
		"https://h/@scope/x":            "https://h/@scope/x",
		"https://me:pw@h/@scope/x":      "https://h/@scope/x",
		"https://me:p@ss@h/x":           "https://h/x",
		"https://me:pw/1@host/%zz":      "https://host/%zz",
		"https://me:p%zz@host/x":        "https://host/x",
		"ssh://git@h:2222/x":            "ssh://h:2222/x",
		"git@github.com:a/b.git":        "git@github.com:a/b.git",
		"dir/@x":                        "dir/@x",
		"https://h/A%2fb?c=%41#d":       "https://h/A%2fb?c=%41#d",
		"https://me:pw@h/A%2fb?c=%41#d": "https://h/A%2fb?c=%41#d",
	} {
		if got := Redact(operand); got != want {
			t.Errorf("Redact(%q) is %q, want %q", operand, got, want)
		}
	}
}

// TestCloneHostile clones from a server that talks to the terminal.
func TestCloneHostile(t *testing.T) {
	scannertest.Need(t, "git")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
		_, _ = io.WriteString(w, "001e# service=git-upload-pack\n00000014ERR \x1b]0;owned\x07\x1b[2J")
	}))
	defer srv.Close()
	for _, path := range []string{os.Getenv("PATH"), ""} {
		t.Setenv("PATH", path)
		var progress bytes.Buffer
		_, err := Clone(context.Background(), srv.URL+"/x", &progress)
		if err == nil || strings.ContainsAny(err.Error()+progress.String(), "\x1b\a") {
			t.Errorf("got %q, progress %q", err, progress.String())
		}
	}
}

package gitsource

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/scannertest"
)

func TestClone(t *testing.T) {
	dir := scannertest.Repo(t, put+`put f main; commit 1; put f pulled; commit 2; git update-ref refs/pull/1/head HEAD; git reset -q --hard HEAD~; git init -q --bare ../empty`+"\n")
	base := scannertest.GitServer(t, filepath.Dir(dir))
	for _, engine := range []string{"own", "git", "go-git"} {
		t.Run(engine, func(t *testing.T) {
			temp := t.TempDir()
			t.Setenv("TMPDIR", temp)
			t.Setenv("GIT_DIR", "/nowhere") // as in a hook
			setGit(t)
			if engine != "own" {
				t.Setenv("GIT_HTTP_USER_AGENT", "only git knows it")
			}
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
				if want != "" && !strings.Contains(progress.String(), "objects: 100% (") {
					t.Errorf("progress: %q", progress.String())
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
	base := scannertest.GitServer(t, t.TempDir())
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	tests := []struct {
		name, url string
		ctx       context.Context
		want      string
	}{
		{"no_such_repository", base + "/none", context.Background(), "/none: git clone failed (exit status 128): "},
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
	t.Parallel()
	dir := scannertest.Repo(t, put+"put f main; commit 1\n")
	backend, err := url.Parse(scannertest.GitServer(t, filepath.Dir(dir)))
	if err != nil {
		t.Fatal(err)
	}
	leaked := false
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _, sent := r.BasicAuth()
		leaked = leaked || sent
		r.SetBasicAuth("me", scannertest.Password)
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

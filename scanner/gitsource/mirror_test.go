package gitsource

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// setGit sets settings of git, as a user's configuration does.
func setGit(t *testing.T, settings ...string) {
	t.Helper()
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	t.Setenv("GIT_CONFIG_COUNT", fmt.Sprint(len(settings)/2))
	for i := 0; i < len(settings); i += 2 {
		t.Setenv(fmt.Sprint("GIT_CONFIG_KEY_", i/2), settings[i])
		t.Setenv(fmt.Sprint("GIT_CONFIG_VALUE_", i/2), settings[i+1])
	}
}

// cloneOf clones, and reports whether git did it: git writes the URL into the configuration.
func cloneOf(t *testing.T, url string) (r *Repository, byGit bool) {
	t.Helper()
	r, err := Clone(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	config, err := os.ReadFile(filepath.Join(r.dir.GitDir, "config"))
	if err != nil {
		t.Fatal(err)
	}
	return r, strings.Contains(string(config), "remote")
}

// TestMirror: the own client makes the repository that git clone --mirror makes.
func TestMirror(t *testing.T) {
	dir := scannertest.Repo(t, put+`put f main; commit 1; put f pulled; commit 2; git update-ref refs/pull/1/head HEAD; git notes add -m note
git tag light; git tag -a -m m annotated; put f stashed; git stash -q; git branch side; git reset -q --hard HEAD~
git init -q --bare ../empty
git clone -q --mirror . ../detached; git -C ../detached update-ref --no-deref HEAD side
git clone -q --mirror . ../unborn; git -C ../unborn symbolic-ref HEAD refs/heads/none
git clone -q --bare --depth=1 "file://$PWD" ../shallow
git clone -q --mirror . ../packed; git -C ../packed gc -q
`)
	base := scannertest.GitServer(t, filepath.Dir(dir))
	for _, name := range []string{"repo/.git", "empty", "detached", "unborn", "shallow", "packed"} {
		var want, got string
		for _, asGit := range []bool{true, false} {
			if asGit {
				setGit(t, "http.lowSpeedLimit", "1")
			} else {
				setGit(t)
			}
			r, byGit := cloneOf(t, base+"/"+name)
			if byGit != asGit {
				t.Errorf("%s: cloned by git: %v", name, byGit)
			}
			checkNoPassword(t, r.dir.GitDir)
			texts := read(t, r)                   // which makes the index
			texts.texts[finding.KindConfig] = nil // git writes more
			state := fmt.Sprint(texts.texts, texts.errs, "\n") + scannertest.Git(t, r.dir.GitDir, "for-each-ref") + "\n" +
				scannertest.Git(t, r.dir.GitDir, "cat-file", "--batch-check", "--batch-all-objects")
			if name != "empty" && name != "unborn" { // each has a branch that is not there
				state += "\n" + scannertest.Git(t, r.dir.GitDir, "rev-parse", "HEAD") + scannertest.Git(t, r.dir.GitDir, "fsck", "--connectivity-only")
				if name != "detached" { // of which git makes a branch with the same commit
					state += scannertest.Git(t, r.dir.GitDir, "symbolic-ref", "HEAD")
				}
			}
			shallow, _ := os.ReadFile(filepath.Join(r.dir.GitDir, "shallow"))
			state += strings.TrimSpace(string(shallow))
			if got = state; asGit {
				want = state
			}
		}
		if got != want {
			t.Errorf("%s: the own client gets\n%s\nand git gets\n%s", name, got, want)
		}
	}
}

// TestMirrorIndex: the index is made by the first walk, or before by the first look-up, or
// because that walk will not put all objects together.
func TestMirrorIndex(t *testing.T) {
	setGit(t)
	dir := scannertest.Repo(t, put+"put f main; put g 2; commit 1; put f other; commit 2; git gc -q\n")
	url := scannertest.GitServer(t, filepath.Dir(dir)) + "/repo/.git"
	hasIndex := func(r *Repository) bool {
		files, err := filepath.Glob(filepath.Join(r.dir.GitDir, "objects/pack/*.idx"))
		return err == nil && len(files) == 1
	}
	for name, prepare := range map[string]func(*Repository){
		"walk":     func(*Repository) {},
		"look_up":  func(r *Repository) { _, _ = r.AtHead("f") },
		"limit":    func(r *Repository) { r.MaxBlobSize = 1 << 20 },
		"state":    func(r *Repository) { r.Seen = &State{} },
		"locate":   func(r *Repository) { _ = r.Locate(t.Context(), []finding.BlobID{"x"}, nil) },
		"reaching": func(r *Repository) { r.ReachableOnly = true },
	} {
		r, _ := cloneOf(t, url)
		if hasIndex(r) {
			t.Errorf("%s: there is an index before anything is read", name)
		}
		prepare(r)
		if got := hasIndex(r); got != (name == "look_up") {
			t.Errorf("%s: there is an index: %v", name, got)
		}
		for range 2 {
			if texts := read(t, r); texts.contents() != "2 main other" || len(texts.errs) > 0 || !hasIndex(r) {
				t.Errorf("%s: blobs are %q, unread %q", name, texts.contents(), texts.errs)
			}
			id := scannertest.Git(t, dir, "rev-parse", "HEAD:g")
			var at []string
			err := r.Locate(t.Context(), []finding.BlobID{finding.BlobID(id)}, func(_ finding.BlobID, l finding.Location) error {
				at = append(at, fmt.Sprint(l.Path, l.AtHead))
				return nil
			})
			if err != nil || fmt.Sprint(at) != "[gtrue]" {
				t.Errorf("%s: located at %v, %v", name, at, err)
			}
		}
	}
}

// TestMirrorLeftToGit: git reads a repository that only its settings lead to.
func TestMirrorLeftToGit(t *testing.T) {
	dir := scannertest.Repo(t, put+"put f main; commit 1; git init -q --bare --object-format=sha256 ../new; git -C ../new update-ref refs/heads/main $(git -C ../new commit-tree -m m $(git -C ../new write-tree </dev/null))\n")
	backend, err := url.Parse(scannertest.GitServer(t, filepath.Dir(dir)))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: backend.Scheme, Host: backend.Host})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Key") == "sesame" {
			r.SetBasicAuth("me", scannertest.Password)
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	open := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.SetBasicAuth("me", scannertest.Password)
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(open.Close)
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, open.URL+r.URL.RequestURI(), http.StatusMovedPermanently)
	}))
	t.Cleanup(away.Close)
	const helper = "!f() { echo username=me; echo password='" + scannertest.Password + "'; }; f"
	withUser := strings.Replace(srv.URL, "://", "://"+backend.User.String()+"@", 1)
	tests := []struct {
		name, url string
		settings  []string
		env       [2]string
		git       bool
	}{
		{"nothing", withUser + "/repo/.git", nil, [2]string{}, false},
		{"anybody", open.URL + "/repo/.git", nil, [2]string{}, false},
		{"another_host", away.URL + "/repo/.git", nil, [2]string{}, true},
		{"credential_helper", srv.URL + "/repo/.git", []string{"credential.helper", helper}, [2]string{}, true},
		{"user_and_helper", strings.Replace(srv.URL, "://", "://me@", 1) + "/repo/.git", []string{"credential.helper", helper}, [2]string{}, true},
		{"extra_header", srv.URL + "/repo/.git", []string{"http.extraHeader", "X-Key: sesame"}, [2]string{}, true},
		{"extra_header_of_url", srv.URL + "/repo/.git", []string{"http." + srv.URL + "/.extraHeader", "X-Key: sesame"}, [2]string{}, true},
		{"header_of_another", withUser + "/repo/.git", []string{"http.https://host.example/.extraHeader", "X-Key: x"}, [2]string{}, false},
		{"buffer", withUser + "/repo/.git", []string{"http.postBuffer", "1000000"}, [2]string{}, false},
		{"instead_of", "http://nowhere.invalid/repo/.git", []string{"url." + withUser + "/.insteadOf", "http://nowhere.invalid/"}, [2]string{}, true},
		{"instead_of_another", withUser + "/repo/.git", []string{"url." + withUser + "/.insteadOf", "http://nowhere.invalid/"}, [2]string{}, false},
		{"proxy_of_curl", withUser + "/repo/.git", nil, [2]string{"ALL_PROXY", srv.URL}, true},
		{"certificate", withUser + "/repo/.git", nil, [2]string{"GIT_SSL_CAINFO", "/none"}, false},
		{"sha256", withUser + "/new", nil, [2]string{}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			setGit(t, tt.settings...)
			if tt.env[0] != "" {
				t.Setenv(tt.env[0], tt.env[1])
			}
			r, byGit := cloneOf(t, tt.url)
			if got := read(t, r).contents(); byGit != tt.git || got != "main" && tt.name != "sha256" {
				t.Errorf("by git: %v, blobs are %q", byGit, got)
			}
		})
	}
}

// TestMirrorFaults: if a pack does not come whole, git is given a try, and then its error
// counts. Nothing is left behind.
func TestMirrorFaults(t *testing.T) {
	dir := scannertest.Repo(t, put+"seq 1 30000 >f; commit 1; put f main; commit 2\n")
	backend, err := url.Parse(scannertest.GitServer(t, filepath.Dir(dir)))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: backend.Scheme, Host: backend.Host})
	setGit(t)
	for name, wrong := range map[string]func([]byte) []byte{
		"cut_off":  func(b []byte) []byte { return b[:len(b)/2] },
		"checksum": func(b []byte) []byte { b[len(b)-8] ^= 1; return b },
		"html":     func([]byte) []byte { return []byte("<html>") },
	} {
		for times, want := range map[int32]string{1: "", 9: "git clone failed"} {
			temp := t.TempDir()
			t.Setenv("TMPDIR", temp)
			var posts atomic.Int32
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				rec := httptest.NewRecorder()
				proxy.ServeHTTP(rec, r)
				body := rec.Body.Bytes()
				if r.Method == http.MethodPost && posts.Add(1) <= times {
					body = wrong(body)
				}
				w.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
				w.WriteHeader(rec.Code)
				_, _ = w.Write(body)
			}))
			r, err := Clone(t.Context(), strings.Replace(srv.URL, "://", "://"+backend.User.String()+"@", 1)+"/repo/.git", nil)
			switch {
			case err == nil:
				if want != "" {
					t.Errorf("%s: no error", name)
				}
				_ = r.Close()
			case want == "" || !strings.Contains(err.Error(), want):
				t.Errorf("%s %d times: %v", name, times, err)
			}
			srv.Close()
			checkNothingLeft(t, temp)
		}
	}
}

// TestMirrorCancelled cancels in the middle of a pack.
func TestMirrorCancelled(t *testing.T) {
	setGit(t)
	dir := scannertest.Repo(t, put+"seq 1 300000 >f; commit 1\n")
	backend, err := url.Parse(scannertest.GitServer(t, filepath.Dir(dir)))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: backend.Scheme, Host: backend.Host})
	ctx, cancel := context.WithCancel(t.Context())
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		proxy.ServeHTTP(rec, r)
		body := rec.Body.Bytes()
		w.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
		if r.Method == http.MethodPost {
			_, _ = w.Write(body[:len(body)/2])
			_ = http.NewResponseController(w).Flush()
			cancel()
			<-r.Context().Done()
			return
		}
		_, _ = w.Write(body)
	}))
	defer srv.Close()
	defer srv.CloseClientConnections()
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	_, err = Clone(ctx, strings.Replace(srv.URL, "://", "://"+backend.User.String()+"@", 1)+"/repo/.git", nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	checkNothingLeft(t, temp)
}

// TestMirrorOddPacks: deltas by id, from a server that knows no others, and deltas that are too
// large to be held in memory, which git indexes.
func TestMirrorOddPacks(t *testing.T) {
	setGit(t)
	dir := scannertest.Repo(t, put+`seq 1 3000 >g; commit 1; seq 1 3001 >g; put f main; commit 2; git gc -q; git clone -q --mirror . ../old
yes "a line of text" | head -c 68000000 >g; commit 3; echo end >>g; commit 4; git repack -qadf
`)
	backend, err := url.Parse(scannertest.GitServer(t, filepath.Dir(dir)))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: backend.Scheme, Host: backend.Host})
	proxy.ModifyResponse = func(res *http.Response) error {
		if res.Request.Method != http.MethodGet {
			return nil
		}
		var body bytes.Buffer
		_, err := body.ReadFrom(res.Body)
		res.Body = &closer{bytes.NewReader(bytes.Replace(body.Bytes(), []byte(" ofs-delta"), []byte(" xfs-delta"), 1))}
		return err
	}
	srv := httptest.NewServer(proxy)
	defer srv.Close()
	base := strings.Replace(srv.URL, "://", "://"+backend.User.String()+"@", 1)
	for name, url := range map[string]string{"by_id": base + "/old", "large": backend.String() + "/repo/.git"} {
		r, byGit := cloneOf(t, url)
		if byGit {
			t.Errorf("%s: git has cloned it", name)
		}
		scannertest.Git(t, r.dir.GitDir, "fsck", "--strict")
		texts := read(t, r)
		if !strings.Contains(texts.contents(), "main") || len(texts.errs) > 0 {
			t.Errorf("%s: unread %q", name, texts.errs)
		}
	}
}

type closer struct{ *bytes.Reader }

// Close implements io.Closer.
func (*closer) Close() error { return nil }

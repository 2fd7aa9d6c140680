package transport

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// A faulty server answers as git does but for one thing.
type faulty struct {
	git   http.Handler
	wrong func(w http.ResponseWriter, r *http.Request, git func() (http.Header, []byte))
}

func (f faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.wrong(w, r, func() (http.Header, []byte) {
		rec := httptest.NewRecorder()
		f.git.ServeHTTP(rec, r)
		return rec.Header(), rec.Body.Bytes()
	})
}

type answer = func(w http.ResponseWriter, r *http.Request, git func() (http.Header, []byte))

// post makes an answer that is wrong for the pack alone.
func post(wrong answer) answer {
	return func(w http.ResponseWriter, r *http.Request, git func() (http.Header, []byte)) {
		if r.Method == http.MethodPost {
			wrong(w, r, git)
			return
		}
		edited(func(b []byte) []byte { return b })(w, r, git)
	}
}

func edited(edit func([]byte) []byte) answer {
	return func(w http.ResponseWriter, _ *http.Request, git func() (http.Header, []byte)) {
		header, body := git()
		w.Header().Set("Content-Type", header.Get("Content-Type"))
		_, _ = w.Write(edit(body))
	}
}

func says(code int, kind, text string) answer {
	return func(w http.ResponseWriter, _ *http.Request, _ func() (http.Header, []byte)) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(code)
		_, _ = io.WriteString(w, text)
	}
}

func stalls(after int) answer {
	return func(w http.ResponseWriter, r *http.Request, git func() (http.Header, []byte)) {
		header, body := git()
		w.Header().Set("Content-Type", header.Get("Content-Type"))
		_, _ = w.Write(body[:after])
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
}

func cutOff(n int) answer { return edited(func(b []byte) []byte { return b[:n] }) }

// packed changes the pack in an answer, and the length of its packet, which is the one
// after "NAK".
func packed(change func(pack []byte) []byte) answer {
	return edited(func(b []byte) []byte {
		at := bytes.Index(b, []byte("PACK"))
		var n int
		_, _ = fmt.Sscanf(string(b[at-5:at-1]), "%04x", &n)
		pack := change(bytes.Clone(b[at : at-5+n]))
		return slices.Concat(b[:at-5], fmt.Appendf(nil, "%04x\x01", len(pack)+5), pack, b[at-5+n:])
	})
}

func TestFetchFaults(t *testing.T) {
	dir := scannertest.Repo(t, "seq 1 300 >f; commit 1; git init -q --bare --object-format=sha256 ../new; git -C ../new update-ref refs/heads/main $(git -C ../new commit-tree -m m $(git -C ../new write-tree </dev/null))\n")
	backend, err := url.Parse(scannertest.GitServer(t, filepath.Dir(dir)))
	if err != nil {
		t.Fatal(err)
	}
	git := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: backend.Scheme, Host: backend.Host})
	const result = "application/x-git-upload-pack-result"
	long := func(b []byte) []byte { return append(b, "0009junk"...) }
	tests := []struct {
		name  string
		wrong answer
		path  string
		want  string
	}{
		{"not_found", says(404, "text/plain", "Not\x1b[2J here"), "", "404 Not Found: Not[2J here; there is no such repository"},
		{"unauthorized", says(401, "text/html", "<p>"), "", "401 Unauthorized; the server wants a token"},
		{"forbidden", says(403, "text/html", "<p>"), "", "403 Forbidden; the token"},
		{"broken", says(500, "text/html", "<p>"), "", "500 Internal Server Error"},
		{"too_many", post(says(429, "text/html", "<p>")), "", "429 Too Many Requests"},
		{"login_page", says(200, "text/html; charset=utf-8", "<p>"), "", "text/html; charset=utf-8 and not git's"},
		{"html_as_git", says(200, "application/x-git-upload-pack-advertisement", "<!DOCTYPE html>"), "", "pkt-len"},
		{"nothing", says(200, "application/x-git-upload-pack-advertisement", ""), "", "empty"},
		{"refuses", says(200, "application/x-git-upload-pack-advertisement", "001e# service=git-upload-pack\n0000000cERR go\x1b!"), "", "go!"},
		{"refs_cut_off", edited(func(b []byte) []byte { return b[:len(b)-4] }), "", "EOF"},
		{"more_after_refs", edited(long), "", "there is more than git understands"},
		{"stalled_refs", stalls(3), "", "nothing for"},
		{"sha256", edited(func(b []byte) []byte { return b }), "/new", "SHA-256"},
		{"to_another_host", func(w http.ResponseWriter, r *http.Request, _ func() (http.Header, []byte)) {
			http.Redirect(w, r, strings.Replace("http://"+r.Host, "127.0.0.1", "localhost", 1)+r.URL.RequestURI(), http.StatusFound)
		}, "", "another host"},
		{"renamed", func(w http.ResponseWriter, r *http.Request, git func() (http.Header, []byte)) {
			if rest, old := strings.CutPrefix(r.URL.Path, "/old"); old && r.Method == http.MethodGet {
				http.Redirect(w, r, "/repo/.git"+rest+"?"+r.URL.RawQuery, http.StatusMovedPermanently)
				return
			}
			edited(func(b []byte) []byte { return b })(w, r, git)
		}, "/old", ""},
		{"round_and_round", func(w http.ResponseWriter, r *http.Request, _ func() (http.Header, []byte)) {
			http.Redirect(w, r, r.URL.RequestURI(), http.StatusFound)
		}, "", "too many redirects"},
		{"refused_pack", post(says(200, result, "0018ERR upload-pack: no\n")), "", "upload-pack: no"},
		{"html_pack", post(says(200, "text/html", "<p>")), "", "text/html and not git's"},
		{"html_in_pack", post(packed(func([]byte) []byte { return bytes.Repeat([]byte("<html>"), 20) })), "", `not a pack: it begins with "<html><html>"`},
		{"no_answer", post(says(200, result, "")), "", "upload-pack"},
		{"pack_cut_off", post(packed(func(b []byte) []byte { return b[:len(b)-40] })), "", "checksum is wrong"},
		{"pack_of_little", post(packed(func(b []byte) []byte { return b[:4] })), "", "not a pack"},
		{"stream_cut_off", post(cutOff(200)), "", "EOF"},
		{"damaged", post(packed(func(b []byte) []byte { b[len(b)/2] ^= 1; return b })), "", "checksum is wrong"},
		{"more_objects", post(packed(func(b []byte) []byte { b[11]--; return b })), "", "checksum is wrong"},
		{"more_after_pack", post(edited(long)), "", "more after the pack"},
		{"error_in_band", post(says(200, result, "0008NAK\n000d\x03no\x1b disk")), "", "disk"},
		{"stalled_pack", post(stalls(100)), "", "nothing for"},
		{"stalled_start", post(stalls(0)), "", "nothing for"},
		{"gzip", func(w http.ResponseWriter, _ *http.Request, git func() (http.Header, []byte)) {
			header, body := git()
			w.Header().Set("Content-Type", header.Get("Content-Type"))
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(body)
			_ = z.Close()
		}, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			temp := t.TempDir()
			t.Setenv("TMPDIR", temp)
			srv := httptest.NewServer(faulty{git, tt.wrong})
			defer srv.Close()
			defer srv.CloseClientConnections()
			if tt.path == "" {
				tt.path = "/repo/.git"
			}
			err := fetchSlowly(strings.Replace(srv.URL, "://", "://"+backend.User.String()+"@", 1) + tt.path)
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if err != nil && (strings.Contains(err.Error(), "word-of-mine") || strings.ContainsAny(err.Error(), "\x1b\n")) {
				t.Errorf("the error shows too much: %q", err)
			}
			if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
				t.Errorf("left in the temporary folder: %v, %v", left, err)
			}
		})
	}
}

// fetchSlowly fetches all, and waits no longer than half a second.
func fetchSlowly(url string) error {
	at, err := parseRemote(url)
	if err != nil {
		return err
	}
	remote := &Remote{address: at, refs: Refs{Tips: map[string]string{}}, stall: time.Second / 2}
	if err := remote.connect(context.Background()); err != nil {
		return err
	}
	r, err := remote.Fetch(context.Background(), Wanted{Tips: remote.Refs().Tips, Stall: time.Second / 2})
	if err != nil {
		return err
	}
	return os.RemoveAll(r.Dir)
}

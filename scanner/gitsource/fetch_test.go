package gitsource

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
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

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

func connect(t *testing.T, url string) *Remote {
	t.Helper()
	r, err := Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func fetchAll(t *testing.T, url string, w Wanted) *Repository {
	t.Helper()
	r, err := connect(t, url).Fetch(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// TestFetchLocates: what is fetched on top of what was read before is located: its path,
// the refs that lead to it, and whether it is at HEAD.
func TestFetchLocates(t *testing.T) {
	dir := scannertest.Repo(t, states+`put d/f 1; put g/g stay; commit 1; next; put d/f 2; commit 2; git checkout -qb b; put side side; commit 3; git checkout -q main; next`+"\n")
	base := serve(t, filepath.Dir(dir))
	old := connect(t, base+"/state1").Refs()
	remote := connect(t, base+"/state2")
	if remote.Refs().Head != "refs/heads/main" {
		t.Errorf("HEAD is %q", remote.Refs().Head)
	}
	r := fetchAll(t, base+"/state2", Wanted{Tips: remote.Refs().Tips, Haves: []string{old.Tips["refs/heads/main"]}})
	if texts := read(t, r); texts.contents() != "2 side" || len(texts.errs) > 0 || r.Fetched() == 0 {
		t.Errorf("blobs are %q, unread %q, %d bytes", texts.contents(), texts.errs, r.Fetched())
	}
	var got []string
	ids := []scanner.BlobID{scanner.BlobID(scannertest.Git(t, dir, "rev-parse", "main:d/f")), scanner.BlobID(scannertest.Git(t, dir, "rev-parse", "b:side"))}
	err := r.Locate(t.Context(), ids, func(_ scanner.BlobID, p scanner.Provenance) error {
		got = append(got, fmt.Sprint(p.Path, p.AtHead, p.Refs, p.Unreachable, p.Author))
		return nil
	})
	want := []string{"d/ftrue [refs/heads/b refs/heads/main]Ada", "sidefalse [refs/heads/b]Ada"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("places are %q, want %q, %v", got, want, err)
	}
}

// TestFetchNothing: a new ref to what is known asks for nothing, and its name is read.
func TestFetchNothing(t *testing.T) {
	dir := scannertest.Repo(t, put+"put f 1; commit 1; git branch named-new\n")
	remote := connect(t, serve(t, filepath.Dir(dir))+"/repo/.git")
	id := remote.Refs().Tips["refs/heads/main"]
	r, err := remote.Fetch(t.Context(), Wanted{Tips: map[string]string{"refs/heads/named-new": id}, Haves: []string{id}})
	if err != nil {
		t.Fatal(err)
	}
	texts := read(t, r)
	if names := texts.texts[scanner.KindRefName]; len(names) != 1 || names[0] != "refs/heads/named-new" || len(texts.errs) > 0 || r.Fetched() != 0 || !r.Empty() {
		t.Errorf("names %q, unread %q, %d bytes", names, texts.errs, r.Fetched())
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// TestFetchPushedAway gets by id what no ref leads to, and single blobs.
func TestFetchPushedAway(t *testing.T) {
	dir := scannertest.Repo(t, put+`put f 1; put g blob; commit 1; put f away; commit 2; git reset -q --hard HEAD~; git reflog expire --expire=now --all
git config uploadpack.allowAnySHA1InWant true; cp -r .git ../closed; git -C ../closed config uploadpack.allowAnySHA1InWant false`+"\n")
	base := serve(t, filepath.Dir(dir))
	objects := scannertest.Git(t, dir, "cat-file", "--batch-check=%(objectname) %(objecttype)", "--batch-all-objects", "--unordered")
	var gone string
	head := scannertest.Git(t, dir, "rev-parse", "HEAD")
	for line := range strings.Lines(objects) {
		if oid, typ, _ := strings.Cut(strings.TrimSpace(line), " "); typ == "commit" && oid != head {
			gone = oid
		}
	}
	blob := scannertest.Git(t, dir, "rev-parse", "HEAD:g")
	none := strings.Repeat("12", 20)
	w := Wanted{
		Tips:  map[string]string{"refs/stanch/activity/7": gone, "refs/stanch/activity/8": none},
		Haves: []string{head, strings.Repeat("34", 20)}, Objects: []string{blob},
	}
	r := fetchAll(t, base+"/repo/.git", w)
	texts := read(t, r)
	if texts.contents() != "away blob" || len(texts.errs) > 0 || !slices.Equal(r.Absent(), []string{none}) {
		t.Errorf("blobs are %q, unread %q, absent %q", texts.contents(), texts.errs, r.Absent())
	}
	if names := texts.texts[scanner.KindRefName]; len(names) > 0 {
		t.Errorf("names of refs: %q", names)
	}
	err := r.Locate(t.Context(), []scanner.BlobID{scanner.BlobID(gone)}, func(_ scanner.BlobID, p scanner.Provenance) error {
		if p.Unreachable != pushedAway {
			t.Errorf("led to by %q", p.Unreachable)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	r = fetchAll(t, base+"/closed", w)
	if got := read(t, r).contents(); got != "blob" || len(r.Absent()) != 2 {
		t.Errorf("a server that gives refs only gives %q, absent %q", got, r.Absent())
	}
}

// TestFetchIncomplete: what a server does not have itself is unread, if it was asked for
// all; and with haves, that its history is cut off.
func TestFetchIncomplete(t *testing.T) {
	dir := scannertest.Repo(t, put+`put f 1; commit 1; put f 2; commit 2; put f 3; commit 3; git clone -q --bare --depth=2 "file://$PWD" ../shallow`+"\n")
	url := serve(t, filepath.Dir(dir)) + "/shallow"
	tips := connect(t, url).Refs().Tips
	for _, haves := range [][]string{nil, {scannertest.Git(t, dir, "rev-parse", "HEAD~")}} {
		texts := read(t, fetchAll(t, url, Wanted{Tips: tips, Haves: haves}))
		if len(texts.errs) != 1 || !strings.Contains(texts.errs[0], "history is cut off") {
			t.Errorf("with %d haves: unread %q", len(haves), texts.errs)
		}
	}
	r := fetchAll(t, url, Wanted{Tips: map[string]string{}})
	if err := os.WriteFile(filepath.Join(r.gitDir, "packed-refs"), []byte(tips["refs/heads/main"]+" refs/heads/main\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for rest, want := range map[bool]int{false: 2, true: 1} {
		if r.Rest = rest; len(read(t, r).errs) != want {
			t.Errorf("a ref whose object is missing, rest %v: unread %q", rest, read(t, r).errs)
		}
	}
}

// TestFetchManyHaves: most of the ids are unknown to the server, which is no error.
func TestFetchManyHaves(t *testing.T) {
	dir := scannertest.Repo(t, put+"put f 1; commit 1; put f 2; commit 2\n")
	url := serve(t, filepath.Dir(dir)) + "/repo/.git"
	haves := []string{scannertest.Git(t, dir, "rev-parse", "HEAD~")}
	for i := range 50_000 {
		haves = append(haves, fmt.Sprintf("%040x", i+1))
	}
	r := fetchAll(t, url, Wanted{Tips: connect(t, url).Refs().Tips, Haves: haves})
	if got := read(t, r).contents(); got != "2" {
		t.Errorf("blobs are %q", got)
	}
}

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
	dir := scannertest.Repo(t, put+"seq 1 300 >f; commit 1; git init -q --bare --object-format=sha256 ../new; git -C ../new update-ref refs/heads/main $(git -C ../new commit-tree -m m $(git -C ../new write-tree </dev/null))\n")
	backend, err := url.Parse(serve(t, filepath.Dir(dir)))
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
		{"html_in_pack", post(packed(func([]byte) []byte { return bytes.Repeat([]byte("<html>"), 20) })), "", `no pack: it begins with "<html><html>"`},
		{"no_answer", post(says(200, result, "")), "", "upload-pack"},
		{"pack_cut_off", post(packed(func(b []byte) []byte { return b[:len(b)-40] })), "", "checksum is wrong"},
		{"pack_of_little", post(packed(func(b []byte) []byte { return b[:4] })), "", "no pack"},
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
			checkNothingLeft(t, temp)
		})
	}
}

// fetchSlowly fetches all, and waits no longer than half a second.
func fetchSlowly(url string) error {
	at, err := parseRemote(url)
	if err != nil {
		return err
	}
	remote := &Remote{remote: at, refs: Refs{Tips: map[string]string{}}, stall: time.Second / 2}
	if err := remote.connect(context.Background()); err != nil {
		return err
	}
	r, err := remote.Fetch(context.Background(), Wanted{Tips: remote.Refs().Tips, Stall: time.Second / 2})
	if err != nil {
		return err
	}
	return r.Close()
}

// TestFetchDiskFull tells a full disk from a server that fails.
func TestFetchDiskFull(t *testing.T) {
	full, err := os.Open(os.DevNull) // cannot be written to
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	f := fetch{Remote: &Remote{carrier: &carrier{}}}
	if err := f.copyPack(full, strings.NewReader("PACK")); err == nil || !strings.Contains(err.Error(), "writing the pack: ") {
		t.Errorf("got %v", err)
	}
}

// TestFetchBounded: too large, cancelled, and what is no id.
func TestFetchBounded(t *testing.T) {
	dir := scannertest.Repo(t, put+"seq 1 30000 >f; commit 1\n")
	remote := connect(t, serve(t, filepath.Dir(dir))+"/repo/.git")
	tips := remote.Refs().Tips
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name string
		ctx  context.Context
		w    Wanted
		want string
		is   error
	}{
		{"too_large", t.Context(), Wanted{Tips: tips, MaxBytes: 1000}, "more than 1000 bytes", ErrTooLarge},
		{"cancelled", cancelled, Wanted{Tips: tips}, "context canceled", context.Canceled},
		{"no_id", t.Context(), Wanted{Tips: map[string]string{"refs/heads/x": "x"}}, `"x" is no id`, nil},
		{"no_name", t.Context(), Wanted{Tips: map[string]string{"refs/heads/x\ny": tips["refs/heads/main"]}}, "no name of a ref", nil},
		{"moved", t.Context(), Wanted{Tips: map[string]string{"refs/heads/x": strings.Repeat("12", 20)}}, "a ref was moved meanwhile", nil},
	}
	for _, tt := range tests {
		_, err := remote.Fetch(tt.ctx, tt.w)
		if err == nil || !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("%s: got %v", tt.name, err)
		}
		checkNothingLeft(t, temp)
	}
	r, err := remote.Fetch(t.Context(), Wanted{Tips: tips, MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	checkNothingLeft(t, temp)
}

package gitsource

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource/transport"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

func connect(t *testing.T, url string) *transport.Remote {
	t.Helper()
	r, err := transport.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func fetchAll(t *testing.T, url string, w transport.Wanted) *Repository {
	t.Helper()
	r, err := Fetch(t.Context(), connect(t, url), w)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// TestFetchLocates: what is fetched on top of what was read before is located: its path,
// the refs that lead to it, and whether it is at HEAD.
func TestFetchLocates(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, states+`put d/f 1; put g/g stay; commit 1; next; put d/f 2; commit 2; git checkout -qb b; put side side; commit 3; git checkout -q main; next`+"\n")
	base := scannertest.GitServer(t, filepath.Dir(dir))
	old := connect(t, base+"/state1").Refs()
	remote := connect(t, base+"/state2")
	if remote.Refs().Head != "refs/heads/main" {
		t.Errorf("HEAD is %q", remote.Refs().Head)
	}
	r := fetchAll(t, base+"/state2", transport.Wanted{Tips: remote.Refs().Tips, Haves: []string{old.Tips["refs/heads/main"]}})
	if texts := read(t, r); texts.contents() != "2 side" || len(texts.errs) > 0 || r.Fetched() == 0 {
		t.Errorf("blobs are %q, unread %q, %d bytes", texts.contents(), texts.errs, r.Fetched())
	}
	var got []string
	ids := []finding.BlobID{finding.BlobID(scannertest.Git(t, dir, "rev-parse", "main:d/f")), finding.BlobID(scannertest.Git(t, dir, "rev-parse", "b:side"))}
	err := r.Locate(t.Context(), ids, func(_ finding.BlobID, p finding.Location) error {
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
	t.Parallel()
	dir := scannertest.Repo(t, put+"put f 1; commit 1; git branch named-new\n")
	remote := connect(t, scannertest.GitServer(t, filepath.Dir(dir))+"/repo/.git")
	id := remote.Refs().Tips["refs/heads/main"]
	r, err := Fetch(t.Context(), remote, transport.Wanted{Tips: map[string]string{"refs/heads/named-new": id}, Haves: []string{id}})
	if err != nil {
		t.Fatal(err)
	}
	texts := read(t, r)
	if names := texts.texts[finding.KindRefName]; !slices.Equal(names, []string{"refs/heads/named-new"}) {
		t.Errorf("names %q", names)
	}
	if len(texts.errs) > 0 {
		t.Errorf("unread %q", texts.errs)
	}
	if r.Fetched() != 0 || !r.Empty() {
		t.Errorf("%d bytes are fetched, empty: %v", r.Fetched(), r.Empty())
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// TestFetchAlone gets single objects of each type, and nothing that they lead to. Without
// filters a server sends the files of commits as well, but no older commits.
func TestFetchAlone(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, put+`put d/f 1; commit message-1; put d/f 2; put d/name-2 x; commit message-2; put d/f 3; commit message-3
git tag -a -m tag-message a HEAD~
git config uploadpack.allowAnySHA1InWant true; git config uploadpack.allowFilter true; cp -r .git ../unfiltered; git -C ../unfiltered config uploadpack.allowFilter false`+"\n")
	base := scannertest.GitServer(t, filepath.Dir(dir))
	id := func(rev string) string { return scannertest.Git(t, dir, "rev-parse", rev) }
	for _, tt := range []struct {
		name, server string
		objects      []string
		want         string // of all texts, in order
	}{
		{"blob", "repo/.git", []string{id("HEAD~:d/f")}, "blob 2"},
		{"commit", "repo/.git", []string{id("HEAD~")}, "commit-message message-2"},
		{"tag", "repo/.git", []string{id("a")}, "commit-message message-2, tag-message tag-message"},
		{"tree", "repo/.git", []string{id("HEAD~:d")}, "path name-2"},
		{"all", "repo/.git", []string{id("HEAD~:d"), id("a"), id("HEAD~~:d/f"), id("HEAD")}, "blob 1, commit-message message-2, commit-message message-3, path name-2, tag-message tag-message"},
		{"unfiltered", "unfiltered", []string{id("HEAD~")}, "blob 2, blob x, commit-message message-2, path name-2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := fetchAll(t, base+"/"+tt.server, transport.Wanted{Objects: tt.objects})
			texts := read(t, r)
			var got []string
			for kind, list := range texts.texts {
				for _, text := range list {
					for _, word := range []string{"message-1", "message-2", "message-3", "tag-message", "name-2"} {
						if strings.Contains(text, word) && (kind != finding.KindTag || word == "tag-message") {
							got = append(got, fmt.Sprint(kind, " ", word))
						}
					}
					if kind == finding.KindBlob {
						got = append(got, fmt.Sprint(kind, " ", strings.TrimSpace(text)))
					}
				}
			}
			slices.Sort(got)
			if all := strings.Join(got, ", "); all != tt.want || len(texts.errs) > 0 {
				t.Errorf("got %q, want %q, unread %q", all, tt.want, texts.errs)
			}
			located := 0
			err := r.Locate(t.Context(), []finding.BlobID{finding.BlobID(tt.objects[0])}, func(finding.BlobID, finding.Location) error { located++; return nil })
			if err != nil || located == 0 {
				t.Errorf("it is at %d places, %v", located, err)
			}
		})
	}
}

// TestFetchPushedAway gets by id what no ref leads to, and single blobs.
func TestFetchPushedAway(t *testing.T) {
	t.Parallel()
	dir := scannertest.Repo(t, put+`put f 1; put g blob; commit 1; put f away; commit 2; git reset -q --hard HEAD~; git reflog expire --expire=now --all
git config uploadpack.allowAnySHA1InWant true; cp -r .git ../closed; git -C ../closed config uploadpack.allowAnySHA1InWant false`+"\n")
	base := scannertest.GitServer(t, filepath.Dir(dir))
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
	w := transport.Wanted{
		Tips:  map[string]string{"refs/stanch/activity/7": gone, "refs/stanch/activity/8": none},
		Haves: []string{head, strings.Repeat("34", 20)}, Objects: []string{blob},
	}
	r := fetchAll(t, base+"/repo/.git", w)
	texts := read(t, r)
	if texts.contents() != "away blob" || len(texts.errs) > 0 || !slices.Equal(r.Absent(), []string{none}) {
		t.Errorf("blobs are %q, unread %q, absent %q", texts.contents(), texts.errs, r.Absent())
	}
	if names := texts.texts[finding.KindRefName]; len(names) > 0 {
		t.Errorf("names of refs: %q", names)
	}
	err := r.Locate(t.Context(), []finding.BlobID{finding.BlobID(gone)}, func(_ finding.BlobID, p finding.Location) error {
		if p.Unreachable != "PUSHED_AWAY_HEAD" {
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
	t.Parallel()
	dir := scannertest.Repo(t, put+`put f 1; commit 1; put f 2; commit 2; put f 3; commit 3; git clone -q --bare --depth=2 "file://$PWD" ../shallow`+"\n")
	url := scannertest.GitServer(t, filepath.Dir(dir)) + "/shallow"
	tips := connect(t, url).Refs().Tips
	for _, haves := range [][]string{nil, {scannertest.Git(t, dir, "rev-parse", "HEAD~")}} {
		texts := read(t, fetchAll(t, url, transport.Wanted{Tips: tips, Haves: haves}))
		if len(texts.errs) != 1 || !strings.Contains(texts.errs[0], "history is cut off") {
			t.Errorf("with %d haves: unread %q", len(haves), texts.errs)
		}
	}
	r := fetchAll(t, url, transport.Wanted{Tips: map[string]string{}})
	if err := os.WriteFile(filepath.Join(r.dir.GitDir, "packed-refs"), []byte(tips["refs/heads/main"]+" refs/heads/main\n"), 0o600); err != nil {
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
	t.Parallel()
	dir := scannertest.Repo(t, put+"put f 1; commit 1; put f 2; commit 2\n")
	url := scannertest.GitServer(t, filepath.Dir(dir)) + "/repo/.git"
	haves := []string{scannertest.Git(t, dir, "rev-parse", "HEAD~")}
	for i := range 50_000 {
		haves = append(haves, fmt.Sprintf("%040x", i+1))
	}
	r := fetchAll(t, url, transport.Wanted{Tips: connect(t, url).Refs().Tips, Haves: haves})
	if got := read(t, r).contents(); got != "2" {
		t.Errorf("blobs are %q", got)
	}
}

// TestFetchBounded: too large, cancelled, and what is no id.
func TestFetchBounded(t *testing.T) {
	dir := scannertest.Repo(t, put+"seq 1 30000 >f; commit 1\n")
	remote := connect(t, scannertest.GitServer(t, filepath.Dir(dir))+"/repo/.git")
	tips := remote.Refs().Tips
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name string
		ctx  context.Context
		w    transport.Wanted
		want string
		is   error
	}{
		{"too_large", t.Context(), transport.Wanted{Tips: tips, MaxBytes: 1000}, "more than 1000 bytes", transport.ErrTooLarge},
		{"cancelled", cancelled, transport.Wanted{Tips: tips}, "context canceled", context.Canceled},
		{"no_id", t.Context(), transport.Wanted{Tips: map[string]string{"refs/heads/x": "x"}}, `"x" is not an id`, nil},
		{"no_name", t.Context(), transport.Wanted{Tips: map[string]string{"refs/heads/x\ny": tips["refs/heads/main"]}}, "not the name of a ref", nil},
		{"moved", t.Context(), transport.Wanted{Tips: map[string]string{"refs/heads/x": strings.Repeat("12", 20)}}, "a ref was moved meanwhile", nil},
	}
	for _, tt := range tests {
		_, err := Fetch(tt.ctx, remote, tt.w)
		if err == nil || !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("%s: got %v", tt.name, err)
		}
		checkNothingLeft(t, temp)
	}
	r, err := Fetch(t.Context(), remote, transport.Wanted{Tips: tips, MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	checkNothingLeft(t, temp)
}

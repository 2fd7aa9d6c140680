package fetch

import (
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// serve serves the repositories in dir with git's own server.
func serve(t *testing.T, dir string) (url string) {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(&cgi.Handler{
		Path: git, Args: []string{"http-backend"}, Env: []string{"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1"}, Stderr: t.Output(),
	})
	t.Cleanup(srv.Close)
	return srv.URL
}

// TestFetch fetches all of a repository, only what is new, and a commit that a branch has
// left behind; one that the server does not have is passed over.
func TestFetch(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	dir := scannertest.Repo(t, `echo old >f; commit 1; git branch old; echo lost >f; commit 2; git branch lost; git reset -q --hard HEAD~; echo new >g; commit 3
git config uploadpack.allowAnySHA1InWant true
`)
	id := func(name string) string { return scannertest.Git(t, dir, "rev-parse", name) }
	old, lost := id("old"), id("lost")
	scannertest.Git(t, dir, "branch", "-D", "old", "lost")
	url := serve(t, filepath.Dir(dir)) + "/" + filepath.Base(dir) + "/.git"
	for _, tt := range []struct {
		name   string
		wanted func(tips map[string]string) Wanted
		want   string
	}{
		{"all", func(tips map[string]string) Wanted { return Wanted{Tips: tips} }, "new old"},
		{"new", func(tips map[string]string) Wanted { return Wanted{Tips: tips, Haves: []string{old}} }, "new"},
		{"lost", func(tips map[string]string) Wanted {
			return Wanted{Tips: tips, Lost: map[string]string{"forced/main/x": lost, "forced/main/y": strings.Repeat("ab", 20)}}
		}, "lost new old"},
		{"object", func(map[string]string) Wanted { return Wanted{Objects: []string{id("HEAD:g")}} }, "new"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			remote, err := Connect(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			if remote.OnlyWhole() || remote.Tips()["refs/heads/main"] != id("main") {
				t.Errorf("the tips are %v", remote.Tips())
			}
			wanted := tt.wanted(remote.Tips())
			wanted.Dir = t.TempDir()
			repo, err := remote.Fetch(t.Context(), wanted)
			if err != nil {
				t.Fatal(err)
			}
			if got := contents(t, Source{repo, "https://h/acme/app"}); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if err := repo.Close(); err != nil {
				t.Error(err)
			}
			if left, _ := filepath.Glob(filepath.Join(wanted.Dir, "*")); len(left) > 0 {
				t.Errorf("%v is left behind", left)
			}
		})
	}
}

// TestOnlyWhole: a repository with ids of SHA-256 is cloned.
func TestOnlyWhole(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	dir := t.TempDir()
	scannertest.Git(t, dir, "init", "-q", "--object-format=sha256", "work")
	work := filepath.Join(dir, "work")
	scannertest.Git(t, work, "-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-q", "--allow-empty", "-m", "1")
	remote, err := Connect(t.Context(), serve(t, dir)+"/work/.git")
	if err != nil {
		t.Fatal(err)
	}
	if !remote.OnlyWhole() || len(remote.Tips()) > 0 {
		t.Errorf("it can be fetched in parts, with the tips %v", remote.Tips())
	}
	repo, err := remote.Fetch(t.Context(), Wanted{Haves: []string{"any"}})
	if err != nil {
		t.Fatal(err)
	}
	defer repo.Close()
	if repo.Empty() {
		t.Error("the clone is empty")
	}
}

// TestNotThere holds which failures say that a wiki has no page: one that is damaged, or
// behind a proxy, is unread.
func TestNotThere(t *testing.T) {
	for code, want := range map[int]bool{http.StatusNotFound: true, http.StatusForbidden: false, http.StatusUnauthorized: false, http.StatusBadGateway: false} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }))
		_, err := Connect(t.Context(), srv.URL+"/acme/app.wiki.git")
		if err == nil || NotThere(err) != want {
			t.Errorf("%d: %v", code, err)
		}
		srv.Close()
	}
	if NotThere(nil) {
		t.Error("no error says that nothing is there")
	}
}

// contents returns the contents of files in a source, in order, whose pages it checks.
func contents(t *testing.T, src Source) string {
	t.Helper()
	var mu sync.Mutex
	var all []string
	var ids []finding.BlobID
	err := src.Blobs(t.Context(), func(b scanner.Blob) error {
		mu.Lock()
		defer mu.Unlock()
		if b.Kind == finding.KindBlob {
			all, ids = append(all, strings.TrimSpace(string(b.Data))), append(ids, b.ID)
		}
		return b.Err
	})
	if err != nil {
		t.Error(err)
	}
	err = src.Locate(t.Context(), ids, func(id finding.BlobID, at finding.Location) error {
		if at.Repo != src.WebURL {
			t.Errorf("%s is in %q", id, at.Repo)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// TestSnapshot fetches the trees of HEAD, and no file; nothing from a server that sends files
// with them.
func TestSnapshot(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	dir := scannertest.Repo(t, "mkdir -p a/b; echo old >a/b/f; commit 1; echo new >g; commit 2\n")
	url := serve(t, filepath.Dir(dir)) + "/" + filepath.Base(dir) + "/.git"
	for _, filters := range []string{"false", "true"} {
		scannertest.Git(t, dir, "config", "uploadpack.allowFilter", filters)
		remote, err := Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		head := remote.Head()
		if head != scannertest.Git(t, dir, "rev-parse", "HEAD") {
			t.Errorf("HEAD is %q", head)
		}
		repo, err := remote.Snapshot(t.Context(), head, t.TempDir(), 0)
		if err != nil || (repo != nil) != (filters == "true") {
			t.Fatalf("with filters %s: %v, %v", filters, repo, err)
		}
		if repo == nil {
			continue
		}
		defer repo.Close()
		for path, want := range map[string]string{"a/b/f": "HEAD:a/b/f", "g": "HEAD:g", "none": ""} {
			if want != "" {
				want = scannertest.Git(t, dir, "rev-parse", want)
			}
			if id, known := repo.AtHead(path); id != want || !known {
				t.Errorf("%s is %q, known: %v, want %q", path, id, known, want)
			}
		}
		if got := contents(t, Source{repo, ""}); got != "" {
			t.Errorf("it has the files %s", got)
		}
	}
}

//go:build unix

package gitsource

import (
	"context"
	"io/fs"
	"maps"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/gitsource/transport"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
)

// TestFetchCost measures two ways to keep up with the repository at STANCH_REPO, which
// is served at STANCH_URL by another process: first all of it, then nothing new, then one
// commit, which it makes there. bench/2026-11-22-sweep says how it is run.
func TestFetchCost(t *testing.T) {
	url, served := os.Getenv("STANCH_URL"), os.Getenv("STANCH_REPO")
	if url == "" || served == "" {
		t.Skip("STANCH_URL and STANCH_REPO name no repository")
	}
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	var known []string
	ways := []struct {
		name string
		get  func() (*Repository, error)
		done func(*Repository)
	}{
		{"stateless", func() (*Repository, error) {
			remote, err := transport.Connect(t.Context(), url)
			if err != nil {
				return nil, err
			}
			tips := remote.Refs().Tips
			maps.DeleteFunc(tips, func(_, id string) bool { return slices.Contains(known, id) })
			return Fetch(t.Context(), remote, transport.Wanted{Tips: tips, Haves: known})
		}, func(*Repository) {
			remote, err := transport.Connect(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			known = slices.Sorted(maps.Values(remote.Refs().Tips))
		}},
		{"clone", func() (*Repository, error) { return Clone(t.Context(), url, nil) }, func(*Repository) {}},
	}
	for _, state := range []string{"first", "nothing", "commit"} {
		if state == "commit" {
			tree := scannertest.Git(t, served, "rev-parse", "HEAD^{tree}")
			c := scannertest.Git(t, served, "commit-tree", "-p", "HEAD", "-m", time.Now().String(), tree)
			scannertest.Git(t, served, "update-ref", "HEAD", c)
		}
		for _, way := range ways {
			var c cost
			c.begin()
			r, err := way.get()
			if err != nil {
				t.Fatal(err)
			}
			fetch := time.Since(c.from)
			disk := size(r.dir.GitDir)
			var sink scannertest.Sink
			err = (&scanner.Scanner{Detectors: detectors.NewSet(awskeys.Detector{}), Verifier: awsverifier.Offline{}}).Scan(context.Background(), r, &sink)
			if err != nil {
				t.Fatal(err)
			}
			wall, cpu := c.end()
			t.Logf("%-8s %-9s %6.2f s wall, of it %6.2f s to fetch, %6.2f s CPU, %7.2f MB here, %7.3f MB received, %6d objects",
				state, way.name, wall, fetch.Seconds(), cpu, float64(disk)/1e6, float64(r.Fetched())/1e6, sink.Summary.Objects)
			way.done(r)
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			runtime.GC()
		}
	}
}

// TestServe serves the folder that STANCH_SERVE names on port 8418, for TestFetchCost.
func TestServe(t *testing.T) {
	folder := os.Getenv("STANCH_SERVE")
	if folder == "" {
		t.Skip("STANCH_SERVE names no folder")
	}
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	backend := &cgi.Handler{Path: git, Args: []string{"http-backend"}, Env: []string{"GIT_PROJECT_ROOT=" + folder, "GIT_HTTP_EXPORT_ALL=1"}}
	t.Fatal(http.ListenAndServe("127.0.0.1:8418", backend))
}

// A cost is what this process and its children use, the server's apart.
type cost struct {
	from     time.Time
	own, sub time.Duration
}

func used(who int) time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(who, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (c *cost) begin() {
	c.from, c.own, c.sub = time.Now(), used(syscall.RUSAGE_SELF), used(syscall.RUSAGE_CHILDREN)
}

func (c *cost) end() (wall, cpu float64) {
	return time.Since(c.from).Seconds(), (used(syscall.RUSAGE_SELF) - c.own + used(syscall.RUSAGE_CHILDREN) - c.sub).Seconds()
}

func size(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if info, err := d.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return n
}

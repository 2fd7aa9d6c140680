//go:build sweep

package engine

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	osexec "os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/github/fetch"
	"github.com/stanch-dev/stanch/scanner/gitsource"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
	"github.com/stanch-dev/stanch/verifier"
)

// A host is a Hub with a git server. It has the target acme.
type host struct {
	dir, url string // of the repositories
	limits   *sweep.Store
	listed   []sweep.Listed
	unlisted []sweep.Listed // that are there, and on no page
	// uncounted is added to the number of repositories: -1 - n says that it is not known.
	uncounted int
	parents   map[string]string
	lost      map[string]map[string]string // by repository
	gists     []sweep.Listed
	texts     map[string]*texts
	calls     []string
	same      []string // pages that were as they were
	// fail returns the status of the git server, 0 for its own, or the error of a call.
	fail func(call string) (int, error)
}

func newHost(t *testing.T) *host {
	t.Helper()
	scannertest.Need(t, "git", "sh")
	git, err := osexec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	h := &host{
		dir: t.TempDir(), parents: map[string]string{}, lost: map[string]map[string]string{}, texts: map[string]*texts{},
		fail: func(string) (int, error) { return 0, nil },
	}
	backend := &cgi.Handler{Path: git, Args: []string{"http-backend"}, Env: []string{"GIT_PROJECT_ROOT=" + h.dir, "GIT_HTTP_EXPORT_ALL=1"}, Stderr: t.Output()}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.calls = append(h.calls, "git "+r.URL.Path)
		if code, _ := h.fail("git " + r.URL.Path); code != 0 {
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(code)
			return
		}
		backend.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	h.url = srv.URL
	return h
}

// repository adds a repository, a fork of parent if that is not "", made by a script.
func (h *host) repository(t *testing.T, name, parent, script string) {
	t.Helper()
	dir := filepath.Join(h.dir, "acme", name)
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	if parent != "" {
		scannertest.Git(t, h.dir, "clone", "-q", filepath.Join(h.dir, "acme", parent), dir)
		h.parents["acme/"+name] = "acme/" + parent
	} else {
		scannertest.Git(t, h.dir, "init", "-q", "-b", "main", dir)
	}
	scannertest.Git(t, dir, "config", "uploadpack.allowAnySHA1InWant", "true")
	scannertest.Git(t, dir, "config", "uploadpack.allowFilter", "true")
	h.listed = append(h.listed, sweep.Listed{ID: fmt.Sprint(100 + len(h.listed)), Name: "acme/" + name, Fork: parent != ""})
	h.push(t, name, script)
}

// push runs a script in a repository, which counts as a push.
func (h *host) push(t *testing.T, name, script string) {
	t.Helper()
	scannertest.Script(t, filepath.Join(h.dir, "acme", name), script)
	i := slices.IndexFunc(h.listed, func(l sweep.Listed) bool { return l.Name == "acme/"+name })
	l := h.listed[i]
	l.Pushed = time.Now()
	h.listed = slices.Insert(slices.Delete(h.listed, i, i+1), 0, l)
}

// head makes a branch the default one of a repository, which is no push.
func (h *host) head(t *testing.T, name, branch string) {
	t.Helper()
	scannertest.Git(t, filepath.Join(h.dir, "acme", name), "checkout", "-q", branch)
}

func (h *host) call(format string, args ...any) error {
	call := fmt.Sprintf(format, args...)
	h.calls = append(h.calls, call)
	_, err := h.fail(call)
	return err
}

// taken returns the calls since the last time.
func (h *host) taken() []string {
	calls := h.calls
	h.calls = nil
	return calls
}

// Repositories implements Hub, with two repositories a page.
func (h *host) Repositories(ctx context.Context, target string, known sweep.KnownPage, yield func(sweep.ListPage) (bool, error)) error {
	for n := 0; n == 0 || 2*n < len(h.listed); n++ { // the list may change meanwhile
		if err := h.call("list %s %d", target, n+1); err != nil {
			return err
		}
		list := h.listed[min(2*n, len(h.listed)):min(2*n+2, len(h.listed))]
		page, err := h.page(ctx, fmt.Sprintf("list %s %d", target, n+1), list, known)
		if err != nil {
			return err
		}
		if len(list) == 2 && 2*n+2 == len(h.listed) { // as for GitHub
			page.Kept = nil
		}
		if more, err := yield(page); err != nil || !more {
			return err
		}
	}
	return nil
}

// page returns a page of a list: the one that is known, if it is as it was.
func (h *host) page(ctx context.Context, url string, list []sweep.Listed, known sweep.KnownPage) (page sweep.ListPage, err error) {
	page = sweep.ListPage{URL: url, Listed: slices.Clone(list)}
	if known == nil {
		return page, nil
	}
	before, err := known(ctx, url)
	if err != nil {
		return page, err
	}
	if page.Kept, err = json.Marshal(list); err != nil || string(page.Kept) != string(before) {
		return page, err
	}
	h.same = append(h.same, url)
	page.Kept, page.Listed = nil, nil
	return page, json.Unmarshal(before, &page.Listed)
}

// Repository implements Hub. Repositories of listed and of unlisted are there.
func (h *host) Repository(_ context.Context, _, name, id string) (sweep.Listed, error) {
	if err := h.call("repository %s %s", name, id); err != nil {
		return sweep.Listed{}, err
	}
	for _, l := range slices.Concat(h.listed, h.unlisted) {
		if l.ID == id {
			return l, nil
		}
	}
	return sweep.Listed{}, sweep.ErrNotThere
}

// Count implements Hub.
func (h *host) Count(_ context.Context, target string) (int, error) {
	return len(h.listed) + h.uncounted, h.call("count %s", target)
}

// Gists implements Hub.
func (h *host) Gists(ctx context.Context, target string, known sweep.KnownPage, yield func(sweep.ListPage) error) error {
	if err := h.call("gists %s", target); err != nil || len(h.gists) == 0 {
		return err
	}
	page, err := h.page(ctx, "gists "+target, h.gists, known)
	if err != nil {
		return err
	}
	return yield(page)
}

// Texts implements Hub.
func (h *host) Texts(_ context.Context, name, cursor string, _ bool) (sweep.Texts, error) {
	if err := h.call("texts %s %s", name, cursor); err != nil || h.texts[name] == nil {
		return nil, err
	}
	h.texts[name].cursor = cursor
	return h.texts[name], nil
}

// TextsAgain implements Hub.
func (h *host) TextsAgain(_ context.Context, name string, ids []finding.BlobID) (scanner.Source, error) {
	return h.texts[name], h.call("again %s %s", name, ids)
}

// texts is a source of one text, or of one that cannot be read.
type texts struct {
	text, cursor string
	err          error
	limit        *sweep.Later
}

// Next implements Texts.
func (m *texts) Next() (cursor string, complete bool) {
	if m.err != nil {
		return m.cursor, false
	}
	return m.cursor + "+", m.limit == nil
}

// Limit implements Texts.
func (m *texts) Limit() *sweep.Later { return m.limit }

// Blobs implements scanner.Source.
func (m *texts) Blobs(_ context.Context, yield func(scanner.Blob) error) error {
	b := scanner.Blob{ID: "1", Kind: finding.KindIssue, Name: "issue", Err: m.err}
	if m.err == nil {
		b.Data = []byte(m.text)
	}
	return yield(b)
}

// Locate implements scanner.Source.
func (m *texts) Locate(_ context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	for _, id := range ids {
		if err := yield(id, finding.Location{Kind: finding.KindIssue, Path: "issue"}); err != nil {
			return err
		}
	}
	return nil
}

// Parent implements Hub.
func (h *host) Parent(_ context.Context, name string) (string, error) {
	return h.parents[name], h.call("parent %s", name)
}

// LostCommits implements Hub.
func (h *host) LostCommits(_ context.Context, name string, since time.Time) (map[string]string, time.Time, error) {
	return h.lost[name], since.AddDate(2000, 0, 0), h.call("lost %s", name)
}

// TellsLost implements Hub.
func (h *host) TellsLost() bool { return true }

// CloneURL implements Hub.
func (h *host) CloneURL(ctx context.Context, name string) (url, budget string, err error) {
	if left, why, err := h.limits.Limit(ctx, "token git"); err != nil || left > 0 {
		return "", "", errors.Join(err, &sweep.Later{At: h.limits.Now().Add(left), Why: why})
	}
	return h.url + "/" + name + "/.git", "token git", nil
}

// WebURL implements Hub.
func (h *host) WebURL(name string) string { return "https://h/" + name }

// A sweeper is a store, an engine and the host that it sweeps.
type sweeper struct {
	*sweeptest.Store
	*host
	queue  sweeptest.Queue
	done   int // jobs
	engine *Engine
	// states of keys are those that verification gives, unknown if there is none.
	states map[string]verifier.State
}

// newSweeper returns one whose store has the target acme.
func newSweeper(t *testing.T) *sweeper {
	t.Helper()
	s := &sweeper{Store: sweeptest.SQLite(t), host: newHost(t), states: map[string]verifier.State{}}
	s.limits = s.Store.Store
	s.engine = &Engine{
		Store: s.Store.Store, Queue: &s.queue, Hub: func(sweep.Target) (sweep.Hub, error) { return s.host, nil }, Scan: s.scan,
		Detector: "v1", Began: s.Clock, Verifies: true, Temp: t.TempDir(), LookEvery: 24 * time.Hour, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	if err := s.PutTarget(t.Context(), sweep.Target{Name: "acme", Options: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	return s
}

var key = regexp.MustCompile(`key-[0-9]`)

// scan implements Engine.Scan: key-1 is a key.
func (s *sweeper) scan(ctx context.Context, src scanner.Source, page string) (result sweep.Result, err error) {
	if repo, ok := src.(*gitsource.Repository); ok {
		src = fetch.Source{Repository: repo, WebURL: page}
	}
	var mu sync.Mutex
	found := map[finding.BlobID][]string{}
	err = src.Blobs(ctx, func(b scanner.Blob) error {
		mu.Lock()
		defer mu.Unlock()
		result.Objects++
		if b.Err != nil {
			result.Unread = append(result.Unread, finding.Unread{What: b.Name, Why: b.Err.Error()})
		}
		for _, k := range key.FindAll(b.Data, -1) {
			found[b.ID] = append(found[b.ID], string(k))
		}
		return nil
	})
	if err != nil {
		return result, err
	}
	places := map[string][]finding.Location{}
	err = src.Locate(ctx, slices.Collect(maps.Keys(found)), func(id finding.BlobID, at finding.Location) error {
		for _, k := range found[id] {
			places[k] = append(places[k], finding.Location{Blob: id, Kind: at.Kind, Path: at.Path, AtHead: at.AtHead})
		}
		return nil
	})
	for _, k := range slices.Sorted(maps.Keys(places)) {
		result.Findings = append(result.Findings, s.finding(k, places[k]...))
	}
	return result, err
}

// finding returns one that was verified now.
func (s *sweeper) finding(key string, places ...finding.Location) finding.Finding {
	state := s.states[key]
	if state == "" {
		state = verifier.Unknown
	}
	return sweeptest.Finding(key, state, "", s.Clock, places...)
}

// sweep sweeps acme a minute later, until no job is left, and returns the errors of jobs
// that were given up.
func (s *sweeper) sweep(t *testing.T, full bool) (failed []error) {
	t.Helper()
	s.Clock = s.Clock.Add(time.Minute)
	if err := s.Begin(t.Context(), &s.queue, "acme", full); err != nil {
		t.Fatal(err)
	}
	return s.work(t)
}

// work does jobs until none is left. A job that waits moves the clock.
func (s *sweeper) work(t *testing.T) (failed []error) {
	t.Helper()
	tries := map[sweep.Job]int{}
	for range 1000 {
		if len(s.queue.Jobs) == 0 {
			return failed
		}
		i := max(0, slices.IndexFunc(s.queue.Jobs, func(j sweep.Job) bool { return j.Rank < sweep.RankFork }))
		j := s.queue.Jobs[i]
		s.queue.Jobs = slices.Delete(s.queue.Jobs, i, i+1)
		tries[j]++
		s.done++
		s.Clock = s.Clock.Add(time.Second)
		last, ended := tries[j] == 3, false
		err := s.engine.Do(t.Context(), j, last, func(context.Context, *sql.Tx) error { ended = true; return nil })
		var later *sweep.Later
		var final *sweep.Final
		switch {
		case err == nil && !ended:
			t.Errorf("%+v has no error, and was not ended", j)
		case err == nil:
		case errors.As(err, &later):
			if later.At.After(s.Clock) {
				s.Clock = later.At
			}
			tries[j]--
			j.Rank = sweep.RankFork
			s.queue.Jobs = append(s.queue.Jobs, j)
		case last || errors.As(err, &final):
			failed = append(failed, err)
		default:
			s.queue.Jobs = append(s.queue.Jobs, j)
		}
	}
	t.Fatal("the jobs do not come to an end")
	return nil
}

// repositories returns "name state" for each.
func (s *sweeper) repositories(t *testing.T) (list []string) {
	t.Helper()
	err := s.Store.Repositories(t.Context(), "", func(r sweep.Repository) error {
		list = append(list, strings.TrimPrefix(r.Name, "acme/")+" "+r.State)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

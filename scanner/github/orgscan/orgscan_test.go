package orgscan_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors/catalog"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/github"
	"github.com/stanch-dev/stanch/scanner/github/orgscan"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
)

// An organization is a GitHub with the repositories of acme.
type organization struct {
	url               string
	notices, progress []string
	watched           int // repositories
}

// serve serves the API and the repositories, each of which a script makes.
func serve(t *testing.T, listed []map[string]any, scripts map[string]string) *organization {
	t.Helper()
	scannertest.Need(t, "git", "sh")
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, script := range scripts {
		scannertest.Git(t, dir, "clone", "-q", "--mirror", scannertest.Repo(t, detectorstest.Fill(script)), filepath.Join(dir, name+".git"))
	}
	mux := http.NewServeMux()
	mux.Handle("/", &cgi.Handler{Path: git, Args: []string{"http-backend"}, Env: []string{"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1"}, Stderr: t.Output()})
	answer := func(path string, with any) {
		mux.HandleFunc("/api/v3/"+path, func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(with) })
	}
	for _, owner := range []string{"acme", "void"} {
		answer("users/"+owner, map[string]string{"login": owner, "type": "Organization"})
	}
	answer("orgs/acme/repos", listed)
	answer("orgs/void/repos", []string{})
	answer("repos/acme/fork", map[string]any{"id": 3, "full_name": "acme/fork", "fork": true})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return &organization{url: srv.URL}
}

// scan returns a scan of o without lost commits, which need a token.
func (o *organization) scan() *orgscan.Scan {
	return &orgscan.Scan{
		Lister: func(context.Context, string) (*github.Lister, error) {
			return github.NewLister(o.url+"/api/v3", github.Static{}, "test")
		},
		Lost:     orgscan.LostNever,
		Notice:   func(format string, args ...any) { o.notices = append(o.notices, fmt.Sprintf(format, args...)) },
		Progress: func(format string, args ...any) { o.progress = append(o.progress, fmt.Sprintf(format, args...)) },
		Watch:    func(src scanner.Source) scanner.Source { o.watched++; return src },
	}
}

func acme(t *testing.T) *organization {
	t.Helper()
	const leak1, leak2 = "commit 1\n-- f --\naws_access_key_id = {AKIA1}\naws_secret_access_key = {secret1}\n", "commit 1\n-- f --\naws_access_key_id = {AKIA2}\naws_secret_access_key = {secret2}\n"
	return serve(t, []map[string]any{
		{"id": 1, "full_name": "acme/app"}, {"id": 2, "full_name": "acme/same", "has_wiki": true},
		{"id": 3, "full_name": "acme/fork", "fork": true}, {"id": 4, "full_name": "acme/gone"}, {"id": 5, "full_name": "acme/empty"},
	}, map[string]string{"acme/app": leak1, "acme/same": leak1, "acme/fork": leak2, "acme/empty": "\n"})
}

// TestList: each repository once, those that the user names although they are forks. Nothing
// listed is an error: the token may have lost its rights.
func TestList(t *testing.T) {
	o := acme(t)
	for _, tt := range []struct {
		targets []string
		want    string // the names
		notice  string
		fails   bool
	}{
		{[]string{"acme"}, "acme/app acme/same acme/gone acme/empty", "1 repository left out: 1 fork (--forks: scan them)", false},
		{[]string{"acme", "acme/fork", "acme"}, "acme/app acme/same acme/gone acme/empty acme/fork", "", false},
		{[]string{"void"}, "", "", true},
	} {
		o.notices = nil
		listed, err := o.scan().List(t.Context(), tt.targets)
		var names []string
		for _, r := range listed.Repositories {
			names = append(names, r.Name)
		}
		if got := strings.Join(names, " "); got != tt.want || (err != nil) != tt.fails || strings.Join(o.notices, "\n") != tt.notice {
			t.Errorf("%q: %s, %v, notices %q; want %s, %q", tt.targets, got, err, o.notices, tt.want, tt.notice)
		}
	}
}

// TestRun: one report of all repositories. A key in two of them is one finding; a repository
// that cannot be fetched is unread; a wiki without a page and an empty repository are neither.
func TestRun(t *testing.T) {
	o := acme(t)
	targets := []string{"acme", "acme/fork"}
	repos, err := o.scan().List(t.Context(), targets)
	if err != nil {
		t.Fatal(err)
	}
	sc := &scanner.Scanner{Detectors: catalog.NewSet(), Verifier: awsverifier.Offline{}}
	var sink scannertest.Sink
	if err := o.scan().Run(t.Context(), sc, &sink, targets, repos); err != nil || !sink.Closed {
		t.Fatalf("%v, closed %v", err, sink.Closed)
	}
	found := map[string][]string{}
	for _, f := range sink.Findings {
		for _, l := range f.Locations {
			found[f.Match.Credential.ID] = append(found[f.Match.Credential.ID], strings.TrimPrefix(l.Repo, o.url))
		}
	}
	if got := found[detectorstest.Fill("{AKIA1}")]; !slices.Equal(got, []string{"/acme/app", "/acme/same"}) {
		t.Errorf("the key of two repositories is in %q", got)
	}
	if got := found[detectorstest.Fill("{AKIA2}")]; !slices.Equal(got, []string{"/acme/fork"}) || len(found) != 2 {
		t.Errorf("the key of the fork is in %q, of %d keys", got, len(found))
	}
	if u := sink.Summary.Unread; len(u) != 1 || u[0].What != o.url+"/acme/gone" || sink.Summary.Stopped {
		t.Errorf("unread: %q, stopped %v", u, sink.Summary.Stopped)
	}
	want := []string{
		"1 of 5: acme/app · cloning", "1 of 5: acme/app",
		"2 of 5: acme/same · cloning", "2 of 5: acme/same", "2 of 5: acme/same.wiki",
		"3 of 5: acme/gone · cloning", "3 of 5: acme/gone",
		"4 of 5: acme/empty · cloning", "4 of 5: acme/empty",
		"5 of 5: acme/fork · cloning", "5 of 5: acme/fork",
	}
	if !slices.Equal(o.progress, want) || o.watched != 3 {
		t.Errorf("watched %d, and progress %q", o.watched, o.progress)
	}
}

// TestRunInterrupted: the report is closed, and says that it is not whole.
func TestRunInterrupted(t *testing.T) {
	o := acme(t)
	repos, err := o.scan().List(t.Context(), []string{"acme"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := o.scan()
	s.Progress = func(string, ...any) { cancel() }
	var sink scannertest.Sink
	err = s.Run(ctx, &scanner.Scanner{Detectors: catalog.NewSet(), Verifier: awsverifier.Offline{}}, &sink, []string{"acme"}, repos)
	if !errors.Is(err, context.Canceled) || !sink.Closed || !sink.Summary.Stopped {
		t.Errorf("%v, closed %v, stopped %v", err, sink.Closed, sink.Summary.Stopped)
	}
}

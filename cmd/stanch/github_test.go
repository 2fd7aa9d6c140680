package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// organization is what the GitHub of TestGitHub has: each repository with the script
// that makes it; without one, it is listed and nowhere.
var organization = []struct {
	name, script string
	fork, wiki   bool
}{
	{"acme/app", `leak 1 f; commit 1; git rm -q f; commit 2`, false, true},
	{"acme/app.wiki", `leak 4 Home.md; commit 1`, false, false},
	{"acme/clean", `echo x >f; commit 1`, false, true},
	{"acme/copy", `leak 1 g; commit 1`, true, false},
	{"acme/empty", `:`, false, false},
	{"acme/pulls", `echo x >f; commit 1; leak 2 f; commit 2; git update-ref refs/pull/7/head HEAD; git reset -q --hard HEAD~`, false, false},
	{"acme/old-archive", `leak 3 f; commit 1`, false, false},
	{"acme/forced", `echo x >f; commit 1; leak 0 f; commit 2; git rev-parse HEAD >.git/before; git reset -q --hard HEAD~`, false, false},
	{"acme/gone", ``, false, false},
	{"gist/1", `leak 6 f; commit 1`, false, false},
}

const gitHubToken = "ghs-of-the-test"

// serveGitHub serves the organization, API and git, to who has the token.
func serveGitHub(t *testing.T) (api string) {
	t.Helper()
	dir := t.TempDir()
	before := map[string]string{}
	for _, r := range organization {
		if r.script == "" {
			continue
		}
		work := scannertest.Repo(t, detectorstest.Fill(`leak() { printf 'aws_access_key_id = %s\naws_secret_access_key = %s\n' "$(eval echo \$id$1)" "$(eval echo \$secret$1)" >$2; }
id0='{AKIA0}' secret0='{secret0}' id6='{AKIA6}' secret6='{secret6}' id1='{AKIA1}' secret1='{secret1}' id2='{AKIA2}' secret2='{secret2}' id3='{AKIA3}' secret3='{secret3}' id4='{AKIA4}' secret4='{secret4}'
`+r.script)+"\n")
		if out, err := exec.Command("git", "clone", "-q", "--mirror", work, filepath.Join(dir, r.name+".git")).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		scannertest.Git(t, filepath.Join(dir, r.name+".git"), "config", "uploadpack.allowAnySHA1InWant", "true")
		id, _ := os.ReadFile(filepath.Join(work, ".git", "before"))
		before[r.name] = strings.TrimSpace(string(id))
	}
	git, err := url.Parse(serveGit(t, dir, gitHubToken))
	if err != nil {
		t.Fatal(err)
	}
	limited := false // one request, of all
	mux := http.NewServeMux()
	mux.Handle("/", httputil.NewSingleHostReverseProxy(git))
	gists, err := url.Parse(serveGit(t, dir, "")) // who knows the URL may
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle("/gist/", httputil.NewSingleHostReverseProxy(gists))
	answer := func(path string, of func(r *http.Request, w http.ResponseWriter) any) {
		mux.HandleFunc("/api/v3"+path, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer "+gitHubToken {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			if a := of(r, w); a != nil {
				_ = json.NewEncoder(w).Encode(a)
			}
		})
	}
	answer("/users/acme", func(*http.Request, http.ResponseWriter) any {
		return map[string]string{"login": "acme", "type": "Organization"}
	})
	answer("/users/void", func(*http.Request, http.ResponseWriter) any {
		return map[string]string{"login": "void", "type": "Organization"}
	})
	answer("/orgs/void/repos", func(*http.Request, http.ResponseWriter) any { return []string{} })
	answer("/repos/acme/copy", func(*http.Request, http.ResponseWriter) any {
		return map[string]any{"full_name": "acme/copy", "fork": true}
	})
	answer("/", func(_ *http.Request, w http.ResponseWriter) any {
		w.WriteHeader(http.StatusNotFound)
		return map[string]string{"message": "Not Found"}
	})
	empty := func(*http.Request, http.ResponseWriter) any { return []string{} }
	for _, list := range []string{"issues", "issues/comments", "pulls", "pulls/comments"} {
		answer("/repos/{owner}/{name}/"+list, empty)
	}
	answer("/repos/acme/clean/issues", text(`aws_access_key_id = {AKIA5}`, "issues/1"))
	answer("/repos/acme/clean/issues/comments", text(`aws_secret_access_key = {secret5}`, "issues/1#issuecomment-2"))
	answer("/orgs/acme/members", func(*http.Request, http.ResponseWriter) any { return []any{map[string]string{"login": "ada"}} })
	answer("/users/ada/gists", func(r *http.Request, _ http.ResponseWriter) any {
		return []any{map[string]string{"html_url": "https://gist.github.com/1", "git_pull_url": "http://" + r.Host + "/gist/1.git"}}
	})
	answer("/repos/{owner}/{name}/activity", func(r *http.Request, _ http.ResponseWriter) any {
		events := []map[string]string{}
		if id := before[r.PathValue("owner")+"/"+r.PathValue("name")]; id != "" && r.FormValue("activity_type") == "force_push" {
			events = append(events, map[string]string{"before": id, "ref": "refs/heads/main", "timestamp": "2026-11-20T10:00:00Z"},
				map[string]string{"before": strings.Repeat("ab", 20), "ref": "refs/heads/main"}) // collected since
		}
		return events
	})
	answer("/orgs/acme/repos", func(r *http.Request, w http.ResponseWriter) any {
		if !limited { // once
			limited = true
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return nil
		}
		page, half := []map[string]any{}, len(organization)/2
		if r.FormValue("page") != "2" {
			w.Header().Set("Link", fmt.Sprintf(`<http://%s%s?page=2>; rel="next"`, r.Host, r.URL.Path))
		}
		for i, o := range organization {
			if (r.FormValue("page") == "2") == (i >= half) && strings.HasPrefix(o.name, "acme/") && !strings.HasSuffix(o.name, ".wiki") {
				page = append(page, map[string]any{"full_name": o.name, "fork": o.fork, "has_wiki": o.wiki, "archived": strings.HasSuffix(o.name, "-archive")})
			}
		}
		return page
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv.URL + "/api/v3"
}

// text is a list of one issue or comment.
func text(body, place string) func(*http.Request, http.ResponseWriter) any {
	return func(*http.Request, http.ResponseWriter) any {
		return []any{map[string]any{"id": 1, "number": 1, "title": "Help", "body": detectorstest.Fill(body), "html_url": "https://github.com/acme/clean/" + place, "created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:05Z"}}
	}
}

// TestGitHub sweeps an organization.
func TestGitHub(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	tests := []struct {
		name, args, token string
		want              []string // "key: repository …"
		says              string
		status            int
	}{
		{"organization", "acme", gitHubToken, []string{"0: forced", "1: app", "2: pulls", "3: old-archive", "4: app.wiki"}, "1 repository left out: 1 fork (--forks: scan them)", cli.ExitIncomplete},
		{"forks", "acme --forks --skip acme/gone --skip *-archive --deleted=false", gitHubToken, []string{"1: app copy", "2: pulls", "4: app.wiki"}, "", cli.ExitLeaks},
		{"archived", "acme --archived=only", gitHubToken, []string{"3: old-archive"}, "7 repositories left out: 1 fork (--forks: scan them), 6 not archived", cli.ExitLeaks},
		{"not_archived", "acme --archived=exclude --only forced --only *-archive", gitHubToken, []string{"0: forced"}, "7 repositories left out: 1 archived, 6 not among --only", cli.ExitLeaks},
		{"wrong_filter", "acme --archived=yes", gitHubToken, nil, "--archived yes", cli.ExitUsage},
		{"include", "acme --only clean --only pulls --include issues,pulls,gists", gitHubToken, []string{"2: pulls", "5: clean clean", "6: 1"}, "", cli.ExitLeaks},
		{"include_without_right", "acme/clean --include actions", gitHubToken, nil, "", cli.ExitIncomplete},
		{"wrong_include", "acme --include wishes", gitHubToken, nil, "--include wishes", cli.ExitUsage},
		{"clean", "acme --skip acme/[afgo]* --skip acme/pulls", gitHubToken, nil, "", 0},
		{"only_of_none", "acme --only nosuch*", gitHubToken, nil, "acme: --only nosuch* leaves nothing to scan: GitHub lists 8 repositories, left out: 8 not among --only", cli.ExitIncomplete},
		{"only_gists", "acme --only nosuch* --include gists", gitHubToken, []string{"6: 1"}, "there is no repository to scan", cli.ExitLeaks},
		{"another_host", "https://github.com/acme", gitHubToken, nil, "https://github.com/acme: the GitHub that is asked is 127.0.0.1", cli.ExitUsage},
		{"one_repository", "acme/copy", gitHubToken, []string{"1: copy"}, "", cli.ExitLeaks},
		{"twice", "acme/copy acme/copy", gitHubToken, []string{"1: copy"}, "", cli.ExitLeaks},
		{"fork_by_name", "acme acme/copy --skip acme/gone --skip acme/[efop]*", gitHubToken, []string{"1: app copy", "4: app.wiki"}, "", cli.ExitLeaks},
		{"nothing_to_see", "void", gitHubToken, nil, "void: GitHub lists no repository", cli.ExitIncomplete},
		{"all_skipped", "acme --skip acme/*", gitHubToken, nil, "acme: --skip acme/* leaves nothing to scan: GitHub lists 8 repositories, left out: 8 skipped", cli.ExitIncomplete},
		{"unknown", "nobody", gitHubToken, nil, "looking up nobody", cli.ExitIncomplete},
		{"wrong_token", "acme", "other", nil, "GitHub does not permit it", cli.ExitIncomplete},
		{"shard_1", "acme --skip acme/gone --deleted=false --include gists --shard 1/2", gitHubToken, []string{"2: pulls"}, "3 repositories in other shards than 1/2", cli.ExitLeaks},
		{"shard_2", "acme --skip acme/gone --deleted=false --include gists --shard 2/2", gitHubToken, []string{"1: app", "3: old-archive", "4: app.wiki", "6: 1"}, "in other shards than 2/2", cli.ExitLeaks},
		{"wrong_shard", "acme --shard 3/2", gitHubToken, nil, "--shard 3/2", cli.ExitUsage},
		{"pattern", "acme --skip [", gitHubToken, nil, "--skip [", cli.ExitUsage},
		{"no_target", "", gitHubToken, nil, `type "stanch github ORG`, cli.ExitUsage},
	}
	api := serveGitHub(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("GITHUB_TOKEN", tt.token)
			t.Setenv("TMPDIR", t.TempDir())
			var stdout, stderr bytes.Buffer
			args := append([]string{"github", "--no-verify", "-f", "json", "--api-url", api}, strings.Fields(tt.args)...)
			if status := cli.ExitCode(&stderr, run(t.Context(), args, nil, &stdout, &stderr)); status != tt.status {
				t.Errorf("exit status %d, want %d: %s", status, tt.status, stderr.String())
			}
			if !strings.Contains(stderr.String(), tt.says) {
				t.Errorf("it says %q, want %q", stderr.String(), tt.says)
			}
			if got := reposOf(t, stdout.Bytes()); !slices.Equal(got, tt.want) {
				t.Errorf("found %q, want %q", got, tt.want)
			}
			if all := stdout.String() + stderr.String(); strings.Contains(all, gitHubToken) {
				t.Errorf("the token got out: %s", all)
			}
			if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 {
				t.Errorf("%v is left behind", left)
			}
		})
	}
}

// reposOf returns the keys of a report in order, each with the repositories that it is in.
func reposOf(t *testing.T, report []byte) []string {
	t.Helper()
	var keys []string
	for line := range bytes.Lines(report) {
		var f struct {
			Type      string
			KeyID     string `json:"key_id"`
			Locations []struct{ Repo string }
		}
		if err := json.Unmarshal(line, &f); err != nil {
			t.Fatal(err)
		}
		if f.Type != "finding" {
			continue
		}
		key := "?:"
		for n := range 7 {
			if f.KeyID == detectorstest.Fill(fmt.Sprintf("{AKIA%d}", n)) {
				key = fmt.Sprintf("%d:", n)
			}
		}
		for _, l := range f.Locations {
			key += " " + l.Repo[strings.LastIndexByte(l.Repo, '/')+1:]
		}
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// TestGitHubSaysWhatItRead: each repository is in the report, read or left out with a
// reason or failed, and the last line of the text counts them. Targets may be URLs.
func TestGitHubSaysWhatItRead(t *testing.T) {
	scannertest.Need(t, "git", "sh")
	api := serveGitHub(t)
	web := strings.TrimSuffix(api, "/api/v3")
	t.Setenv("GITHUB_TOKEN", gitHubToken)
	t.Setenv("TMPDIR", t.TempDir())
	do := func(args ...string) string {
		var stdout, stderr bytes.Buffer
		cli.ExitCode(&stderr, run(t.Context(), append([]string{"github", "--no-verify", "--deleted=false", "--api-url", api}, args...), nil, &stdout, &stderr))
		return stdout.String() + stderr.String()
	}
	for _, tt := range []struct {
		args []string
		says []string
	}{
		{[]string{web + "/acme"}, []string{"· in 6 repositories (1 failed; 1 left out: 1 fork) ·", "\nFAILED  acme/gone: "}},
		{[]string{web + "/acme", "--archived=exclude", "-v"}, []string{"(1 failed; 2 left out: 1 archived, 1 fork)", "\nLEFT OUT  acme/copy: fork\nLEFT OUT  acme/old-archive: archived\n"}},
		{[]string{web + "/acme/copy.git"}, []string{"· in 1 repository ·"}},
		{[]string{web + "/acme/copy/"}, []string{"· in 1 repository ·"}},
		{[]string{web + "/acme/copy/tree/main"}, []string{"give acme/copy"}},
		{[]string{"acme", "--shard", "1/1", "--skip", "[^c]*", "--forks"}, []string{"in 2 repositories (6 left out: 6 skipped)"}},
	} {
		out := do(tt.args...)
		for _, want := range tt.says {
			if !strings.Contains(out, want) {
				t.Errorf("%q says:\n%s\nwant %q", tt.args, out, want)
			}
		}
	}
	var states []string
	for line := range strings.Lines(do("-f", "json", "acme")) {
		var r struct {
			Type, Name, State, Why, URL string
			Objects                     int
		}
		if json.Unmarshal([]byte(line), &r) == nil && r.Type == "repository" {
			states = append(states, fmt.Sprintf("%s %s %v %v", r.Name, r.State, r.Why != "", r.Objects > 0 && r.URL == web+"/"+r.Name))
		}
	}
	want := []string{"acme/app swept false true", "acme/clean swept false true", "acme/empty swept false false", "acme/pulls swept false true",
		"acme/old-archive swept false true", "acme/forced swept false true", "acme/gone failed true false", "acme/copy skipped true false"}
	if !slices.Equal(states, want) {
		t.Errorf("%q, want %q", states, want)
	}
}

package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// ciServer is what the tests of CI have on the server: a history in which key 1 was
// leaked and removed long ago, and refs of every kind. Each file with a key is gone
// again in the next commit, so that only a scan of all commits finds it. "more NAME N"
// makes N commits with one process, and "remember NAME" notes where HEAD is.
const ciServer = `
git init -q --bare ../server.git
git config -f ../server.git/config receive.unpackLimit 1
git config -f ../server.git/config uploadpack.allowAnySHA1InWant true
git config -f ../server.git/config gc.auto 0
git config -f ../server.git/config uploadpack.allowFilter true
git remote add origin ../server.git
leak() { printf 'id = %s\nsecret = %s\n' "$2" "$3" >"$1.env"; commit "add $1"; rm "$1.env"; commit "remove $1"; }
more() {
	from=$(git rev-parse -q --verify HEAD || :)
	for i in $(seq $2); do
		echo "$1 $i" >>"$1.txt"
		printf 'commit refs/more\ncommitter Carl <carl@example.com> %s +0000\ndata <<.\n%s\n.\n' $((now + 60 * i)) "$1 $i"
		[ $i != 1 ] || [ -z "$from" ] || echo "from $from"
		printf 'M 100644 inline %s.txt\ndata <<.\n%s\n.\n\n' $1 "$(cat "$1.txt")"
	done | git fast-import --quiet --force
	now=$((now + 60 * $2))
	git reset -q --hard refs/more
}
remember() { echo "$1=$(git rev-parse "${2:-HEAD}")" >>../ids; }
more main 3; leak old {AKIA1} {secret1}; more main 30
git tag v0; remember fork_point; git push -q origin main v0

git checkout -qb feature; leak feature {AKIA2} {secret2}; more feature 33; remember pr_head
git push -q origin feature HEAD:refs/pull/1/head
git checkout -q main; more main 40; remember pr_base; git push -q origin main
git checkout -q --detach; git merge -q --no-edit feature; git push -q origin HEAD:refs/pull/1/merge; remember pr_merge

git checkout -q --detach main~40; leak forked {AKIA3} {secret3}; remember fork_head; git push -q origin HEAD:refs/pull/2/head

git checkout -q main; git checkout -qb queue; git merge -q --no-edit feature; remember queue_head
git push -q origin HEAD:refs/heads/gh-readonly-queue/main/pr-1

git checkout -q main; remember push_before; leak pushed {AKIA4} {secret4}; remember push_after; git push -q origin main

git checkout -qb forced main~3; more lost 2; remember lost; git push -q origin forced
git reset -q --hard main~3; leak forcing {AKIA5} {secret5}; remember forced; git push -qf origin forced

git checkout -q --detach main; leak tagged {AKIA6} {secret6}; git tag -a v1 -m "id {AKIA7} secret {secret7}"; git push -q origin v1
remember tag v1; remember tagged 'v1^{}'

git checkout -qb same main; remember same; git push -q origin same
git checkout -q --orphan alone; git rm -rqf .; leak alone {AKIA8} {secret8}; remember alone; git push -q origin alone
git checkout -qb atop feature; leak atop {AKIA9} {secret9}; remember atop; git push -q origin atop
git push -q origin feature:refs/heads/release/1 main:refs/heads/zero
rm -rf .git
`

var ciServerOnce = scannertest.Once(func() string { return detectorstest.Fill(ciServer) })

// ciKeys says which key of ciServer an id is.
func ciKeys() map[string]string {
	keys := map[string]string{}
	for i := 1; i <= 9; i++ {
		n := strconv.Itoa(i)
		keys[detectorstest.Fill("{AKIA"+n+"}")] = n
	}
	return keys
}

// ciTest serves a repository and has checkouts of it.
type ciTest struct {
	url string
	ids map[string]string
	dir string
	// checkouts are those that were made before, each by its ref and options.
	checkouts map[string]func(testing.TB) string
}

func newCITest(t *testing.T) *ciTest {
	t.Helper()
	return ciTestIn(t, filepath.Dir(ciServerOnce(t)))
}

// ciTestIn serves the repositories in dir, where the file ids is what was remembered.
func ciTestIn(t *testing.T, dir string) *ciTest {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "ids"))
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{"none": strings.Repeat("0", 40), "unknown": strings.Repeat("5e", 20)}
	for _, line := range strings.Fields(string(text)) {
		name, id, _ := strings.Cut(line, "=")
		ids[name] = id
	}
	return &ciTest{url: serveGit(t, dir, ""), ids: ids, dir: dir, checkouts: map[string]func(testing.TB) string{}}
}

// serveGit serves the repositories in dir over smart HTTP, to who has the token.
func serveGit(t *testing.T, dir, token string) string {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	backend := &cgi.Handler{Path: git, Args: []string{"http-backend"}, Env: []string{"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1"}, InheritEnv: []string{"GIT_CONFIG_NOSYSTEM"}, Stderr: io.Discard}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); token != "" && (user != "x-access-token" || password != token) {
			w.Header().Set("WWW-Authenticate", "Basic")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		backend.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// fill replaces {name} by the ids that the script remembered.
func (c *ciTest) fill(text string) string {
	for name, id := range c.ids {
		text = strings.ReplaceAll(text, "{"+name+"}", id)
	}
	return text
}

// checkout makes what actions/checkout does: the commit of a ref, by default at a
// depth of one, detached. With "all" it has all branches and tags too.
func (c *ciTest) checkout(t *testing.T, ref string, options ...string) string {
	t.Helper()
	if len(options) == 0 {
		options = []string{"--depth=1"}
	}
	more := ""
	if options[0] == "all" {
		options = []string{"--no-auto-gc"}
		more = "git fetch -q origin '+refs/heads/*:refs/remotes/origin/*' '+refs/tags/*:refs/tags/*'\n"
	}
	script := fmt.Sprintf("git remote add origin %s/server.git\ngit fetch -q --no-tags %s origin %s\ngit checkout -q --detach FETCH_HEAD\n%s",
		c.url, strings.Join(options, " "), ref, more)
	if c.checkouts[script] == nil {
		c.checkouts[script] = scannertest.Once(func() string { return script })
	}
	return c.checkouts[script](t)
}

// A ciResult is what a run of stanch ci left.
type ciResult struct {
	status               int
	log, summary, output string
	keys                 string // that were found, as "1 2"
}

// runCI runs "stanch ci" in a checkout for an event. A variable that a test has set
// itself is left alone if there is one with "TEST_" before its name.
func runCI(t *testing.T, dir, event, payload string, args ...string) ciResult {
	t.Helper()
	temp := t.TempDir()
	files := map[string]string{"GITHUB_EVENT_PATH": payload, "GITHUB_STEP_SUMMARY": "", "GITHUB_OUTPUT": ""}
	for name, text := range files {
		file := filepath.Join(temp, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, set := os.LookupEnv("TEST_" + name); !set {
			t.Setenv(name, file)
		}
	}
	for name, value := range map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": event, "GITHUB_REPOSITORY": "ada/app", "GITHUB_REF": "refs/heads/main",
		"GITLAB_CI": "", "GITHUB_TOKEN": "", "GITHUB_SERVER_URL": "https://github.com",
		"GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_NOSYSTEM": "1",
	} {
		if _, set := os.LookupEnv("TEST_" + name); !set {
			t.Setenv(name, value)
		}
	}
	report := filepath.Join(temp, "report.json")
	var out bytes.Buffer
	err := run(t.Context(), append([]string{"ci", "--json", report, dir}, args...), nil, &out, &out)
	r := ciResult{status: cli.ExitCode(&out, err)}
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		return string(text)
	}
	r.log, r.summary, r.output = out.String(), read(filepath.Join(temp, "GITHUB_STEP_SUMMARY")), read(filepath.Join(temp, "GITHUB_OUTPUT"))
	found := map[string]bool{}
	for line := range strings.Lines(read(report)) {
		var f struct {
			KeyID string `json:"key_id"`
		}
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatal(err)
		}
		if f.KeyID != "" {
			found[cmp.Or(ciKeys()[f.KeyID], f.KeyID)] = true
		}
	}
	r.keys = strings.Join(slices.Sorted(maps.Keys(found)), " ")
	return r
}

// repository is part of every payload.
const repository = `"repository":{"default_branch":"main","private":true}`

// TestCIEvents: of each event that a service can have, all commits are read that it
// brings and no others, whatever of them the checkout holds.
func TestCIEvents(t *testing.T) {
	c := newCITest(t)
	push := func(ref, before, after, more string) string {
		return `{"ref":"` + ref + `","before":"{` + before + `}","after":"{` + after + `}",` + more + repository + `}`
	}
	pull := func(number, head, base, repo string) string {
		return `{"number":` + number + `,"pull_request":{"number":` + number + `,"commits":30,"head":{"sha":"{` + head + `}","repo":` + repo + `},"base":{"sha":"{` + base + `}","repo":{"full_name":"ada/app"}}},` + repository + `}`
	}
	queue := `{"action":"checks_requested","merge_group":{"head_sha":"{queue_head}","head_ref":"refs/heads/gh-readonly-queue/main/pr-1","base_sha":"{pr_base}"},` + repository + `}`
	own := `{"full_name":"ada/app"}`
	tests := []struct {
		name, ref      string // that is checked out
		event, payload string
		keys           string // that are found
		commits        int
		says           string
		status         int
	}{
		{"push", "main", "push", push("refs/heads/main", "push_before", "push_after", ""), "4", 2, "", 1},
		{"push_of_nothing", "main", "push", push("refs/heads/main", "push_after", "push_after", ""), "", 1, "No commit of this push is new", 0},
		{"back_to_an_old_commit", "main~2", "push", push("refs/heads/main", "push_after", "push_before", `"forced":true,`), "", 1, "No commit of this push is new", 0},
		{"forced_with_old_end", "forced", "push", push("refs/heads/forced", "lost", "forced", `"forced":true,`), "5", 2, "", 1},
		{"forced_without_old_end", "forced", "push", push("refs/heads/forced", "unknown", "forced", `"forced":true,`), "5", 2, "no longer on the server", 1},
		{"new_branch", "forced", "push", push("refs/heads/forced", "none", "forced", `"created":true,`), "5", 2, "", 1},
		{"new_branch_at_an_old_commit", "same", "push", push("refs/heads/same", "none", "same", `"created":true,`), "", 1, "No commit of this push is new", 0},
		{"new_branch_without_common_history", "alone", "push", push("refs/heads/alone", "none", "alone", `"created":true,`), "8", 2, "", 1},
		{"new_branch_from_a_branch_that_nobody_watches", "release/1", "push", push("refs/heads/release/1", "none", "pr_head", `"created":true,`), "2", 35, "", 1},
		{"new_tag_on_a_branch_that_nobody_watches", "release/1", "push", push("refs/tags/v2", "none", "pr_head", `"created":true,`), "2", 35, "", 1},
		{"new_branch_without_a_default_branch", "same", "push", strings.Replace(push("refs/heads/same", "none", "same", `"created":true,`), `"default_branch":"main",`, "", 1), "1 4", 77, "names no default branch", 1},
		{"new_branch_on_a_branch", "atop", "push", push("refs/heads/atop", "none", "atop", `"created":true,`), "2 9", 37, "", 1},
		{"first_push_of_all", "main", "push", push("refs/heads/main", "none", "push_after", `"created":true,`), "1 4", 77, "", 1},
		{"new_tag", "v1", "push", push("refs/tags/v1", "none", "tag", `"created":true,`), "6 7", 2, "", 1},
		{"new_tag_without_object", "v1", "push", push("refs/tags/v1", "none", "tagged", `"created":true,`), "6", 2, "", 1},
		{"tag_of_an_old_commit", "v0", "push", push("refs/tags/v0", "none", "fork_point", `"created":true,`), "", 1, "No commit of this push is new", 0},
		{"deleted_branch", "main", "push", push("refs/heads/gone", "lost", "none", `"deleted":true,`), "", 0, "nothing to scan", 0},
		{"delete", "main", "delete", `{"ref":"gone",` + repository + `}`, "", 0, "nothing to scan", 0},
		{"pull_request", "refs/pull/1/merge", "pull_request", pull("1", "pr_head", "pr_base", own), "2", 35, "", 1},
		{"pull_request_target", "main", "pull_request_target", pull("1", "pr_head", "pr_base", own), "2", 35, "", 1},
		{"pull_request_of_a_fork", "main", "pull_request", pull("2", "fork_head", "pr_base", `{"full_name":"eve/app"}`), "3", 2, "", 1},
		{"pull_request_of_a_deleted_fork", "main", "pull_request", pull("2", "fork_head", "pr_base", `null`), "3", 2, "", 1},
		{"pull_request_without_commits", "main", "pull_request", pull("3", "pr_base", "push_after", own), "", 1, "No commit of this pull_request is new", 0},
		{"merge_group", "gh-readonly-queue/main/pr-1", "merge_group", queue, "2", 36, "", 1},
		{"schedule", "main", "schedule", `{"schedule":"0 3 * * *"}`, "1 2 4 5 6 7 8 9", 0, "The whole repository", 1},
		{"workflow_dispatch", "main", "workflow_dispatch", `{` + repository + `}`, "1 2 4 5 6 7 8 9", 0, "The whole repository", 1},
		{"event_that_nobody_knows", "main", "moon_landing", `{}`, "1 2 4 5 6 7 8 9", 0, "The whole repository", 1},
	}
	depths := []string{"--depth=1", "--depth=20", "all", "--depth=1 --filter=blob:none", "--depth=20 --filter=tree:0"}
	whole := scannertest.WholeMatrix(t, "each event with each depth of the checkout; here each event has one of them")
	for i, tt := range tests {
		for j, depth := range depths {
			if !whole && j != i%len(depths) {
				continue
			}
			t.Run(tt.name+"/"+depth, func(t *testing.T) {
				dir := c.checkout(t, strings.TrimSuffix(tt.ref, "~2"), strings.Fields(depth)...)
				r := runCI(t, dir, tt.event, c.fill(tt.payload))
				if r.keys != tt.keys || r.status != tt.status || !strings.Contains(r.log, tt.says) {
					t.Errorf("keys %q, exit status %d, want %q, %d and %q\n%s", r.keys, r.status, tt.keys, tt.status, tt.says, r.log)
				}
				if want := "scanned-commits=" + strconv.Itoa(tt.commits) + "\n"; !strings.Contains(r.output, want) {
					t.Errorf("outputs are %s; want %s%s", r.output, want, r.log)
				}
			})
		}
	}
}

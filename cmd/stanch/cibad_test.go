package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/scannertest"
)

// TestCIBadInput: what cannot be worked out, fetched or uploaded is said, with what to
// do, and exits with 3; never with a crash, never with 0.
func TestCIBadInput(t *testing.T) {
	c := newCITest(t)
	push := `{"ref":"refs/heads/main","before":"{push_before}","after":"{push_after}",` + repository + `}`
	pull := `{"pull_request":{"number":1,"head":{"sha":"{pr_head}"},"base":{"sha":"{pr_base}"}},` + repository + `}`
	offline := func(t *testing.T, dir string) {
		t.Helper()
		scannertest.Git(t, dir, "remote", "set-url", "origin", c.url+"/none.git")
	}
	tests := []struct {
		name, event, payload string
		prepare              func(*testing.T, string)
		says                 string
	}{
		{"no_payload_file", "push", push, func(t *testing.T, _ string) { t.Helper(); t.Setenv("GITHUB_EVENT_PATH", "/none") }, "reading the payload"},
		{"no_json", "push", "<html>", nil, "invalid character"},
		{"no_fields", "push", "{}", nil, "after is missing"},
		{"ids_of_another_type", "push", `{"before":1,"after":[]}`, nil, "cannot unmarshal"},
		{"an_option_as_id", "push", `{"before":"--all","after":"{push_after}"}`, nil, "before is not an object id"},
		{"pull_request_without_one", "pull_request", push, nil, "it has no pull_request"},
		{"pull_request_without_base", "pull_request", `{"pull_request":{"number":1,"head":{"sha":"{pr_head}"}}}`, nil, "no base.sha"},
		{"merge_group_without_one", "merge_group", push, nil, "it has no merge_group"},
		{"deleted_and_not", "push", `{"deleted":true,"after":"1"}`, nil, "after is missing or is not an object id"},
		{"head_that_nobody_has", "push", strings.Replace(push, "{push_after}", "{unknown}", 1), nil, "is not in the checkout and cannot be fetched"},
		{"no_server", "pull_request", pull, offline, "is not in the checkout and cannot be fetched"},
		{"no_server_for_history", "push", `{"ref":"refs/heads/main","before":"{none}","after":"{push_after}",` + repository + `}`, offline, "history is cut off"},
		{"no_server_for_everything", "schedule", `{}`, offline, "history is cut off"},
		{"no_server_for_everything_of_a_whole_branch", "schedule", `{}`, func(t *testing.T, dir string) {
			t.Helper()
			scannertest.Git(t, dir, "fetch", "-q", "--no-tags", "--unshallow", "origin", "main")
			offline(t, dir)
		}, "stanch cannot tell whether the checkout is the whole repository"},
		{"no_remote_for_everything", "schedule", `{}`, func(t *testing.T, dir string) {
			t.Helper()
			scannertest.Git(t, dir, "fetch", "-q", "--no-tags", "--unshallow", "origin", "main")
			scannertest.Git(t, dir, "remote", "remove", "origin")
		}, "no remote to fetch from"},
		{"no_remote", "pull_request", pull, func(t *testing.T, dir string) { t.Helper(); scannertest.Git(t, dir, "remote", "remove", "origin") }, "no remote"},
		{"no_git", "push", push, func(t *testing.T, _ string) { t.Helper(); t.Setenv("PATH", "") }, "there is no git binary"},
		{"of_somebody_else_with_a_program", "push", push, func(t *testing.T, dir string) {
			t.Helper()
			scannertest.Git(t, dir, "config", "remote.origin.uploadpack", "echo")
			t.Setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
		}, "its setting remote.origin.uploadpack may run a program; run: git config --global --add safe.directory"},
		{"no_repository", "push", push, func(t *testing.T, dir string) {
			t.Helper()
			if err := os.RemoveAll(filepath.Join(dir, ".git")); err != nil {
				t.Fatal(err)
			}
		}, "check the repository out first"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := c.checkout(t, "main")
			if tt.name == "no_payload_file" {
				t.Setenv("TEST_GITHUB_EVENT_PATH", "")
			}
			if tt.prepare != nil {
				tt.prepare(t, dir)
			}
			r := runCI(t, dir, tt.event, c.fill(tt.payload))
			if r.status != cli.ExitIncomplete || !strings.Contains(r.log, tt.says) || !strings.Contains(r.output, "exit-code=3\n") {
				t.Errorf("exit status %d, want 3 and %q\n%s%s", r.status, tt.says, r.log, r.output)
			}
			if !strings.Contains(r.log, "::error ") || !strings.Contains(r.summary, "ot") {
				t.Errorf("no annotation in %s or no summary in %q", r.log, r.summary)
			}
		})
	}
}

// TestCIUsage: a wrong input of the action is told like a scan that could not be.
func TestCIUsage(t *testing.T) {
	dir := scannertest.Repo(t, "commit first")
	for name, value := range map[string]string{"STANCH_VERIFY": "perhaps", "STANCH_ACCOUNTS": "111122223333", "STANCH_MIN_CONFIDENCE": "sure"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			r := runCI(t, dir, "push", "{}")
			if r.status != cli.ExitUsage || !strings.Contains(r.log, "::error title=stanch::") || r.summary == "" || !strings.Contains(r.output, "sarif-file=\n") || !strings.Contains(r.output, "exit-code=2\n") {
				t.Errorf("exit status %d\n%s%s%s", r.status, r.log, r.summary, r.output)
			}
		})
	}
}

// TestCIUnwritableReport: a report that cannot be written is told in an annotation, though
// the scan itself went well.
func TestCIUnwritableReport(t *testing.T) {
	dir := scannertest.Repo(t, "commit first; echo more >more; commit second")
	r := runCI(t, dir, "push", "", "--base", "HEAD~", "--sarif", "no folder/x.sarif")
	want := "::error title=stanch::--sarif: writing no folder/x.sarif: no such file or directory\n"
	if r.status != cli.ExitIncomplete || strings.Count(r.log, "::error ") != 1 || !strings.Contains(r.log, want) || !strings.Contains(r.output, "sarif-file=\n") {
		t.Errorf("exit status %d, want 3, %q and no file\n%s%s", r.status, want, r.log, r.output)
	}
}

// TestCIToken: where the checkout kept no credentials, the token is used, and for its
// own server only; no log has it.
func TestCIToken(t *testing.T) {
	const token = "ghs_token-of-this-test"
	c := newCITest(t)
	open := c.url
	guarded := serveGit(t, c.dir, token)
	pull := `{"pull_request":{"number":1,"head":{"sha":"{pr_head}"},"base":{"sha":"{pr_base}"}},` + repository + `}`
	branch := `{"ref":"refs/heads/forced","before":"{none}","after":"{forced}",` + repository + `}`
	for _, tt := range []struct {
		name, event, payload, server string
		status                       int
		keys                         string
	}{
		{"own_server", "pull_request", pull, guarded, cli.ExitLeaks, "2"},
		{"another_server", "pull_request", pull, "https://github.com", cli.ExitIncomplete, ""},
		{"own_server_new_branch", "push", branch, guarded, cli.ExitLeaks, "5"},
		{"another_server_new_branch", "push", branch, "https://github.com", cli.ExitIncomplete, ""},
		{"own_server_everything", "schedule", "{}", guarded, cli.ExitLeaks, "1 2 4 5 6 7 8 9"},
		{"another_server_everything", "schedule", "{}", "https://github.com", cli.ExitIncomplete, ""},
		{"container_job", "pull_request", pull, guarded, cli.ExitLeaks, "2"},
		{"container_job_everything", "schedule", "{}", guarded, cli.ExitLeaks, "1 2 4 5 6 7 8 9"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.url = open
			dir := c.checkout(t, "main")
			scannertest.Git(t, dir, "remote", "set-url", "origin", guarded+"/server.git")
			if strings.HasPrefix(tt.name, "container_job") { // as if another user had made the checkout
				t.Setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
			}
			t.Setenv("STANCH_TOKEN", token)
			t.Setenv("TEST_GITHUB_SERVER_URL", "")
			t.Setenv("GITHUB_SERVER_URL", tt.server)
			r := runCI(t, dir, tt.event, c.fill(tt.payload))
			if r.status != tt.status || r.keys != tt.keys || strings.Contains(r.log+r.summary+r.output, token) {
				t.Errorf("exit status %d, keys %q, want %d and %q\n%s", r.status, r.keys, tt.status, tt.keys, r.log)
			}
			config, err := os.ReadFile(filepath.Join(dir, ".git", "config"))
			if err != nil || strings.Contains(string(config), "Authorization") {
				t.Errorf("the configuration of the checkout: %s, %v", config, err)
			}
		})
	}
}

// TestCIUploadErrors: a failed upload is no clean end, but for one that "auto" may
// leave out.
func TestCIUploadErrors(t *testing.T) {
	c := newCITest(t)
	answers := 0
	status := http.StatusForbidden
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answers++
		if status != http.StatusForbidden {
			w.Header().Set("Retry-After", "3600") // so that nobody waits
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(api.Close)
	t.Setenv("GITHUB_API_URL", api.URL)
	t.Setenv("STANCH_TOKEN", "ghs_token-of-this-test")
	pull := c.fill(`{"pull_request":{"number":3,"head":{"sha":"{pr_base}","repo":{"full_name":"ada/app"}},"base":{"sha":"{push_before}","repo":{"full_name":"ada/app"}}},` + repository + `}`)
	fork := strings.Replace(pull, `"full_name":"ada/app"`, `"full_name":"eve/app"`, 1)
	push := c.fill(`{"ref":"refs/heads/main","before":"{push_before}","after":"{push_after}",` + repository + `}`)
	for _, tt := range []struct {
		name, event, payload, upload string
		api, asked, status           int
		says                         string
	}{
		{"forbidden", "pull_request", pull, "true", 403, 1, cli.ExitIncomplete, "security-events: write"},
		{"forbidden_if_permitted", "pull_request", pull, "auto", 403, 1, cli.ExitClean, "SARIF was not uploaded: "},
		{"too_many_requests", "pull_request", pull, "auto", 429, 1, cli.ExitIncomplete, "429"},
		{"server_error", "pull_request", pull, "auto", 500, 1, cli.ExitIncomplete, "500"},
		{"fork", "pull_request", fork, "auto", 500, 0, cli.ExitClean, "from a fork has no permission to"},
		{"push", "push", push, "auto", 500, 0, cli.ExitLeaks, "would close the alerts of earlier commits"},
		{"push_all_the_same", "push", push, "true", 422, 1, cli.ExitIncomplete, "422"},
		{"not_wanted", "pull_request", pull, "false", 500, 0, cli.ExitClean, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answers, status = 0, tt.api
			r := runCI(t, c.checkout(t, "main"), tt.event, tt.payload, "--upload-sarif", tt.upload)
			if r.status != tt.status || answers != tt.asked || !strings.Contains(r.log, tt.says) {
				t.Errorf("exit status %d after %d requests, want %d, %d and %q\n%s", r.status, answers, tt.status, tt.asked, tt.says, r.log)
			}
		})
	}
}

// TestCIElsewhere: GitLab's variables, and revisions of the user.
func TestCIElsewhere(t *testing.T) {
	c := newCITest(t)
	t.Setenv("TEST_GITHUB_ACTIONS", "")
	t.Setenv("GITHUB_ACTIONS", "")
	gitlab := func(source string, more ...string) map[string]string {
		v := map[string]string{"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": source, "CI_DEFAULT_BRANCH": "main", "CI_PROJECT_PATH": "ada/app"}
		for i := 0; i < len(more); i += 2 {
			v[more[i]] = c.fill(more[i+1])
		}
		return v
	}
	merge := []string{"CI_MERGE_REQUEST_IID", "1", "CI_MERGE_REQUEST_PROJECT_ID", "7", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "7", "CI_COMMIT_SHA", "{pr_head}", "CI_MERGE_REQUEST_DIFF_BASE_SHA", "{fork_point}"}
	for _, tt := range []struct {
		name, ref string
		env       map[string]string
		args      []string
		keys      string
		status    int
		says      string
	}{
		{"gitlab_push", "main", gitlab("push", "CI_COMMIT_BRANCH", "main", "CI_COMMIT_SHA", "{push_after}", "CI_COMMIT_BEFORE_SHA", "{push_before}"), nil, "4", 1, "2 commits (push, "},
		{"gitlab_new_branch", "forced", gitlab("push", "CI_COMMIT_BRANCH", "forced", "CI_COMMIT_SHA", "{forced}", "CI_COMMIT_BEFORE_SHA", "{none}"), nil, "5", 1, "2 commits (push, "},
		{"gitlab_tag", "v1", gitlab("push", "CI_COMMIT_TAG", "v1", "CI_COMMIT_SHA", "{tagged}", "CI_COMMIT_BEFORE_SHA", "{none}"), nil, "6", 1, "2 commits (push, "},
		{"gitlab_merge_request", "feature", gitlab("merge_request_event", merge...), nil, "2", 1, "35 commits"},
		{"gitlab_schedule", "main", gitlab("schedule"), nil, "1 2 4 5 6 7 8 9", 1, "whole repository"},
		{"gitlab_without_variables", "main", gitlab("merge_request_event"), nil, "", 3, "CI_MERGE_REQUEST_IID"},
		{"gitlab_without_source", "main", gitlab(""), nil, "", 3, "CI_PIPELINE_SOURCE is not set"},
		{"nowhere", "main", nil, nil, "", 2, "name the commits with --base and --head"},
		{"base_and_head", "main", nil, []string{"--base", "{push_before}", "--head", "{push_after}"}, "4", 1, "2 commits (range, "},
		{"base_alone", "main", nil, []string{"--base", "{push_before}"}, "4", 1, "2 commits (range, "},
		{"relative_base", "main", nil, []string{"--base", "{push_after}"}, "", 0, "No commit of this range is new"},
		{"head_alone", "main", nil, []string{"--head", "HEAD"}, "1 4", 1, "77 commits (range, "},
		{"base_of_the_server", "main", nil, []string{"--base", "refs/tags/v0"}, "4", 1, "42 commits (range, "},
		{"no_such_base", "main", nil, []string{"--base", "none"}, "", 3, `"none" is not a revision`},
		{"an_option_as_base", "main", nil, []string{"--base=--all"}, "", 3, `"--all" is not a revision`},
		{"history", "main", nil, []string{"--scan", "history"}, "1 2 4 5 6 7 8 9", 1, "whole repository"},
		{"wrong_scan", "main", nil, []string{"--scan", "all"}, "", 2, "--scan all"},
		{"wrong_upload", "main", nil, []string{"--upload-sarif", "yes"}, "", 2, "--upload-sarif yes"},
		{"secrets", "main", nil, []string{"--show-secrets"}, "", 2, "not in CI"},
		{"wrong_variable", "main", map[string]string{"STANCH_VERIFY": "perhaps"}, nil, "", 2, "STANCH_VERIFY=perhaps"},
		{"variable_of_several_lines", "main", map[string]string{"STANCH_BASELINE": "\n/none/1\n/none/2\n"}, nil, "", 2, "/none/1: "},
		{"list_with_spaces", "main", map[string]string{"STANCH_ACCOUNTS": "111122223333, 444455556666 ,\t777788889999", "STANCH_VERIFY": "true"}, []string{"--base", "{push_after}"}, "", 0, "No commit of this range is new"},
		{"accounts_without_verify", "main", map[string]string{"STANCH_ACCOUNTS": "111122223333\n444455556666"}, nil, "", 2, "add --verify"},
		{"fail_on_variable", "main", map[string]string{"STANCH_FAIL_ON": "never", "STANCH_BASE": c.fill("{push_before}")}, nil, "4", 0, ""},
		{"live_without_verify", "main", map[string]string{"STANCH_FAIL_ON": "live", "STANCH_BASE": c.fill("{push_before}")}, nil, "", 2, "add --verify (in the action: verify: true)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for name, value := range tt.env {
				t.Setenv(name, value)
				t.Setenv("TEST_"+name, "")
			}
			args := strings.Split(c.fill(strings.Join(tt.args, "\n")), "\n")
			if len(tt.args) == 0 {
				args = nil
			}
			r := runCI(t, c.checkout(t, tt.ref), "", "", args...)
			if r.keys != tt.keys || r.status != tt.status || !strings.Contains(r.log, tt.says) || r.summary+r.output != "" {
				t.Errorf("keys %q, exit status %d, want %q, %d and %q\n%s%s", r.keys, r.status, tt.keys, tt.status, tt.says, r.log, r.summary)
			}
		})
	}
}

// TestCIPublicLog: what everybody can read names no account, no secret, and obeys
// nobody.
func TestCIPublicLog(t *testing.T) {
	dir := scannertest.Repo(t, detectorstest.Fill(`commit first
printf 'id {AKIA1}\nsecret {secret1}\n' >'##[set-output name=findings]0'
printf 'id {AKIA2}\nsecret {secret2}\n' >'::set-output name=findings::0'
commit second
`))
	base, head := scannertest.Git(t, dir, "rev-parse", "HEAD~"), scannertest.Git(t, dir, "rev-parse", "HEAD")
	for _, visibility := range []string{"false", "true", "null"} {
		payload := `{"ref":"refs/heads/main","before":"` + base + `","after":"` + head + `","repository":{"private":` + visibility + `}}`
		r := runCI(t, dir, "push", payload)
		if named := strings.Contains(r.log+r.summary, detectorstest.Account); named != (visibility == "true") {
			t.Errorf("private is %s, and the account is named: %v\n%s", visibility, named, r.log)
		}
		stopped := ""
		for line := range strings.Lines(r.log) {
			line = strings.TrimSpace(line)
			word, stops := strings.CutPrefix(line, "::stop-commands::")
			switch {
			case stops:
				stopped = word
			case stopped != "" && line == "::"+stopped+"::":
				stopped = ""
			case stopped == "" && !strings.HasPrefix(line, "::error ") && !strings.HasPrefix(line, "::add-mask::"):
				t.Errorf("the runner would look at %q", line)
			case strings.Contains(line, detectorstest.Fill("{secret1}")) && !strings.HasPrefix(line, "::add-mask::"):
				t.Errorf("a secret in %q", line)
			}
		}
		if r.status != cli.ExitLeaks || stopped != "" || strings.Contains(r.summary, detectorstest.Fill("{secret1}")) {
			t.Errorf("exit status %d, %q still stops commands", r.status, stopped)
		}
	}
}

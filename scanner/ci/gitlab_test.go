package ci

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGitLab: the events of GitLab, and variables that are missing or no ids.
func TestGitLab(t *testing.T) {
	merge := Event{Kind: Commits, Head: two, Base: one, HeadRefs: []string{"refs/merge-requests/7/head"}, PullRequest: 7, Public: true, Trusted: one}
	forked := merge
	forked.Fork = true
	request := map[string]string{
		"CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_IID": "7", "CI_COMMIT_SHA": two, "CI_MERGE_REQUEST_DIFF_BASE_SHA": one,
		"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "3", "CI_MERGE_REQUEST_PROJECT_ID": "3",
	}
	changed := func(name, value string) map[string]string {
		vars := map[string]string{}
		for n, v := range request {
			vars[n] = v
		}
		vars[name] = value
		return vars
	}
	for _, tt := range []struct {
		name string
		vars map[string]string
		want Event
		is   error
	}{
		{"push", map[string]string{"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "x", "CI_COMMIT_SHA": two, "CI_COMMIT_BEFORE_SHA": one, "CI_PROJECT_VISIBILITY": "private"},
			Event{Kind: Commits, Head: two, Base: one, Ref: "refs/heads/x", HeadRefs: []string{"refs/heads/x"}, Visibility: "private"}, nil},
		{"new tag", map[string]string{"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_TAG": "v1", "CI_COMMIT_SHA": two, "CI_COMMIT_BEFORE_SHA": zero, "CI_PROJECT_VISIBILITY": "internal"},
			Event{Kind: Commits, Head: two, Ref: "refs/tags/v1", HeadRefs: []string{"refs/tags/v1"}, Visibility: "internal"}, nil},
		{"merge request", request, merge, nil},
		{"merge request of a fork", changed("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "4"), forked, nil},
		{"merged results", changed("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", two), merge, nil},
		{"schedule", map[string]string{"CI_PIPELINE_SOURCE": "schedule"}, Event{Kind: Everything, Public: true}, nil},
		{"no source", nil, Event{}, ErrPayload},
		{"push without a commit", map[string]string{"CI_PIPELINE_SOURCE": "push"}, Event{}, ErrPayload},
		{"merge request without a number", changed("CI_MERGE_REQUEST_IID", ""), Event{}, ErrPayload},
		{"merge request without a base", changed("CI_MERGE_REQUEST_DIFF_BASE_SHA", ""), Event{}, ErrPayload},
		{"merge request with zeros as base", changed("CI_MERGE_REQUEST_DIFF_BASE_SHA", zero), Event{}, ErrPayload},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := GitLab(func(v string) string { return tt.vars[v] })
			if tt.is == nil {
				tt.want.Service, tt.want.Name = "GitLab CI", tt.vars["CI_PIPELINE_SOURCE"]
			}
			if d := cmp.Diff(tt.want, got); d != "" || !errors.Is(err, tt.is) {
				t.Errorf("%v\n%s", err, d)
			}
		})
	}
}

// TestFind: the service is told by its own variable, and without one there is no event.
func TestFind(t *testing.T) {
	for _, tt := range []struct {
		vars    map[string]string
		service string
		fails   bool
	}{
		{nil, "", false},
		{map[string]string{"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": "web"}, "GitLab CI", false},
		{map[string]string{"GITLAB_CI": "true"}, "", true},
		{map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "schedule"}, "", true}, // there is no payload
	} {
		got, err := Find(func(v string) string { return tt.vars[v] })
		if got.Service != tt.service && !tt.fails || (err != nil) != tt.fails {
			t.Errorf("%v: %+v, %v", tt.vars, got, err)
		}
	}
}

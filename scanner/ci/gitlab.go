package ci

import (
	"cmp"
	"fmt"
	"strconv"
)

// GitLab reads the event of a job of GitLab CI, from its predefined variables
// (docs.gitlab.com, "Predefined CI/CD variables reference"). The error wraps
// ErrPayload.
func GitLab(env Env) (Event, error) {
	e := Event{
		Service: "GitLab CI", Name: env("CI_PIPELINE_SOURCE"), DefaultBranch: env("CI_DEFAULT_BRANCH"),
		Public:     env("CI_PROJECT_VISIBILITY") != "private" && env("CI_PROJECT_VISIBILITY") != "internal",
		Visibility: env("CI_PROJECT_VISIBILITY"),
	}
	var err error
	switch e.Name {
	case "push":
		switch {
		case env("CI_COMMIT_TAG") != "":
			e.Ref = "refs/tags/" + env("CI_COMMIT_TAG")
		case env("CI_COMMIT_BRANCH") != "":
			e.Ref = "refs/heads/" + env("CI_COMMIT_BRANCH")
		}
		e.HeadRefs = []string{e.Ref}
		err = e.commits("CI_COMMIT_SHA", env("CI_COMMIT_SHA"), "CI_COMMIT_BEFORE_SHA", env("CI_COMMIT_BEFORE_SHA"))
	case "merge_request_event":
		err = e.mergeRequest(env)
	case "":
		err = fmt.Errorf("CI_PIPELINE_SOURCE is not set")
	default: // schedule, web, api, trigger, pipeline …
		e.Kind = Everything
	}
	if err != nil {
		return Event{}, fmt.Errorf("%w: variables of GitLab: %w", ErrPayload, err)
	}
	return e, nil
}

func (e *Event) mergeRequest(env Env) error {
	number, err := strconv.Atoi(env("CI_MERGE_REQUEST_IID"))
	if err != nil {
		return fmt.Errorf("CI_MERGE_REQUEST_IID: %w", err)
	}
	e.PullRequest = number
	e.Fork = env("CI_MERGE_REQUEST_SOURCE_PROJECT_ID") != env("CI_MERGE_REQUEST_PROJECT_ID")
	e.HeadRefs = []string{"refs/merge-requests/" + strconv.Itoa(number) + "/head"}
	// In a pipeline of merged results CI_COMMIT_SHA is GitLab's own merge commit.
	head := cmp.Or(env("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"), env("CI_COMMIT_SHA"))
	base := cmp.Or(env("CI_MERGE_REQUEST_TARGET_BRANCH_SHA"), env("CI_MERGE_REQUEST_DIFF_BASE_SHA"))
	if none(base) {
		return fmt.Errorf("CI_MERGE_REQUEST_DIFF_BASE_SHA is not set")
	}
	e.Trusted = base
	return e.commits("CI_COMMIT_SHA", head, "CI_MERGE_REQUEST_DIFF_BASE_SHA", base)
}

package ci

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// GitHub reads the event of a run of GitHub Actions, from GITHUB_EVENT_NAME and
// the payload that GITHUB_EVENT_PATH names (docs.github.com, "Webhook events and
// payloads"). The error wraps ErrPayload.
func GitHub(env Env) (Event, error) {
	name, file := env("GITHUB_EVENT_NAME"), env("GITHUB_EVENT_PATH")
	if name == "" || file == "" {
		return Event{}, fmt.Errorf("%w: GITHUB_EVENT_NAME and GITHUB_EVENT_PATH are not both set; outside of GitHub Actions use --head and --base", ErrPayload)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return Event{}, fmt.Errorf("%w: reading the payload: %w", ErrPayload, err)
	}
	e, err := githubEvent(name, text)
	if err != nil {
		return Event{}, fmt.Errorf("%w: %s event, payload %s: %w", ErrPayload, name, file, err)
	}
	return e, nil
}

// payload holds the fields that are read from GitHub's payloads, for all events.
type payload struct {
	Ref     string `json:"ref"`
	Before  string `json:"before"`
	After   string `json:"after"`
	Deleted bool   `json:"deleted"`

	Commits []struct{} `json:"commits"` // only counted, and only as a hint

	PullRequest *struct {
		Number  int  `json:"number"`
		Commits int  `json:"commits"`
		Head    side `json:"head"`
		Base    side `json:"base"`
	} `json:"pull_request"`

	MergeGroup *struct {
		HeadSHA string `json:"head_sha"`
		HeadRef string `json:"head_ref"`
		BaseSHA string `json:"base_sha"`
	} `json:"merge_group"`

	Repository struct {
		DefaultBranch string `json:"default_branch"`
		Private       *bool  `json:"private"`
	} `json:"repository"`
}

type side struct {
	SHA  string `json:"sha"`
	Repo *struct {
		FullName string `json:"full_name"`
	} `json:"repo"` // null if it was deleted
}

func githubEvent(name string, text []byte) (Event, error) {
	var p payload
	if err := json.Unmarshal(text, &p); err != nil {
		return Event{}, err
	}
	e := Event{
		Service: "GitHub Actions", Name: name, DefaultBranch: p.Repository.DefaultBranch,
		// Unless GitHub says that it is private, everybody may read the log.
		Public: p.Repository.Private == nil || !*p.Repository.Private,
	}
	if private := p.Repository.Private; private != nil {
		e.Visibility = map[bool]string{true: "private", false: "public"}[*private]
	}
	var err error
	switch name {
	case "push":
		err = e.push(&p)
	case "pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment":
		err = e.pullRequest(&p)
	case "merge_group":
		err = e.mergeGroup(&p)
	case "delete":
		e.Kind = Nothing
	default:
		// schedule, workflow_dispatch, repository_dispatch, and events that GitHub may
		// invent: an event without a range of its own is about the whole repository.
		e.Kind = Everything
	}
	return e, err
}

func (e *Event) push(p *payload) error {
	e.Ref = p.Ref
	if p.Deleted && none(p.After) {
		e.Kind = Nothing
		return nil
	}
	e.HeadRefs = []string{p.Ref}
	e.Commits = len(p.Commits)
	return e.commits("after", p.After, "before", p.Before)
}

func (e *Event) pullRequest(p *payload) error {
	pr := p.PullRequest
	if pr == nil {
		return fmt.Errorf("it has no pull_request")
	}
	e.PullRequest, e.Commits = pr.Number, pr.Commits
	e.HeadRefs = []string{"refs/pull/" + strconv.Itoa(pr.Number) + "/head"}
	e.Fork = pr.Head.Repo == nil || pr.Base.Repo == nil || pr.Head.Repo.FullName != pr.Base.Repo.FullName
	if none(pr.Base.SHA) || pr.Number <= 0 {
		return fmt.Errorf("the pull request has no number or no base.sha")
	}
	e.Trusted = pr.Base.SHA
	return e.commits("pull_request.head.sha", pr.Head.SHA, "pull_request.base.sha", pr.Base.SHA)
}

func (e *Event) mergeGroup(p *payload) error {
	if p.MergeGroup == nil {
		return fmt.Errorf("it has no merge_group")
	}
	if none(p.MergeGroup.BaseSHA) {
		return fmt.Errorf("merge_group.base_sha is missing")
	}
	e.HeadRefs = []string{p.MergeGroup.HeadRef}
	e.Trusted = p.MergeGroup.BaseSHA
	return e.commits("merge_group.head_sha", p.MergeGroup.HeadSHA, "merge_group.base_sha", p.MergeGroup.BaseSHA)
}

// commits sets the range. Ids become arguments of git, so anything else is refused.
func (e *Event) commits(headName, head, baseName, base string) error {
	e.Kind = Commits
	if none(head) || !isObjectID(head) {
		return fmt.Errorf("%s is missing or is not an object id: %q", headName, head)
	}
	if !none(base) && !isObjectID(base) {
		return fmt.Errorf("%s is not an object id: %q", baseName, base)
	}
	e.Head = head
	if !none(base) {
		e.Base = base
	}
	e.HeadRefs = slices.DeleteFunc(e.HeadRefs, func(ref string) bool { // git would read a refspec
		return !strings.HasPrefix(ref, "refs/") || strings.ContainsAny(ref, ":*")
	})
	return nil
}

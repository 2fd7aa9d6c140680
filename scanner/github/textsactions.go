package github

import (
	"context"
	"fmt"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/stanch-dev/stanch/scanner/finding"
)

// maxRuns is how many runs of workflows, and as many artifacts, are read: the last
// ones. GitHub keeps them for three months; a busy repository has thousands.
const maxRuns = 100

// logs reads the logs of the last runs, a zip each.
func (r *textReader) logs(ctx context.Context) error {
	var list struct {
		Runs []*github.WorkflowRun `json:"workflow_runs"`
	}
	if _, err := get(ctx, r.lister.sender, fmt.Sprintf("repos/%s/actions/runs?status=completed&per_page=%d%s", r.repo, maxRuns, r.created()), &list); err != nil {
		return err
	}
	for _, run := range list.Runs {
		if run.GetUpdatedAt().Before(r.since) {
			continue
		}
		one := text{
			kind: finding.KindActionsLog, id: fmt.Sprintf("actions/runs/%d", run.GetID()), url: run.GetHTMLURL(),
			author: run.GetActor().GetLogin(), at: run.GetCreatedAt().Time,
		}
		if err := r.addFile(ctx, one, fmt.Sprintf("repos/%s/actions/runs/%d/logs", r.repo, run.GetID()), r.MaxSize); err != nil {
			return err
		}
	}
	return nil
}

// created returns the parameter that leaves out runs which were read before. A run
// lasts up to 35 days, most up to an hour: one that began a day before is asked for
// again.
func (r *textReader) created() string {
	if r.since.IsZero() {
		return ""
	}
	return "&created=%3E%3D" + r.since.Add(-24*time.Hour).UTC().Format("2006-01-02T15:04:05Z")
}

// artifacts reads the artifacts of the last runs, a zip each.
func (r *textReader) artifacts(ctx context.Context) error {
	var list struct {
		Artifacts []*github.Artifact `json:"artifacts"`
	}
	if _, err := get(ctx, r.lister.sender, fmt.Sprintf("repos/%s/actions/artifacts?per_page=%d", r.repo, maxRuns), &list); err != nil {
		return err
	}
	for _, a := range list.Artifacts {
		if a.GetExpired() || a.GetCreatedAt().Before(r.since) {
			continue
		}
		one := text{
			kind: finding.KindArtifact, id: fmt.Sprintf("actions/artifacts/%d", a.GetID()), at: a.GetCreatedAt().Time,
			url: fmt.Sprintf("%s/actions/runs/%d/artifacts/%d", r.lister.WebURL(r.repo), a.GetWorkflowRun().GetID(), a.GetID()),
		}
		var err error
		if r.MaxSize > 0 && a.GetSizeInBytes() > r.MaxSize {
			one.err = errTooLarge
			err = r.add(one)
		} else {
			err = r.addFile(ctx, one, fmt.Sprintf("repos/%s/actions/artifacts/%d/zip", r.repo, a.GetID()), r.MaxSize)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

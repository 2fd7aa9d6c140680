package github

import (
	"context"
	"fmt"

	"github.com/google/go-github/v60/github"

	"github.com/stanch-dev/stanch/scanner/finding"
)

// maxRuns is how many runs of workflows, and as many artifacts, are read: the last
// ones. GitHub keeps them for three months; a busy repository has thousands.
const maxRuns = 100

// logs reads the logs of the last runs, a zip each.
func logs(ctx context.Context, f *feed) error {
	var list struct {
		Runs []*github.WorkflowRun `json:"workflow_runs"`
	}
	_, same, err := f.page(ctx, fmt.Sprintf("repos/%s/actions/runs?status=completed&per_page=%d", f.repo, maxRuns), 1, &list)
	if err != nil || same {
		return err
	}
	return each(f, list.Runs, (*github.WorkflowRun).GetID, func(run *github.WorkflowRun) error {
		if run.GetUpdatedAt().Before(f.Since) {
			return nil
		}
		one := text{
			kind: finding.KindActionsLog, id: fmt.Sprintf("actions/runs/%d", run.GetID()), url: run.GetHTMLURL(),
			author: run.GetActor().GetLogin(), at: run.GetCreatedAt().Time,
		}
		return f.addFile(ctx, one, fmt.Sprintf("repos/%s/actions/runs/%d/logs", f.repo, run.GetID()), f.MaxSize)
	})
}

// artifacts reads the artifacts of the last runs, a zip each.
func artifacts(ctx context.Context, f *feed) error {
	var list struct {
		Artifacts []*github.Artifact `json:"artifacts"`
	}
	_, same, err := f.page(ctx, fmt.Sprintf("repos/%s/actions/artifacts?per_page=%d", f.repo, maxRuns), 1, &list)
	if err != nil || same {
		return err
	}
	return each(f, list.Artifacts, (*github.Artifact).GetID, func(a *github.Artifact) error {
		if a.GetExpired() || a.GetCreatedAt().Before(f.Since) {
			return nil
		}
		one := text{
			kind: finding.KindArtifact, id: fmt.Sprintf("actions/artifacts/%d", a.GetID()), at: a.GetCreatedAt().Time,
			url: fmt.Sprintf("%s/actions/runs/%d/artifacts/%d", f.lister.WebURL(f.repo), a.GetWorkflowRun().GetID(), a.GetID()),
		}
		if f.MaxSize > 0 && a.GetSizeInBytes() > f.MaxSize {
			one.err = errTooLarge
			return f.add(one)
		}
		return f.addFile(ctx, one, fmt.Sprintf("repos/%s/actions/artifacts/%d/zip", f.repo, a.GetID()), f.MaxSize)
	})
}

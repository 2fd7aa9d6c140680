package github

import (
	"context"
	"errors"
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

// maxAsset is the size up to which files of releases are read: configurations and scripts
// are smaller, builds are larger.
const maxAsset = 1 << 20

// releases reads the texts of releases, and their small files.
func releases(ctx context.Context, f *feed) error {
	return pages(ctx, f, fmt.Sprintf("repos/%s/releases?", f.repo), false, func(page []*github.RepositoryRelease) (bool, error) {
		return true, each(f, page, (*github.RepositoryRelease).GetID, func(r *github.RepositoryRelease) error { return f.release(ctx, r) })
	})
}

func (f *feed) release(ctx context.Context, release *github.RepositoryRelease) error {
	one := text{
		kind: finding.KindRelease, id: fmt.Sprintf("releases/%d", release.GetID()), url: release.GetHTMLURL(), author: release.GetAuthor().GetLogin(),
		at: release.GetCreatedAt().Time, title: release.GetTagName() + " " + release.GetName(), body: release.GetBody(),
	}
	if err := f.add(one); err != nil {
		return err
	}
	for _, asset := range release.Assets {
		if asset.GetSize() > maxAsset || asset.GetSize() == 0 || asset.GetUpdatedAt().Before(f.Since) {
			continue
		}
		one := text{
			kind: finding.KindRelease, id: fmt.Sprintf("releases/assets/%d", asset.GetID()), url: asset.GetBrowserDownloadURL(),
			author: asset.GetUploader().GetLogin(), at: asset.GetCreatedAt().Time,
		}
		if err := f.addFile(ctx, one, fmt.Sprintf("repos/%s/releases/assets/%d", f.repo, asset.GetID()), maxAsset); err != nil {
			return err
		}
	}
	return nil
}

// addFile yields one with the content of the file at path.
func (f *feed) addFile(ctx context.Context, one text, path string, maxSize int64) error {
	one.file, one.err = f.lister.download(ctx, path, maxSize)
	if errors.Is(one.err, ErrGone) || ctx.Err() != nil { // deleted or expired since it was listed
		return ctx.Err()
	}
	if limited := new(RateLimited); errors.As(one.err, &limited) {
		return one.err
	}
	return f.add(one)
}

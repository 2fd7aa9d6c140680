package github

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-github/v60/github"

	"github.com/stanch-dev/stanch/scanner/finding"
)

// maxAsset is the size up to which files of releases are read: configurations and scripts
// are smaller, builds are larger.
const maxAsset = 1 << 20

// releases reads the texts of releases, and their small files.
func (r *textReader) releases(ctx context.Context) error {
	path := fmt.Sprintf("repos/%s/releases?per_page=%d", r.repo, perPage)
	return eachAPIPage(ctx, r.lister.sender, path, func(page []*github.RepositoryRelease) (bool, error) {
		for _, release := range page {
			if err := r.release(ctx, release); err != nil {
				return false, err
			}
		}
		return true, nil
	})
}

func (r *textReader) release(ctx context.Context, release *github.RepositoryRelease) error {
	one := text{
		kind: finding.KindRelease, id: fmt.Sprintf("releases/%d", release.GetID()), url: release.GetHTMLURL(), author: release.GetAuthor().GetLogin(),
		at: release.GetCreatedAt().Time, title: release.GetTagName() + " " + release.GetName(), body: release.GetBody(),
	}
	if err := r.add(one); err != nil {
		return err
	}
	for _, asset := range release.Assets {
		if asset.GetSize() > maxAsset || asset.GetSize() == 0 || asset.GetUpdatedAt().Before(r.since) {
			continue
		}
		one := text{
			kind: finding.KindRelease, id: fmt.Sprintf("releases/assets/%d", asset.GetID()), url: asset.GetBrowserDownloadURL(),
			author: asset.GetUploader().GetLogin(), at: asset.GetCreatedAt().Time,
		}
		if err := r.addFile(ctx, one, fmt.Sprintf("repos/%s/releases/assets/%d", r.repo, asset.GetID()), maxAsset); err != nil {
			return err
		}
	}
	return nil
}

// addFile yields one with the content of the file at path.
func (r *textReader) addFile(ctx context.Context, one text, path string, maxSize int64) error {
	one.file, one.err = r.lister.download(ctx, path, maxSize)
	if errors.Is(one.err, ErrGone) || ctx.Err() != nil { // deleted or expired since it was listed
		return ctx.Err()
	}
	if limited := new(RateLimited); errors.As(one.err, &limited) {
		return one.err
	}
	return r.add(one)
}

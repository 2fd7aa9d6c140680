package orgscan

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/github"
	"github.com/stanch-dev/stanch/scanner/github/fetch"
	"github.com/stanch-dev/stanch/scanner/gitsource"
)

// A fetched repository is one to scan, or the reason why it could not be fetched.
type fetched struct {
	Repository
	page string
	wiki bool
	repo *gitsource.Repository
	err  error
	// lostErr is why commits that no ref leads to could not be had.
	lostErr error
}

// fetchAhead calls use with repos and their wikis, and fetches the next one meanwhile. It
// closes each after use.
func (s *Scan) fetchAhead(ctx context.Context, repos []Repository, use func(*fetched)) {
	var group errgroup.Group
	next := make(chan *fetched)
	group.Go(func() error {
		defer close(next)
		for _, r := range repos {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			next <- s.fetch(ctx, r, false)
			if r.HasWiki && ctx.Err() == nil {
				r.Name += ".wiki"
				next <- s.fetch(ctx, r, true)
			}
		}
		return nil
	})
	for f := range next {
		use(f)
		s.close(f)
	}
	_ = group.Wait() // whether ctx has ended, the caller knows
}

// fetch fetches one repository, or its wiki.
func (s *Scan) fetch(ctx context.Context, r Repository, wiki bool) *fetched {
	f := &fetched{Repository: r, page: r.lister.WebURL(r.Name), wiki: wiki}
	var lost map[string]string
	if !wiki { // before the URL, whose token may end while GitHub has this wait
		lost, f.lostErr = s.lost(ctx, r)
	}
	url, _, err := r.lister.CloneURL(ctx, r.Name)
	if err != nil {
		f.err = err
		return f
	}
	f.repo, f.err = fetchAll(ctx, url, lost)
	if f.err != nil && len(lost) > 0 && ctx.Err() == nil {
		// A server may refuse ids that no ref leads to. Scan the rest.
		f.lostErr = f.err
		f.repo, f.err = fetchAll(ctx, url, nil)
	}
	return f
}

// fetchAll fetches a whole repository, and lost commits with it.
func fetchAll(ctx context.Context, url string, lost map[string]string) (*gitsource.Repository, error) {
	remote, err := fetch.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	return remote.Fetch(ctx, fetch.Wanted{Tips: remote.Tips(), Lost: lost})
}

// lost returns the commits that branches of r have left behind, as far as they are wanted.
func (s *Scan) lost(ctx context.Context, r Repository) (map[string]string, error) {
	if s.Lost == LostNever {
		return nil, nil
	}
	token, err := r.lister.Token(ctx)
	if err != nil {
		return nil, err
	}
	if token.IsZero() && s.Lost == LostIfPossible {
		s.noticeNoLost("there is no token: 60 requests an hour are few")
		return nil, nil
	}
	lost, _, err := r.lister.LostCommits(ctx, r.Name, time.Time{})
	if errors.Is(err, github.ErrNoActivity) && s.Lost == LostIfPossible {
		s.noticeNoLost("this GitHub does not say what it was")
		return nil, nil
	}
	return lost, err
}

// noticeNoLost says once why lost commits are not looked for, if nobody insists on them.
// Only the goroutine that fetches calls it.
func (s *Scan) noticeNoLost(why string) {
	if !s.saidNoLost {
		s.saidNoLost = true
		s.Notice("commits that were force-pushed away or deleted are not looked for: %s", why)
	}
}

func (s *Scan) close(f *fetched) {
	if f.repo == nil {
		return
	}
	if err := f.repo.Close(); err != nil {
		s.Notice("a temporary clone is left behind, remove it: %v", err)
	}
}

// A source is a repository of GitHub, whose locations say which one it is.
type source struct{ fetch.Source }

// Locate implements scanner.Source. Only commits that were asked for by id are
// unreachable: GitHub sends no others.
func (s source) Locate(ctx context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	return s.Source.Locate(ctx, ids, func(id finding.BlobID, at finding.Location) error {
		if at.Unreachable != "" {
			at.Unreachable = "force-pushed away or deleted, and GitHub still gives it to who knows its id"
		}
		return yield(id, at)
	})
}

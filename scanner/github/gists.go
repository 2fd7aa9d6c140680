package github

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/google/go-github/v60/github"
)

// A Gist is a git repository of one person.
type Gist struct {
	WebURL, CloneURL string // without a token: anybody with the URL may read it
	UpdatedAt        time.Time
}

// Gists calls yield with the gists that owner, if it is a user, or the members of owner, if
// it is an organization, have changed since then; all if since is zero. GitHub lists only
// public gists, and only members that the token may see. It costs a request for a hundred
// members, and one for each member.
func (l *Lister) Gists(ctx context.Context, owner string, since time.Time, yield func(Gist) error) error {
	if !ownerName().MatchString(owner) {
		return fmt.Errorf("%q is not the name of an organization or user", owner)
	}
	var members []string
	err := eachAPIPage(ctx, l.sender, fmt.Sprintf("orgs/%s/members?per_page=%d", owner, perPage), func(page []*github.User) (bool, error) {
		for _, u := range page {
			if !ownerName().MatchString(u.GetLogin()) {
				return false, fmt.Errorf("GitHub lists a member with the name %q, which is none", u.GetLogin())
			}
			members = append(members, u.GetLogin())
		}
		return true, nil
	})
	if errors.Is(err, ErrGone) {
		members, err = []string{owner}, nil
	}
	if err != nil {
		return fmt.Errorf("listing the members of %s: %w", owner, err)
	}
	query := ""
	if !since.IsZero() {
		query = "&since=" + since.UTC().Format(time.RFC3339)
	}
	for _, name := range members {
		err := eachAPIPage(ctx, l.sender, fmt.Sprintf("users/%s/gists?per_page=%d%s", name, perPage, query), func(page []*github.Gist) (bool, error) {
			for _, g := range page {
				if err := l.checkGist(g); err != nil {
					return false, err
				}
				if err := yield(Gist{WebURL: g.GetHTMLURL(), CloneURL: g.GetGitPullURL(), UpdatedAt: g.GetUpdatedAt().Time}); err != nil {
					return false, err
				}
			}
			return true, nil
		})
		if err != nil {
			return fmt.Errorf("listing the gists of %s: %w", name, err)
		}
	}
	return nil
}

// checkGist returns an error unless the gist is on this GitHub: git will use its URL.
func (l *Lister) checkGist(g *github.Gist) error {
	u, err := url.Parse(g.GetGitPullURL())
	if err != nil || u.Scheme != l.web.Scheme || u.Host != l.web.Host && u.Host != "gist."+l.web.Host || u.User != nil {
		return fmt.Errorf("GitHub lists a gist at %q, which is not on its server", g.GetGitPullURL())
	}
	return nil
}

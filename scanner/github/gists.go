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

// Gists calls yield with pages of the gists of owner, if it is a user, or of the members of
// owner, if it is an organization; pages of members have no gists. GitHub lists only public
// gists, and only members that the token may see. It costs a request for a hundred members,
// and one for each member, and none that counts for a page that known has as it is. known may
// be nil.
func (l *Lister) Gists(ctx context.Context, owner string, known Known, yield func(APIPage[Gist]) error) error {
	if !ownerName().MatchString(owner) {
		return fmt.Errorf("%q is not the name of an organization or user", owner)
	}
	known = l.useful(known)
	var members []string
	err := eachKnownPage(ctx, l.sender, fmt.Sprintf("orgs/%s/members?per_page=%d", owner, perPage), known, checkMember, func(page APIPage[string]) (bool, error) {
		members = append(members, page.Items...)
		return true, yield(APIPage[Gist]{URL: page.URL, Kept: page.Kept})
	})
	if errors.Is(err, ErrGone) {
		members, err = []string{owner}, nil
	}
	if err != nil {
		return fmt.Errorf("listing the members of %s: %w", owner, err)
	}
	for _, name := range members {
		path := fmt.Sprintf("users/%s/gists?per_page=%d", name, perPage)
		err := eachKnownPage(ctx, l.sender, path, known, l.checkGist, func(page APIPage[Gist]) (bool, error) { return true, yield(page) })
		if err != nil {
			return fmt.Errorf("listing the gists of %s: %w", name, err)
		}
	}
	return nil
}

// checkMember returns the name of a member.
func checkMember(u *github.User) (string, error) {
	if !ownerName().MatchString(u.GetLogin()) {
		return "", fmt.Errorf("GitHub lists a member with the name %q, which is none", u.GetLogin())
	}
	return u.GetLogin(), nil
}

// checkGist returns an error unless the gist is on this GitHub: git will use its URL.
func (l *Lister) checkGist(g *github.Gist) (Gist, error) {
	u, err := url.Parse(g.GetGitPullURL())
	if err != nil || u.Scheme != l.web.Scheme || u.Host != l.web.Host && u.Host != "gist."+l.web.Host || u.User != nil {
		return Gist{}, fmt.Errorf("GitHub lists a gist at %q, which is not on its server", g.GetGitPullURL())
	}
	return Gist{WebURL: g.GetHTMLURL(), CloneURL: g.GetGitPullURL(), UpdatedAt: g.GetUpdatedAt().Time}, nil
}

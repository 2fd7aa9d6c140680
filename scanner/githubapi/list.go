package githubapi

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/google/go-github/v60/github"
)

// A Repository is one that GitHub lists.
type Repository struct {
	Name                    string // owner/name
	Fork, Archived, HasWiki bool
}

// A Lister lists repositories. Calls are made one at a time.
type Lister struct {
	sender
	web   *url.URL // where the repositories are cloned from
	token string
}

// NewLister returns a Lister for the API whose URL is base. Without a token, GitHub
// shows what is public, and answers 60 requests an hour.
func NewLister(base, token, version string) (*Lister, error) {
	c, u, err := newSender(base, token, version)
	if err != nil {
		return nil, err
	}
	// GitHub Enterprise Server has its API below /api/v3, the others theirs on a host
	// of its own: api.github.com, api.NAME.ghe.com.
	web := &url.URL{Scheme: u.Scheme, Host: u.Host}
	if u.Path == "/" {
		web.Host = strings.TrimPrefix(u.Host, "api.")
	}
	return &Lister{sender: c, web: web, token: token}, nil
}

// perPage is the most that GitHub gives.
const perPage = 100

// fullName is what GitHub lets repositories be called; the server has a say in what
// becomes part of a URL.
var fullName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-_]*/[A-Za-z0-9._-]+$`)

// List returns the repositories of target, an organization or a user, or the one that
// it is, in the form owner/name. The token decides which private ones are among them.
func (l *Lister) List(ctx context.Context, target string) ([]Repository, error) {
	owner, name, one := strings.Cut(target, "/")
	if one {
		var repo *github.Repository
		err := l.try(ctx, func() (response *github.Response, err error) {
			repo, response, err = l.api.Repositories.Get(ctx, owner, name)
			return response, err
		})
		if err != nil {
			return nil, fmt.Errorf("looking up %s: %w", target, err)
		}
		return repositories([]*github.Repository{repo})
	}
	list, err := l.lister(ctx, owner)
	if err != nil {
		return nil, fmt.Errorf("looking up %s: %w", target, err)
	}
	var all []*github.Repository
	for page := 1; page > 0; {
		err := l.try(ctx, func() (*github.Response, error) {
			repos, response, err := list(github.ListOptions{Page: page, PerPage: perPage})
			if err == nil {
				all, page = append(all, repos...), response.NextPage
			}
			return response, err
		})
		if err != nil {
			return nil, fmt.Errorf("listing the repositories of %s, page %d: %w", target, page, err)
		}
	}
	return repositories(all)
}

type listPage func(github.ListOptions) ([]*github.Repository, *github.Response, error)

// lister returns what lists the repositories of owner: of an organization and of
// whom the token belongs to, private ones too.
func (l *Lister) lister(ctx context.Context, owner string) (listPage, error) {
	var user, self *github.User
	err := l.try(ctx, func() (response *github.Response, err error) {
		user, response, err = l.api.Users.Get(ctx, owner)
		return response, err
	})
	if err != nil {
		return nil, err
	}
	if user.GetType() == "Organization" {
		return func(o github.ListOptions) ([]*github.Repository, *github.Response, error) {
			return l.api.Repositories.ListByOrg(ctx, owner, &github.RepositoryListByOrgOptions{Type: "all", ListOptions: o})
		}, nil
	}
	if l.token != "" { // an app's has no user
		self, _, _ = l.api.Users.Get(ctx, "")
	}
	if strings.EqualFold(self.GetLogin(), owner) {
		return func(o github.ListOptions) ([]*github.Repository, *github.Response, error) {
			return l.api.Repositories.ListByAuthenticatedUser(ctx, &github.RepositoryListByAuthenticatedUserOptions{Affiliation: "owner", ListOptions: o})
		}, nil
	}
	return func(o github.ListOptions) ([]*github.Repository, *github.Response, error) {
		return l.api.Repositories.ListByUser(ctx, owner, &github.RepositoryListByUserOptions{Type: "owner", ListOptions: o})
	}, nil
}

func repositories(list []*github.Repository) ([]Repository, error) {
	repos := make([]Repository, len(list))
	for i, r := range list {
		if !fullName.MatchString(r.GetFullName()) {
			return nil, fmt.Errorf("GitHub lists a repository with the name %q, which is none", r.GetFullName())
		}
		repos[i] = Repository{Name: r.GetFullName(), Fork: r.GetFork(), Archived: r.GetArchived(), HasWiki: r.GetHasWiki()}
	}
	return repos, nil
}

// PageURL is where a person looks at the repository with the name owner/name.
func (l *Lister) PageURL(name string) string { return l.web.JoinPath(name).String() }

// CloneURL is what git clones the repository with the name owner/name from. It holds
// the token.
func (l *Lister) CloneURL(name string) string {
	u := l.web.JoinPath(name + ".git")
	if l.token != "" {
		u.User = url.UserPassword("x-access-token", l.token)
	}
	return u.String()
}

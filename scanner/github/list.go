package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/github/internal/requests"
)

// A Repository is one that GitHub lists.
type Repository struct {
	ID                                 int64    // stays when it is renamed
	Name                               string   // owner/name
	Fork, Archived, Private            bool     `json:",omitzero"`
	HasWiki, HasIssues, HasDiscussions bool     `json:",omitzero"` // may have: GitHub does not say whether there is a page
	Visibility                         string   // public, private, internal
	Topics                             []string `json:",omitempty"`
	Size                               int64    // KiB, as GitHub has it: about that of the packs
	PushedAt, UpdatedAt                time.Time
	DefaultBranch                      string
}

// A Lister lists repositories and the texts beside them. Several goroutines may use it
// once its fields are set; it makes one request at a time.
type Lister struct {
	*sender
	transport *requests.Transport
	web       *url.URL // where the repositories are cloned from
	signals   *signals
	ofApp     bool // asks as an installation of an App, not as a person
}

// NewLister returns a Lister for the API whose URL is base. Without a token, GitHub shows
// public repositories, and answers 60 requests an hour.
func NewLister(base string, tokens TokenSource, version string) (*Lister, error) {
	return NewSharedLister(base, version, nil, Budget{Tokens: tokens})
}

// NewSharedLister returns a Lister whose requests are shared by several budgets, all of Apps
// or all of people, which may see the same repositories. Requests about one repository
// count against one budget, as long as something is left of it; others against the one that
// has the most left. A token that GitHub refuses leaves the others; refused, unless it is
// nil, is then called with the name of the budget and the reason, from any goroutine.
func NewSharedLister(base, version string, refused func(name string, err error), budgets ...Budget) (*Lister, error) {
	s, t, err := newSender(base, version, budgets...)
	if err != nil {
		return nil, err
	}
	t.Refused = refused
	ofApp := slices.ContainsFunc(budgets, func(b Budget) bool { _, is := b.Tokens.(*App); return is })
	return &Lister{ofApp: ofApp, sender: s, transport: t, web: webOf(s.api.BaseURL), signals: &signals{}}, nil
}

// webOf returns the URL that people look at and git clones from. GitHub Enterprise Server
// has its API below /api/v3, the others theirs on a host of its own: api.github.com,
// api.NAME.ghe.com.
func webOf(api *url.URL) *url.URL {
	web := &url.URL{Scheme: api.Scheme, Host: api.Host}
	if api.Path == "/" {
		web.Host = strings.TrimPrefix(api.Host, "api.")
	}
	return web
}

// fullName matches the names that GitHub lets people give to repositories. A server
// chooses the name, and it becomes part of a URL.
var fullName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-_]*/[A-Za-z0-9._-]+$`) })

// ownerName matches the names of users and organizations.
var ownerName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-_]*$`) })

// The lengths of names, in bytes, are at most those that GitHub takes: docs.github.com,
// "Username considerations for external authentication", and its form for new repositories.
const (
	maxOwner = 39
	maxName  = 100
)

// checkTarget returns an error if target is no name of an owner or a repository. The folders
// "." and ".." are no names of repositories: acme/.. would ask for another path of the API.
func checkTarget(target string) error {
	owner, name, repository := strings.Cut(target, "/")
	valid := ownerName().MatchString(target)
	if repository {
		valid = fullName().MatchString(target) && name != "." && name != ".." && len(name) <= maxName
	}
	if valid && len(owner) <= maxOwner {
		return nil
	}
	return fmt.Errorf("%q is not the name of an organization, a user or a repository: acme, or acme/app", target)
}

// List returns all repositories that EachAPIPage yields.
func (l *Lister) List(ctx context.Context, target string) (all []Repository, err error) {
	err = l.EachAPIPage(ctx, target, nil, func(page APIPage[Repository]) (bool, error) {
		all = append(all, page.Items...)
		return true, nil
	})
	return all, err
}

// EachAPIPage calls yield with the repositories of target, an organization or a user, or
// with target itself, if it has the form owner/name. The repository with the latest push
// comes first. The token decides which private ones are listed. EachAPIPage stops when
// yield needs no more. A page costs one request, none that counts if known has it as it is;
// the first page of a user costs three. With the token of an App, a user has one page: the
// repositories that the App was given. known may be nil.
//
// A repository that is pushed to during the listing moves to the front. It is not missed,
// and no repository is yielded twice.
func (l *Lister) EachAPIPage(ctx context.Context, target string, known Known, yield func(page APIPage[Repository]) (more bool, err error)) error {
	if strings.Contains(target, "/") {
		one, err := l.lookUp(ctx, target)
		if err != nil {
			return fmt.Errorf("looking up %s: %w", target, err)
		}
		_, err = yield(APIPage[Repository]{Items: []Repository{repository(one)}})
		return err
	}
	if !ownerName().MatchString(target) {
		return fmt.Errorf("looking up %q: that is not the name of an organization or user", target)
	}
	ctx = requests.Stick(ctx, target)
	c := apiPageCollector{seen: map[int64]bool{}, yield: yield}
	err := eachKnownPage(ctx, l.sender, listPath("orgs/"+target+"/repos", "type=all"), l.useful(known), checked, c.add)
	if errors.Is(err, ErrGone) && !c.called {
		return l.listUser(ctx, target, known, c)
	}
	if err != nil {
		return fmt.Errorf("listing the repositories of %s: %w", target, err)
	}
	return nil
}

// useful returns known, or nil for an App: ETags change with its token, each hour, and pages
// would be kept for nothing.
func (l *Lister) useful(known Known) Known {
	if l.ofApp {
		return nil
	}
	return known
}

func listPath(path, query string) string {
	return fmt.Sprintf("%s?%s&sort=pushed&direction=desc&per_page=%d", path, query, perPage)
}

// listUser lists the repositories of a user, the private ones too if the token belongs to
// that user.
func (l *Lister) listUser(ctx context.Context, name string, known Known, c apiPageCollector) error {
	var user, self github.User
	if _, err := get(ctx, l.sender, "users/"+name, &user); err != nil {
		return fmt.Errorf("looking up %s: %w", name, err)
	}
	token, err := l.Token(ctx)
	if err != nil {
		return err
	}
	switch {
	case l.ofApp:
		err = l.listInstallation(ctx, name, c)
	case !token.IsZero():
		if _, err := get(ctx, l.sender, "user", &self); err != nil && !errors.Is(err, ErrDenied) { // that of a job has no user
			return fmt.Errorf("looking up the user of the token: %w", err)
		}
		fallthrough
	default:
		path := listPath("users/"+name+"/repos", "type=owner")
		if strings.EqualFold(self.GetLogin(), name) {
			path = listPath("user/repos", "affiliation=owner")
		}
		err = eachKnownPage(ctx, l.sender, path, known, checked, func(page APIPage[Repository]) (bool, error) {
			page.Items = ownedBy(name, page.Items) // the token may be another one by now
			return c.add(page)
		})
	}
	if err != nil {
		return fmt.Errorf("listing the repositories of %s: %w", name, err)
	}
	return nil
}

// listInstallation lists the repositories that owner has given to the App. GitHub does
// not sort them.
func (l *Lister) listInstallation(ctx context.Context, owner string, c apiPageCollector) error {
	var all []Repository
	for n := 1; ; n++ {
		var page github.ListRepositories
		if _, err := get(ctx, l.sender, fmt.Sprintf("installation/repositories?per_page=%d&page=%d", perPage, n), &page); err != nil {
			return apiPageError(n, err)
		}
		for _, r := range page.Repositories {
			one, err := checked(r)
			if err != nil {
				return apiPageError(n, err)
			}
			all = append(all, one)
		}
		if len(page.Repositories) < perPage {
			break
		}
		if n*perPage > page.GetTotalCount() {
			return apiPageError(n, errors.New("there are more repositories than GitHub says"))
		}
	}
	slices.SortStableFunc(all, func(a, b Repository) int { return b.PushedAt.Compare(a.PushedAt) })
	_, err := c.add(APIPage[Repository]{Items: ownedBy(owner, all)})
	return err
}

// ownedBy returns the repositories of a list that belong to owner.
func ownedBy(owner string, list []Repository) []Repository {
	return slices.DeleteFunc(list, func(r Repository) bool {
		of, _, _ := strings.Cut(r.Name, "/")
		return !strings.EqualFold(of, owner)
	})
}

// An apiPageCollector hands pages on, and each repository once.
type apiPageCollector struct {
	seen   map[int64]bool
	stale  int  // pages in a row without anything new
	called bool // yield was
	yield  func(APIPage[Repository]) (bool, error)
}

func (c *apiPageCollector) add(page APIPage[Repository]) (more bool, err error) {
	page.Items = slices.DeleteFunc(page.Items, func(r Repository) bool {
		again := r.ID != 0 && c.seen[r.ID] // only tests have none
		c.seen[r.ID] = true
		return again
	})
	c.stale++
	if len(page.Items) > 0 {
		c.stale = 0
	}
	if c.stale > 1 {
		return false, errors.New("GitHub lists the same repositories again")
	}
	c.called = true
	return c.yield(page)
}

// checked returns a repository of a list.
func checked(r *github.Repository) (Repository, error) {
	if err := checkName(r); err != nil { // there may be none
		return Repository{}, err
	}
	return repository(r), nil
}

func checkName(r *github.Repository) error {
	_, name, _ := strings.Cut(r.GetFullName(), "/")
	if !fullName().MatchString(r.GetFullName()) || name == "." || name == ".." {
		return fmt.Errorf("GitHub lists a repository with the name %q, which is none", r.GetFullName())
	}
	return nil
}

func repository(r *github.Repository) Repository {
	return Repository{
		ID: r.GetID(), Name: r.GetFullName(), Fork: r.GetFork(), Archived: r.GetArchived(), Private: r.GetPrivate(),
		HasWiki: r.GetHasWiki(), HasIssues: r.GetHasIssues(), HasDiscussions: r.GetHasDiscussions(),
		Visibility: visibility(r), Topics: r.Topics, Size: int64(r.GetSize()),
		PushedAt: r.GetPushedAt().Time, UpdatedAt: r.GetUpdatedAt().Time, DefaultBranch: r.GetDefaultBranch(),
	}
}

// visibility returns the visibility of r; old servers do not send it.
func visibility(r *github.Repository) string {
	if r.GetPrivate() {
		return cmp.Or(r.GetVisibility(), "private")
	}
	return cmp.Or(r.GetVisibility(), "public")
}

// lookUp asks for one repository. GitHub finds one that was renamed by its old name.
func (l *Lister) lookUp(ctx context.Context, name string) (*github.Repository, error) {
	if !fullName().MatchString(name) {
		return nil, fmt.Errorf("%q is not a repository of the form owner/name", name)
	}
	var r github.Repository
	if _, err := get(ctx, l.sender, "repos/"+name, &r); err != nil {
		return nil, err
	}
	return &r, checkName(&r)
}

// Parent returns the name of the repository that name is a fork of, "" if it is none.
// It costs a request.
func (l *Lister) Parent(ctx context.Context, name string) (string, error) {
	r, err := l.lookUp(ctx, name)
	if err == nil && r.Parent != nil {
		err = checkName(r.Parent)
	}
	if err != nil {
		return "", fmt.Errorf("looking up the parent of %s: %w", name, err)
	}
	return r.GetParent().GetFullName(), nil
}

// Token returns a token to use now, of one of the budgets: the token of an App
// changes within an hour.
func (l *Lister) Token(ctx context.Context) (detectors.Secret, error) {
	return l.transport.Token(ctx, "")
}

// WebURL returns the URL where people look at the repository owner/name.
func (l *Lister) WebURL(name string) string { return l.web.JoinPath(name).String() }

// CloneURL returns the URL that git clones the repository owner/name from. It holds the
// current token. budget is the name of the limit of git for that token, in Limits.
func (l *Lister) CloneURL(ctx context.Context, name string) (cloneURL, budget string, err error) {
	token, budget, err := l.transport.GitToken(ctx, "repos/"+name)
	if err != nil {
		return "", "", fmt.Errorf("a token to clone %s: %w", name, err)
	}
	u := l.web.JoinPath(name + ".git")
	if !token.IsZero() {
		u.User = url.UserPassword("x-access-token", token.Reveal())
	}
	return u.String(), budget, nil
}

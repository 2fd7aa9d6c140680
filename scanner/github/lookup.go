package github

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/google/go-github/v60/github"
)

// LookUp returns the repository with an id. name is the name that it had last: GitHub
// redirects from it to the name that the repository has now. If another repository has
// taken the name, LookUp asks by the id; go-github says of that request that GitHub does not
// document it. The error is ErrGone if there is no such repository, or not for this token.
// It costs a request, two if the name was taken.
func (l *Lister) LookUp(ctx context.Context, name string, id int64) (Repository, error) {
	r, err := l.lookUp(ctx, name)
	if err == nil && r.GetID() != id {
		r = &github.Repository{}
		if _, err = get(ctx, l.sender, fmt.Sprintf("repositories/%d", id), r); err == nil {
			err = checkName(r)
		}
	}
	if err != nil {
		return Repository{}, fmt.Errorf("looking up %s: %w", name, err)
	}
	return repository(r), nil
}

// lastLink matches the link to the last page of a list.
var lastLink = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`<([^>]*)>\s*;[^,]*\brel="?last"?`) })

// Count returns how many repositories EachAPIPage yields for target, or -1 if GitHub does not
// say: it says so of an organization, by the number of the last page of a list with one
// repository a page (docs.github.com, "Using pagination in the REST API"). It costs a
// request, and none for one repository.
func (l *Lister) Count(ctx context.Context, target string) (int, error) {
	if strings.Contains(target, "/") {
		return 1, nil
	}
	if !ownerName().MatchString(target) {
		return 0, fmt.Errorf("counting the repositories of %q: that is not the name of an organization or user", target)
	}
	var page []*github.Repository
	answer, err := get(ctx, l.sender, "orgs/"+target+"/repos?type=all&per_page=1", &page)
	switch {
	case errors.Is(err, ErrGone): // a user
		return -1, nil
	case err != nil:
		return 0, fmt.Errorf("counting the repositories of %s: %w", target, err)
	}
	last := lastLink().FindStringSubmatch(answer.Header.Get("Link"))
	switch {
	case last == nil && len(page) < 2:
		return len(page), nil
	case last == nil: // the server gives larger pages
		return -1, nil
	}
	u, err := url.Parse(last[1])
	if err != nil {
		return -1, nil //nolint:nilerr // a list that is counted in vain is still a list
	}
	if n, err := strconv.Atoi(u.Query().Get("page")); err == nil && n > 0 {
		return n, nil
	}
	return -1, nil
}

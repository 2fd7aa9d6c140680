package github

import (
	"context"
	"fmt"

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

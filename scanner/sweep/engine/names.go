package engine

import (
	"context"
	"errors"
	"strings"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep"
)

// nameAtHost returns the name of r as hub knows it. If the name is a secret by its looks, the
// database has a part of it only, and the list of the target is asked for it by the id of r:
// neither GitHub's git server nor most of its API take ids.
func nameAtHost(ctx context.Context, hub sweep.Hub, r sweep.Repository) (name string, err error) {
	if r.Clone != "" || !finding.IsRedacted(r.Name) {
		return r.Name, nil
	}
	id, wiki := strings.CutSuffix(r.ID, ".wiki")
	err = hub.Repositories(ctx, r.Target, nil, func(page sweep.ListPage) (more bool, err error) {
		for _, l := range page.Listed {
			if l.ID == id {
				name = l.Name
			}
		}
		return name == "", nil
	})
	switch {
	case err != nil:
		return "", err
	case name == "":
		return "", &sweep.Final{Err: errors.New("its name looks like a secret and is not in the database, and GitHub does not list it any more")}
	case wiki:
		name += ".wiki"
	}
	return name, nil
}

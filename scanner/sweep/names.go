package sweep

import (
	"context"
	"errors"
	"strings"

	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// learnName asks the hub for the name of a repository that is a secret by its looks, by its
// id: the database has a part of the name only. Neither GitHub's git server nor most of its
// API take ids.
func (w *scanJob) learnName(ctx context.Context) error {
	if w.repo.Clone != "" || !database.IsRedacted(w.repo.Name) {
		return nil
	}
	id, wiki := strings.CutSuffix(w.repo.ID, ".wiki")
	name := ""
	err := w.hub.Repositories(ctx, w.repo.Target, func(page []Listed) (more bool, err error) {
		for _, l := range page {
			if l.ID == id {
				name = l.Name
			}
		}
		return name == "", nil
	})
	switch {
	case err != nil:
		return err
	case name == "":
		return &Final{errors.New("its name looks like a secret and is not in the database, and GitHub does not list it any more")}
	case wiki:
		name += ".wiki"
	}
	w.repo.Name = name
	return nil
}

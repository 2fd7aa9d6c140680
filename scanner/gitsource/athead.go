package gitsource

import "github.com/stanch-dev/stanch/scanner/gitsource/internal/objects"

// AtHead returns the id of the object that HEAD has at path, "" if there is none. known is
// false if the repository lacks the trees on the way: Fetch leaves out trees that did not
// change.
func (r *Repository) AtHead(path string) (id string, known bool) {
	if r.head == nil {
		r.head = &objects.HeadTree{}
		if commit, err := r.dir.Resolve("HEAD"); err == nil && commit != "" {
			r.head.Open(r.lookup(), commit)
		}
	}
	at, known := r.head.Find(path)
	return at.String(), known
}

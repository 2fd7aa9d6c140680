package gitsource

// AtHead returns the id of the object that HEAD has at path, "" if there is none. known is
// false if the repository does not hold the trees that say it: Fetch leaves out those that
// did not change.
func (r *Repository) AtHead(path string) (id string, known bool) {
	if r.head == nil {
		r.head = &headTree{}
		if commit, err := r.dir.resolve("HEAD"); err == nil && commit != "" {
			r.head.open(r.lookup(), commit)
		}
	}
	at, known := r.head.find(path)
	return at.String(), known
}

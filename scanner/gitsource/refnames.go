package gitsource

import "strings"

// Refs returns the ids, in hex, of the refs whose full names begin with prefix, such as
// "refs/remotes/origin/", by name. Symbolic refs are left out: their targets have names of
// their own. If some refs cannot be read, it returns the others with an error; if none can,
// nil.
func (r *Repository) Refs(prefix string) (map[string]string, error) {
	s, err := r.dir.ReadRefsBelow(strings.TrimSuffix(prefix[:strings.LastIndexByte(prefix, '/')+1], "/"))
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, ref := range s.Refs {
		if strings.HasPrefix(ref.Name, prefix) && ref.ID != "" {
			found[ref.Name] = ref.ID.String()
		}
	}
	if len(s.Broken) > 0 {
		return found, s.Broken[0].Err
	}
	return found, nil
}

// Resolve returns the id, in hex, that a ref points to: HEAD, MERGE_HEAD, or a full name. It
// is "" if there is no such ref, as for HEAD before the first commit.
func (r *Repository) Resolve(name string) (string, error) {
	id, err := r.dir.Resolve(name)
	return id.String(), err
}

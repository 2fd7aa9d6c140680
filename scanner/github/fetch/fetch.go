// Package fetch gets one repository of GitHub, a wiki or a gist with git: all of it, or
// only the new part, and the commits that branches have left behind. The scan of an
// organization and the sweep both fetch with it.
package fetch

import (
	"context"
	"errors"
	"maps"
	"net/http"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/gitsource"
	"github.com/stanch-dev/stanch/scanner/gitsource/transport"
)

// A Remote is a repository on a server that has listed its refs. It is for one goroutine at
// a time, and need not be closed.
type Remote struct {
	url    string
	remote *transport.Remote // nil if only a clone can read the repository
}

// Connect asks the server of url, which may hold a token, for the refs of a repository. An
// empty repository is no error.
func Connect(ctx context.Context, url string) (*Remote, error) {
	remote, err := transport.Connect(ctx, url)
	if errors.Is(err, transport.ErrObjectFormat) {
		return &Remote{url: url}, nil
	}
	if err != nil {
		return nil, err
	}
	return &Remote{url, remote}, nil
}

// NotThere reports whether err, from Connect, says that the server has no such
// repository. GitHub lists which repositories may have a wiki, not which have one.
func NotThere(err error) bool {
	var refused *transport.StatusError
	return errors.As(err, &refused) && refused.Code == http.StatusNotFound
}

// OnlyWhole reports whether the repository can only be fetched as a whole, because its ids
// are SHA-256. It has no Tips then.
func (r *Remote) OnlyWhole() bool { return r.remote == nil }

// Tips returns the ids of all refs by their full names.
func (r *Remote) Tips() map[string]string {
	if r.OnlyWhole() {
		return nil
	}
	return r.remote.Refs().Tips
}

// Head returns the id of the commit that HEAD leads to, "" if there is none.
func (r *Remote) Head() string {
	if r.OnlyWhole() {
		return ""
	}
	at := r.remote.Refs()
	if at.Head == "" {
		return at.Tips["HEAD"]
	}
	return at.Tips[at.Head]
}

// Snapshot fetches the commit with an id and its trees, without its parents and files, into
// a folder below dir, "" for the system's. It returns nil if the server cannot leave out
// files.
func (r *Remote) Snapshot(ctx context.Context, id, dir string, maxBytes int64) (*gitsource.Repository, error) {
	if r.OnlyWhole() || !r.remote.HasSnapshots() {
		return nil, nil
	}
	return gitsource.Fetch(ctx, r.remote, transport.Wanted{Tips: r.headTips(id), Haves: []string{id}, Snapshot: id, MaxBytes: maxBytes, Dir: dir})
}

// headTips returns the branch of HEAD with an id.
func (r *Remote) headTips(id string) map[string]string {
	if name := r.remote.Refs().Head; name != "" {
		return map[string]string{name: id}
	}
	return map[string]string{}
}

// Wanted selects objects for Fetch. It is ignored for a repository that is OnlyWhole,
// which is cloned.
type Wanted struct {
	// Tips are refs of Remote.Tips. Lost are commits that no ref leads to any more, by a
	// name that tells how they were lost; it is no error if the server does not have one.
	Tips, Lost map[string]string
	// Haves are ids that were read before: the server does not send the objects that they
	// lead to.
	Haves []string
	// Objects are ids of single objects of any type, without those that they lead to.
	Objects []string
	// MaxBytes is how large the pack may be, 0 for any size.
	MaxBytes int64
	// Dir is where the temporary folder is made, "" for the system's.
	Dir string
}

// Fetch makes a repository in a temporary folder that holds the objects of w. Close
// removes it; if Fetch returns an error, nothing is left.
func (r *Remote) Fetch(ctx context.Context, w Wanted) (*gitsource.Repository, error) {
	if r.OnlyWhole() {
		return gitsource.Clone(ctx, r.url, nil)
	}
	tips := maps.Clone(w.Tips)
	for name, id := range w.Lost {
		tips["refs/stanch/"+name] = id // see transport.Wanted
	}
	return gitsource.Fetch(ctx, r.remote, transport.Wanted{Tips: tips, Haves: w.Haves, Objects: w.Objects, MaxBytes: w.MaxBytes, Dir: w.Dir})
}

// A Source is a repository whose locations name the page that shows it.
type Source struct {
	*gitsource.Repository
	WebURL string
}

// Locate implements scanner.Source.
func (s Source) Locate(ctx context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	return s.Repository.Locate(ctx, ids, func(id finding.BlobID, at finding.Location) error {
		at.Repo = s.WebURL
		return yield(id, at)
	})
}

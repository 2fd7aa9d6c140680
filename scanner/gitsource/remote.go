package gitsource

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/stanch-dev/stanch/scanner/gitsource/transport"
)

// Clone makes a bare mirror of the repository at rawURL, all refs included, in a
// temporary folder. Close removes it; if Clone returns an error, cancellation
// included, nothing is left. What git says while it works goes to progress, if
// that is not nil, without control characters: the server has a say in it.
//
// It runs the git binary, which knows the user's proxies, keys and credential
// helpers, and needs a third of the time and a tenth of the memory; if there is
// none, go-git. A password in an http URL is given to git in the environment,
// where, unlike in arguments, others do not see it. Errors do not hold it.
func Clone(ctx context.Context, rawURL string, progress io.Writer) (*Repository, error) {
	dir, err := transport.CloneDir(ctx, rawURL, progress)
	if err != nil {
		return nil, err
	}
	return openTemporary(dir)
}

// openTemporary opens a repository that Close removes.
func openTemporary(dir string) (*Repository, error) {
	r, err := Open(dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	r.temp = dir
	return r, nil
}

// Mirror makes dir a bare mirror of the repository at rawURL, all refs included, or
// updates it, and opens it. It runs the git binary as Clone does, and needs one. Refs that
// are gone are removed; objects never are, and each update adds one pack at most, so that
// with Seen only what is new is read.
//
// If reference is not "", it is another mirror, that of the repository which this is a fork
// of: objects that are there are not fetched, but read from there
// (objects/info/alternates). Whoever removes it breaks this one.
//
// What an update that was broken off has left is removed first: locks and half a pack. One
// update at a time: the error for another wraps ErrMirrorBusy. Errors do not hold the
// password of the URL. Close removes nothing.
func Mirror(ctx context.Context, rawURL, dir, reference string) (*Repository, error) {
	if err := transport.MirrorInto(ctx, rawURL, dir, reference); err != nil {
		return nil, err
	}
	return Open(dir)
}

// Fetch makes a repository of what w asks a server for, see transport.Remote.Fetch. Close
// removes it. If less was asked for than the refs lead to, Rest is set: what is missing is
// no unread part.
func Fetch(ctx context.Context, from *transport.Remote, w transport.Wanted) (*Repository, error) {
	f, err := from.Fetch(ctx, w)
	if err != nil {
		return nil, err
	}
	r, err := openTemporary(f.Dir)
	if err != nil {
		return nil, err
	}
	r.Rest, r.fetched, r.absent = f.Rest, f.Bytes, f.Absent
	return r, nil
}

// FetchCommits fetches commits that no ref leads to, and what they lead to, from
// rawURL into r, which Clone or Mirror has made; nothing has been read from r yet. They become
// dangling commits of r. GitHub and others give who knows the id of a commit what was
// force-pushed away. It returns those that the server does not have. It needs the git
// binary.
func (r *Repository) FetchCommits(ctx context.Context, rawURL string, ids []string) (gone []string, err error) {
	if r.dir.Root != "" {
		return nil, errors.New("fetching commits: the repository has a work tree, and so is nobody's clone to add to")
	}
	return transport.FetchLost(ctx, r.dir.CommonDir, rawURL, ids)
}

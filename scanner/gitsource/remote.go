package gitsource

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/stanch-dev/stanch/scanner/gitsource/transport"
)

// Clone makes a bare mirror of the repository at rawURL, all refs included, in a temporary
// folder. Close removes it; if Clone returns an error, cancellation included, nothing is left.
// If progress is not nil, it gets git's messages while git works, without control characters,
// since the server has a say in them.
//
// It runs the git binary, which knows the user's proxies, keys and credential helpers, and
// needs a third of the time and a tenth of the memory; if there is none, go-git. A password in
// an http URL is given to git in the environment, where, unlike in arguments, others do not
// see it. Errors do not hold it.
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

// Mirror makes dir a bare mirror of the repository at rawURL, all refs included, or updates
// it, and opens it. It runs the git binary as Clone does, and needs one. Refs that are gone
// are removed; objects never are. Each update adds one pack at most, so that with Seen only
// new objects are read.
//
// reference may be the folder of another mirror, that of the repository which this is a fork
// of. Its objects are not fetched, but read from there (objects/info/alternates). Removing it
// breaks this mirror.
//
// An update first removes the remains of one that was broken off: locks and half a pack. Only
// one process at a time may update a mirror; another gets ErrMirrorBusy. Errors do not hold
// the password of the URL. Close removes nothing.
func Mirror(ctx context.Context, rawURL, dir, reference string) (*Repository, error) {
	if err := transport.MirrorInto(ctx, rawURL, dir, reference); err != nil {
		return nil, err
	}
	return Open(dir)
}

// Fetch makes a repository of the objects that w asks a server for, see
// transport.Remote.Fetch. Close removes it. If w asks for less than the refs lead to, Rest is
// set, so that missing objects do not count as unread.
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

// FetchCommits fetches commits that no ref leads to, and all that they lead to, from rawURL
// into r. They become dangling commits of r. Clone or Mirror must have made r, and nothing
// must have been read from it yet. GitHub and others give force-pushed commits to anyone who
// knows the id. FetchCommits returns the ids that the server does not have. It needs the git
// binary.
func (r *Repository) FetchCommits(ctx context.Context, rawURL string, ids []string) (gone []string, err error) {
	if r.dir.Root != "" {
		return nil, errors.New("fetching commits: the repository has a work tree, and so is nobody's clone to add to")
	}
	return transport.FetchLost(ctx, r.dir.CommonDir, rawURL, ids)
}

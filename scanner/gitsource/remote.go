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
// If progress is not nil, it gets messages in the form of git's while objects come, without
// control characters, since the server has a say in them.
//
// The client of package transport asks an http or https server, and takes half the CPU of git.
// The git binary knows the user's proxies, keys and credential helpers: it is run for other
// URLs, wherever its settings lead elsewhere, and whenever the client fails, so that its error
// is the one that users see. Without a git binary, go-git stands in for it. A password in an
// http URL is given to git in the environment, where, unlike in arguments, others do not see
// it. Errors do not hold it.
func Clone(ctx context.Context, rawURL string, progress io.Writer) (*Repository, error) {
	f, err := transport.CloneDir(ctx, rawURL, progress)
	if err != nil {
		return nil, err
	}
	return openTemporary(f)
}

// openTemporary opens a repository that Close removes.
func openTemporary(f transport.Fetched) (*Repository, error) {
	r, err := Open(f.Dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(f.Dir))
	}
	r.temp, r.received = f.Dir, f.Received
	r.Rest, r.fetched, r.absent = f.Rest, f.Bytes, f.Absent
	return r, nil
}

// Fetch makes a repository of the objects that w asks a server for, see
// transport.Remote.Fetch. Close removes it. If w asks for less than the refs lead to, Rest is
// set, so that missing objects do not count as unread.
func Fetch(ctx context.Context, from *transport.Remote, w transport.Wanted) (*Repository, error) {
	f, err := from.Fetch(ctx, w)
	if err != nil {
		return nil, err
	}
	return openTemporary(f)
}

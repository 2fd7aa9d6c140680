package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	git "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/plumbing/transport/http"

	"github.com/stanch-dev/stanch/scanner/internal/gitcmd"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// CloneDir makes a bare mirror of the repository at rawURL in a temporary folder.
// gitsource.Clone documents it.
func CloneDir(ctx context.Context, rawURL string, progress io.Writer) (Fetched, error) {
	remote, err := parseRemote(rawURL)
	if err != nil {
		return Fetched{}, err
	}
	if progress != nil {
		progress = printable.StrippedWriter(progress)
	}
	if !remote.needsGit(ctx) {
		f, err := remote.mirror(ctx, progress)
		if err == nil || ctx.Err() != nil {
			return f, err
		}
		// git tries everything that the own client cannot do, such as to ask a credential
		// helper. If it fails as well, users get the error that they know.
	}
	dir, err := os.MkdirTemp("", "stanch-*.git")
	if err != nil {
		return Fetched{}, fmt.Errorf("cloning %s: %w", remote.url, err)
	}
	if err := remote.cloneInto(ctx, dir, progress); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		err = fmt.Errorf("cloning %s: %w%s", remote.url, err, portHint(remote.url))
		return Fetched{}, errors.Join(err, os.RemoveAll(dir))
	}
	return Fetched{Dir: dir}, nil
}

func (r address) cloneInto(ctx context.Context, dir string, progress io.Writer) error {
	err := r.runGit(ctx, dir, progress)
	if to, ok := r.redirect(ctx, err); ok {
		err = to.runGit(ctx, dir, progress)
	}
	if errors.Is(err, gitcmd.ErrNoGit) {
		err = r.runGoGit(ctx, dir, progress)
	}
	return err
}

func (r address) runGit(ctx context.Context, dir string, progress io.Writer) error {
	mode := "--quiet"
	if progress != nil {
		mode = "--progress"
	}
	_, err := gitcmd.Run(ctx, gitcmd.Command{
		Args: []string{"clone", "--mirror", mode, "--", r.url, dir}, Config: r.config(), Progress: progress, KillChildren: r.host != "",
	})
	return err
}

func (r address) runGoGit(ctx context.Context, dir string, progress io.Writer) error {
	var auth transport.AuthMethod
	if r.host != "" && r.user+r.password != "" {
		auth = &http.BasicAuth{Username: r.user, Password: r.password}
	}
	_, err := git.PlainCloneContext(ctx, dir, true, &git.CloneOptions{URL: r.url, Auth: auth, Mirror: true, Progress: progress})
	if errors.Is(err, transport.ErrEmptyRemoteRepository) {
		_, err = git.PlainInit(dir, true) // go-git has removed its folder
	}
	if err != nil && printable.Stripped(err.Error()) != err.Error() { // quotes the server
		return errors.New(printable.Stripped(err.Error()))
	}
	return err
}

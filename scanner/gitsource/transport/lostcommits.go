package transport

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"

	"github.com/stanch-dev/stanch/scanner/gitsource/internal/pack"
	"github.com/stanch-dev/stanch/scanner/internal/gitcmd"
)

const (
	// fetchBatch is how many commits are asked for at once: they are arguments.
	fetchBatch = 200
	// fetchTries is how many of a batch the server may not have: it names one at a time.
	fetchTries = 50
)

// notOurRef matches a server's answer to an id that it does not have any more (git's
// upload-pack.c).
var notOurRef = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`not our ref ([0-9a-f]{40,64})`) })

// FetchLost fetches commits from rawURL into the repository in gitDir, as FetchCommits says.
func FetchLost(ctx context.Context, gitDir, rawURL string, ids []string) (gone []string, err error) {
	remote, err := parseRemote(rawURL)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if _, ok := pack.ParseID([]byte(id)); !ok { // other arguments of git have a meaning
			return nil, fmt.Errorf("fetching commits: %q is no object id", id)
		}
	}
	for batch := range slices.Chunk(ids, fetchBatch) {
		lost, err := remote.fetchBatch(ctx, gitDir, slices.Clone(batch))
		gone = append(gone, lost...)
		if err != nil {
			return gone, fmt.Errorf("fetching %d commits of %s that no ref leads to: %w", len(ids), remote.url, contextErrorOr(ctx, err))
		}
	}
	return gone, nil
}

func (r address) fetchBatch(ctx context.Context, gitDir string, ids []string) (gone []string, err error) {
	for range fetchTries {
		if len(ids) == 0 {
			return gone, nil
		}
		err := r.fetchInto(ctx, gitDir, ids)
		if err == nil {
			return gone, nil
		}
		at := -1
		var failed *gitcmd.Error
		if errors.As(err, &failed) {
			if lost := notOurRef().FindStringSubmatch(failed.Stderr); lost != nil {
				at = slices.Index(ids, lost[1])
			}
		}
		if at < 0 {
			return gone, err
		}
		gone = append(gone, ids[at])
		ids = slices.Delete(ids, at, at+1)
	}
	return gone, fmt.Errorf("the server has lost more than %d of them", fetchTries)
}

// fetchInto runs git once.
func (r address) fetchInto(ctx context.Context, gitDir string, ids []string) error {
	_, err := gitcmd.Run(ctx, gitcmd.Command{
		Args:   append([]string{"fetch", "--quiet", "--no-tags", "--", r.url}, ids...),
		Env:    []string{"GIT_DIR=" + gitDir},
		Config: append([][2]string{{"gc.auto", "0"}, {"maintenance.auto", "false"}}, r.config()...), KillChildren: r.host != "",
	})
	// It names the commits, and would be one more text to search.
	if removed := os.Remove(filepath.Join(gitDir, "FETCH_HEAD")); !errors.Is(removed, os.ErrNotExist) {
		err = errors.Join(err, removed)
	}
	return err
}

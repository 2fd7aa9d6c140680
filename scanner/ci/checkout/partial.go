package checkout

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner/printable"
)

// complete fetches the objects of r that a partial clone left out (git-clone(1), --filter):
// the files of its commits, and the versions before them, to tell which lines are new. It
// notes objects that it cannot fetch; a scan of the range finds them missing, too.
func (g *repository) complete(ctx context.Context, r *Range) error {
	if partial, err := g.partial(ctx); err != nil || !partial {
		return err
	}
	revisions := r.revisions()
	if r.All {
		revisions = []string{"--all", "HEAD", "--"}
	}
	// Missing folders name further missing objects: they are fetched level by level.
	for range maxFolders {
		ids, err := g.missing(ctx, revisions...)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			break
		}
		if !g.fetchObjects(ctx, r, ids, "files of the range") {
			return ctx.Err()
		}
	}
	if r.All {
		return nil
	}
	before, err := g.before(ctx, r)
	if err != nil {
		r.addUnread(fmt.Errorf("the earlier versions of its files are unknown: %w", err))
		return ctx.Err()
	}
	if len(before) > 0 {
		g.fetchObjects(ctx, r, before, "the earlier versions of its files")
	}
	return ctx.Err()
}

// maxFolders is how deep folders may lie in each other, as for gitsource.
const maxFolders = 4096

// addUnread notes that a part of r is not there.
func (r *Range) addUnread(err error) {
	if r.Unread != nil {
		err = fmt.Errorf("%w; %w", r.Unread, err)
	}
	r.Unread = err
}

// partial reports whether objects may be missing on purpose (git's
// Documentation/technical/partial-clone).
func (g *repository) partial(ctx context.Context) (bool, error) {
	settings, err := g.settings(ctx)
	return slices.ContainsFunc(settings, func(name string) bool {
		return name == "extensions.partialclone" || strings.HasPrefix(name, "remote.") && strings.HasSuffix(name, ".promisor")
	}), err
}

// settings returns the names of all settings of git.
func (g *repository) settings(ctx context.Context) ([]string, error) {
	out, err := g.git(ctx, "config", "--list", "--name-only", "-z")
	return strings.Split(out, "\x00"), err
}

// missing returns the ids of missing objects that revisions lead to, as far as present
// objects name them. git fetches none of them on the way.
func (g *repository) missing(ctx context.Context, revisions ...string) (ids []string, err error) {
	lines, err := g.lines(ctx, slices.Concat([]string{"rev-list", "--objects", "--no-object-names", "--missing=print"}, revisions)...)
	for _, line := range lines {
		if id, ok := strings.CutPrefix(line, "?"); ok {
			ids = append(ids, id)
		}
	}
	return ids, err
}

// before returns the ids of missing files that commits of the range have changed or
// removed, as they were in the commits right before the range. All other versions are part
// of the range itself.
func (g *repository) before(ctx context.Context, r *Range) (ids []string, err error) {
	lines, err := g.lines(ctx, slices.Concat([]string{"rev-list", "--boundary"}, r.revisions())...)
	if err != nil {
		return nil, err
	}
	var edge, commits []string
	for _, id := range lines {
		if old, ok := strings.CutPrefix(id, "-"); ok {
			edge = append(edge, old)
		} else {
			commits = append(commits, id)
		}
	}
	if len(edge) == 0 {
		return nil, nil
	}
	lacking, err := g.missing(ctx, slices.Concat([]string{"--no-walk"}, edge, []string{"--"})...)
	if err != nil || len(lacking) == 0 {
		return nil, err
	}
	slices.Sort(lacking)
	changes, err := g.runGit(ctx, nil, commits, "diff-tree", "--stdin", "-r", "-m", "--no-renames", "--no-commit-id", "--raw", "--no-abbrev", "-z")
	if err != nil {
		return nil, err
	}
	for field := range strings.SplitSeq(changes, "\x00") {
		// ":<old mode> <mode> <old id> <id> <status>"; the path is a field of its own.
		if f := strings.Fields(field); len(f) == 5 && f[0][0] == ':' {
			if _, ok := slices.BinarySearch(lacking, f[2]); ok {
				ids = append(ids, f[2])
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// fetchObjects fetches objects by their ids, as git itself does when it needs one of them
// (promisor-remote.c), and reports whether it could; if not, r lacks them. It does not
// negotiate: the server would hear that the commits are here, and take the objects for
// present.
func (g *repository) fetchObjects(ctx context.Context, r *Range, ids []string, what string) bool {
	g.say(fmt.Sprintf("this is a partial clone: fetching %s (%s)", printable.Plural(len(ids), "object"), what))
	err := g.fetchWith(ctx, [][2]string{{"fetch.negotiationAlgorithm", "noop"}}, ids, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head",
		"--no-recurse-submodules", "--no-auto-gc", "--filter=blob:none", "--stdin", "--end-of-options", g.remote)
	if err != nil {
		g.say(err.Error())
		r.addUnread(fmt.Errorf("this partial clone lacks %s (%s): %w", printable.Plural(len(ids), "object"), what, err))
	}
	return err == nil
}

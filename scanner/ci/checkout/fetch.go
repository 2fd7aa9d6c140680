package checkout

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner/ci"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// excludeDefault excludes the default branch from the range of a ref that is new, or whose
// old end is gone after a forced push.
//
// No other ref counts. The workflow may watch some branches only, and then nobody has
// scanned the commits of the others. And two refs that are pushed together would hide
// their common commits from each other's run. So findings of another branch may be
// reported again, which is the lesser evil. Without the default branch, each new branch
// of an old repository would be scanned from its beginning.
func (g *repository) excludeDefault(ctx context.Context, e *ci.Event, r *Range) error {
	switch {
	case e.OnDefaultBranch():
		return nil
	case e.DefaultBranch == "":
		r.Notes = append(r.Notes, "The event names no default branch, so everything up to the commit is scanned.")
		return nil
	}
	id, err := g.fetchDefault(ctx, e)
	if err == nil {
		r.Exclude = []string{id}
		return nil
	}
	g.say(err.Error())
	rest := "everything up to the commit is scanned."
	if id, err := g.verify(ctx, "refs/remotes/"+g.remote+"/"+e.DefaultBranch); err == nil {
		r.Exclude = []string{id}
		rest = "its state in the checkout is left out."
	}
	r.Notes = append(r.Notes, "The default branch could not be fetched: "+rest)
	return ctx.Err()
}

// fetchDefault returns the id of the server's default branch, and fetches it unless it is
// here.
func (g *repository) fetchDefault(ctx context.Context, e *ci.Event) (string, error) {
	refs, err := g.list(ctx, nil, "refs/heads/"+e.DefaultBranch)
	if err != nil {
		return "", err
	}
	for _, ref := range refs { // git lists refs/x/refs/heads/main for refs/heads/main, too
		if ref.name == "refs/heads/"+e.DefaultBranch {
			return ref.id, g.ensureCommit(ctx, ref.id, depth(e))
		}
	}
	return "", fmt.Errorf("the server has no branch %s", e.DefaultBranch)
}

// fetchAll fetches the branches and tags of the server that are not here, with their
// history. Only the server knows which those are: to git, a checkout of one branch is as
// whole as one of all.
func (g *repository) fetchAll(ctx context.Context, e *ci.Event) error {
	shallow, err := g.shallow(ctx)
	if err != nil {
		return err
	}
	if g.remote == "" && !g.fetched && len(shallow) == 0 && e.Service == "" {
		return nil // a repository that somebody keeps here: no server has more of it
	}
	served, err := g.list(ctx, []string{"--heads", "--tags", "--refs"})
	if err != nil {
		return err
	}
	tips, err := g.lines(ctx, "for-each-ref", "--format=%(objectname)")
	if err != nil {
		return err
	}
	slices.Sort(tips)
	lacking := slices.DeleteFunc(served, func(ref serverRef) bool { _, held := slices.BinarySearch(tips, ref.id); return held })
	switch {
	case len(shallow) > 0:
		g.say("the checkout is shallow: fetching all branches and tags, with their history")
	case len(lacking) > 0:
		g.say(fmt.Sprintf("the checkout lacks %s of the server's branches and tags: fetching them", printable.Thousands(len(lacking))))
	default:
		return nil
	}
	// The refs are those of a checkout with all history, so that reports call findings part
	// of branches, not dangling. A local tag that differs from the server's stays: git
	// fetches the server's objects and then fails.
	err = g.fetch(ctx, allHistory, "+refs/heads/*:refs/remotes/"+g.remote+"/*", "refs/tags/*:refs/tags/*")
	if err == nil {
		return nil
	}
	if still, shallowErr := g.shallow(ctx); shallowErr != nil || len(still) > 0 {
		return errors.Join(err, shallowErr)
	}
	var ids []string
	for _, ref := range lacking {
		ids = append(ids, ref.id)
	}
	if found, checkErr := g.runGit(ctx, nil, ids, "cat-file", "--batch-check=%(objecttype)"); checkErr != nil || strings.Contains(found, " missing") {
		return errors.Join(err, checkErr)
	}
	return nil
}

// steps are the numbers of commits by which a shallow history is deepened, in order. A
// fetch is a round trip, and few ranges are longer.
var steps = []int{30, 200, 1500, allHistory}

// allHistory is the depth that fetches everything: git's own INFINITE_DEPTH, which
// --unshallow stands for.
const allHistory = 1<<31 - 1

// deepen fetches history until the range is as it would be in a whole clone.
func (g *repository) deepen(ctx context.Context, r *Range) error {
	for _, step := range steps {
		cut, wide, err := g.cutOff(ctx, r)
		if err != nil || cut == 0 && !wide {
			return err
		}
		if step < allHistory {
			g.say(fmt.Sprintf("the history is cut off too early: fetching %s more commits", printable.Thousands(step)))
		} else {
			g.say("the history is cut off too early: fetching all of it")
		}
		if err := g.fetch(ctx, step, slices.Concat(r.Include, r.Exclude)...); err != nil {
			g.say(err.Error())
			if cut > 0 {
				g.notes = append(g.notes, fmt.Sprintf("history is cut off at %s of the range: %v", printable.Plural(cut, "commit"), err))
			}
			return nil
		}
	}
	cut, _, err := g.cutOff(ctx, r)
	if cut > 0 {
		g.notes = append(g.notes, fmt.Sprintf("history is cut off at %s of the range, on the server too", printable.Plural(cut, "commit")))
	}
	return err
}

// cutOff counts the commits of the range at which history is cut off: commits before them may
// belong to the range. wide says that the range goes back to where history begins, while the
// history of the excluded commits is cut off: the two may meet before.
func (g *repository) cutOff(ctx context.Context, r *Range) (cut int, wide bool, err error) {
	shallow, err := g.shallow(ctx)
	if err != nil || len(shallow) == 0 {
		return 0, false, err
	}
	isShallow := func(id string) bool { _, ok := slices.BinarySearch(shallow, id); return ok }
	// To git, a commit at which history is cut off has no parents.
	first, err := g.lines(ctx, slices.Concat([]string{"rev-list", "--max-parents=0"}, r.revisions())...)
	if err != nil || len(first) == 0 {
		return 0, false, err
	}
	for _, id := range first {
		if isShallow(id) {
			cut++
		}
	}
	if len(r.Exclude) == 0 {
		return cut, false, nil
	}
	excluded, err := g.lines(ctx, slices.Concat([]string{"rev-list", "--max-parents=0"}, r.Exclude, []string{"--"})...)
	return cut, slices.ContainsFunc(excluded, isShallow), err
}

// shallow returns the commits whose parents are cut off, sorted
// (gitformat-shallow(5)).
func (g *repository) shallow(ctx context.Context) ([]string, error) {
	out, err := g.git(ctx, "rev-parse", "--path-format=absolute", "--git-path", "shallow")
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(strings.TrimSuffix(out, "\n"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading which history is cut off: %w", err)
	}
	ids := strings.Fields(string(text))
	slices.Sort(ids)
	return ids, nil
}

// Package checkout finds the commits of a CI event in the checkout that CI made, and fetches
// those that are missing. Checkouts are shallow, as a rule with a depth of one, and the old
// end of a branch is seldom there.
//
//	c := checkout.Checkout{Dir: ".", Token: token, Server: "https://github.com"}
//	r, err := c.Resolve(ctx, event) // r.Include, r.Exclude: commits to scan, all of them there
//
// It runs the git binary in the checkout, since only that has the checkout's credentials,
// proxies and certificates. git is told to run no hook, to prompt for nothing and to start no
// maintenance; refs are written only when all branches are fetched. Object ids come from
// package ci, which has checked them. In a checkout of another user git works too, as far as
// its configuration runs no program.
package checkout

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/stanch-dev/stanch/scanner/ci"
)

// A Checkout is a work tree or repository that a CI service made.
type Checkout struct {
	Dir string
	// Token and Server let git in where the checkout has no credentials of its own: Token
	// is sent to Server, such as "https://github.com", and to no other host. Both may be
	// "".
	Token, Server string
	// Log gets a sentence for each fetch, and why it is needed. It may be nil.
	Log func(string)

	foreign string // the folder, if another user owns it: see trust
}

// A Range says which commits a scan has to read.
type Range struct {
	// All says that the scan has to read everything in the repository; Include and Exclude
	// are empty then.
	All bool
	// Include and Exclude are object ids of commits and annotated tags. The range is
	// everything that the former lead to and the latter do not.
	Include, Exclude []string
	// Commits is the number of commits in the range.
	Commits int
	// Tip is set if no commit is new. Then the scan reads the newest commit with all its
	// files, so that it reads something; Include has the tree of that commit as well.
	Tip bool
	// Notes explain to people which range was chosen and why.
	Notes []string
	// Unread names the parts of the range that are not there; nil if there are none.
	Unread error
}

// The errors that a user can mend.
var (
	ErrOwner  = errors.New("git refuses the repository, because somebody else owns it")
	ErrNoHead = errors.New("the commit to scan is missing")
)

// Resolve finds the range of e, and fetches the parts of it that are missing. An error means
// that nothing can be scanned. Range.Unread names parts that could not be fetched.
func (c *Checkout) Resolve(ctx context.Context, e *ci.Event) (Range, error) {
	g, err := c.open(ctx)
	if err != nil {
		return Range{}, err
	}
	r, err := g.find(ctx, e)
	if err != nil {
		return Range{}, err
	}
	err = g.complete(ctx, &r) // not in the return: which of the two is first is not specified
	return r, err
}

// find is Resolve, except for the objects that a partial clone left out.
func (g *repository) find(ctx context.Context, e *ci.Event) (Range, error) {
	if e.Kind == ci.Everything {
		return g.everything(ctx, e)
	}
	r := Range{}
	head, err := g.head(ctx, e)
	if err != nil {
		return Range{}, err
	}
	r.Include = []string{head}
	if err := g.exclude(ctx, e, &r); err != nil {
		return Range{}, err
	}
	if err := g.deepen(ctx, &r); err != nil {
		return Range{}, err
	}
	err = g.countRange(ctx, e, &r)
	return r, err
}

// A repository runs git in a checkout.
type repository struct {
	*Checkout
	remote  string   // its name, or URL; "" if there is none
	fetched bool     // there is or was one: a setting names the refs to fetch
	notes   []string // problems on the way, for Range.Unread
}

func (c *Checkout) open(ctx context.Context) (*repository, error) {
	g := &repository{Checkout: c}
	_, err := g.git(ctx, "rev-parse", "--git-dir")
	if errors.Is(err, ErrOwner) {
		err = c.trust(ctx)
	}
	if err != nil {
		return nil, err
	}
	remotes, err := g.lines(ctx, "remote")
	if err != nil {
		return nil, err
	}
	settings, err := g.settings(ctx)
	if err != nil {
		return nil, err
	}
	has := func(remote, key string) bool { return slices.Contains(settings, "remote."+remote+"."+key) }
	g.fetched = slices.ContainsFunc(remotes, func(name string) bool { return has(name, "fetch") })
	// A remote may be nothing but a setting of the user's, such as "remote.origin.prune".
	remotes = slices.DeleteFunc(remotes, func(name string) bool { return !has(name, "url") })
	switch {
	case slices.Contains(remotes, "origin"):
		g.remote = "origin"
	case len(remotes) > 0:
		g.remote = remotes[0]
	}
	return g, nil
}

// head returns the id of the commit to be scanned.
func (g *repository) head(ctx context.Context, e *ci.Event) (string, error) {
	if e.Service == "" {
		return g.revision(ctx, e.Head)
	}
	if g.has(ctx, e.Head) {
		return e.Head, nil
	}
	fetchErr := g.fetch(ctx, depth(e), e.Head)
	for _, ref := range e.HeadRefs { // servers that give out no ids
		if g.has(ctx, e.Head) {
			break
		}
		fetchErr = errors.Join(fetchErr, g.fetch(ctx, depth(e), ref))
	}
	if g.has(ctx, e.Head) {
		return e.Head, nil
	}
	return "", fmt.Errorf("%w: %s of the %s event is not in the checkout and cannot be fetched: %w", ErrNoHead, e.Head, e.Name, fetchErr)
}

// depth is how many commits to fetch at first.
func depth(e *ci.Event) int { return min(max(e.Commits, 1)+1, 500) }

// exclude finds the commits that were there before the event.
func (g *repository) exclude(ctx context.Context, e *ci.Event, r *Range) error {
	switch {
	case e.Base == "" && e.Service == "":
		return nil // all that leads to head
	case e.Service == "":
		base, err := g.revision(ctx, e.Base)
		r.Exclude = []string{base}
		return err
	case e.Base != "":
		err := g.ensureCommit(ctx, e.Base, depth(e))
		if err == nil {
			r.Exclude = []string{e.Base}
			return nil
		}
		why := "could not be fetched"
		if isGone(err) {
			why = "is no longer on the server"
		}
		r.Notes = append(r.Notes, fmt.Sprintf("The old commit %s %s.", short(e.Base), why))
		g.say("fetching " + e.Base + ": " + err.Error())
	}
	return g.excludeDefault(ctx, e, r)
}

// revision resolves a user's name for a commit. If only the server has the name, it is
// fetched.
func (g *repository) revision(ctx context.Context, name string) (string, error) {
	id, err := g.verify(ctx, name)
	if err == nil {
		return id, nil
	}
	if fetchErr := g.fetch(ctx, 2, name); fetchErr == nil {
		if id, err := g.verify(ctx, name); err == nil {
			return id, nil
		}
		if refs, lsErr := g.list(ctx, nil, name); lsErr == nil && len(refs) > 0 {
			return g.verify(ctx, refs[0].id)
		}
	}
	return "", fmt.Errorf("%w: %q is not a revision of this checkout: %w", ErrNoHead, name, err)
}

func (g *repository) verify(ctx context.Context, name string) (string, error) {
	out, err := g.git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{commit}")
	return strings.TrimSpace(out), err
}

// ensureCommit fetches the commit with this id unless it is there.
func (g *repository) ensureCommit(ctx context.Context, id string, depth int) error {
	if g.has(ctx, id) {
		return nil
	}
	if err := g.fetch(ctx, depth, id); err != nil {
		return err
	}
	if !g.has(ctx, id) {
		return errors.New("the server sent something else")
	}
	return nil
}

// has reports whether an object is there and, if it is a tag, its commit too.
func (g *repository) has(ctx context.Context, id string) bool {
	_, err := g.verify(ctx, id)
	return err == nil
}

// everything fetches the branches and tags that are not there, with their history.
func (g *repository) everything(ctx context.Context, e *ci.Event) (Range, error) {
	r := Range{All: true}
	err := g.fetchAll(ctx, e)
	switch {
	case ctx.Err() != nil:
		return r, ctx.Err()
	case err != nil:
		g.say(err.Error())
		r.Notes = []string{"stanch cannot tell whether the checkout is the whole repository. It scans everything in the checkout. Use fetch-depth: 0, and give stanch a token."}
		r.Unread = fmt.Errorf("all branches and tags of the server, with their history: %w", err)
	default:
		r.Notes = []string{"The whole repository is scanned: all branches and tags, with their history."}
	}
	return r, nil
}

// countRange counts the range, and makes sure that it is not empty.
func (g *repository) countRange(ctx context.Context, e *ci.Event, r *Range) error {
	out, err := g.git(ctx, slices.Concat([]string{"rev-list", "--count"}, r.revisions())...)
	if err != nil {
		return err
	}
	if r.Commits, err = strconv.Atoi(strings.TrimSpace(out)); err != nil {
		return fmt.Errorf("counting the commits of the range: %w", err)
	}
	if len(g.notes) > 0 {
		r.Unread = errors.New(strings.Join(g.notes, "; "))
	}
	if r.Commits > 0 {
		return nil
	}
	return g.tip(ctx, e, r)
}

// tip makes r the range of the newest commit and its files.
func (g *repository) tip(ctx context.Context, e *ci.Event, r *Range) error {
	out, err := g.git(ctx, "rev-list", "--no-walk", "--parents", r.Include[0], "--")
	if err != nil {
		return err
	}
	ids := strings.Fields(out)
	if len(ids) == 0 {
		return fmt.Errorf("%w: %s leads to no commit", ErrNoHead, r.Include[0])
	}
	tree, err := g.git(ctx, "rev-parse", "--verify", "--end-of-options", ids[0]+"^{tree}")
	if err != nil {
		return err
	}
	r.Tip, r.Commits, r.Unread = true, 1, nil
	r.Include, r.Exclude = []string{r.Include[0], strings.TrimSpace(tree)}, ids[1:]
	r.Notes = append(r.Notes, fmt.Sprintf("No commit of this %s is new. All files of its newest commit, %s, are scanned instead.", e.Name, short(ids[0])))
	return nil
}

// revisions are the arguments of rev-list.
func (r *Range) revisions() []string {
	args := r.Include
	if len(r.Exclude) > 0 {
		args = slices.Concat(args, []string{"--not"}, r.Exclude)
	}
	return slices.Concat(args, []string{"--"})
}

func (g *repository) say(s string) {
	if g.Log != nil {
		g.Log(s)
	}
}

func short(id string) string { return id[:min(10, len(id))] }

// isDir reports whether dir is there at all: git's own message is about the
// working directory of a process.
func isDir(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.IsDir()
}

// files returns the ids of the files that ls-tree lists, by path.
func (g *repository) files(ctx context.Context, args ...string) (map[string]string, error) {
	out, err := g.git(ctx, slices.Concat([]string{"ls-tree", "-z", "--full-tree"}, args)...)
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for entry := range strings.SplitSeq(out, "\x00") {
		meta, path, _ := strings.Cut(entry, "\t")
		if fields := strings.Fields(meta); len(fields) == 3 && fields[1] == "blob" {
			files[path] = fields[2]
		}
	}
	return files, nil
}

// File returns the content of a file in a commit, where a pull request cannot change it. The
// error wraps fs.ErrNotExist if the commit has no such file.
func (c *Checkout) File(ctx context.Context, commit, path string) ([]byte, error) {
	none := fmt.Errorf("%s in commit %s: %w", path, short(commit), fs.ErrNotExist)
	if !fs.ValidPath(path) || path == "." {
		return nil, none
	}
	g := &repository{Checkout: c}
	files, err := g.files(ctx, "--end-of-options", commit, path) // of one folder, not of all
	if err != nil {
		return nil, err
	}
	id, ok := files[path]
	if !ok {
		return nil, none
	}
	out, err := g.git(ctx, "cat-file", "blob", id)
	return []byte(out), err
}

// Package githubhub is the Hub of a sweep for GitHub.
package githubhub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/github"
	"github.com/stanch-dev/stanch/scanner/github/login"
	"github.com/stanch-dev/stanch/scanner/printable"
	"github.com/stanch-dev/stanch/scanner/sweep"
)

// Options select repositories of a target and the parts of them to read. As JSON, they
// are the Options of a sweep.Target.
type Options struct {
	Filter  github.Filter `json:"filter"`
	Deleted bool          `json:"deleted"` // commits that no ref leads to any more, too
	Include []string      `json:"include,omitempty"`
}

// Flags returns the options and the API of a target as flags of "stanch sweep add", without those
// that are so by default.
func Flags(t *sweep.Target) string {
	var o Options
	if err := json.Unmarshal(t.Options, &o); err != nil {
		return "unreadable"
	}
	var flags []string
	add := func(flag string, values ...string) {
		if value := strings.Join(values, ","); value != "" {
			flags = append(flags, flag, printable.ShellWord(value))
		}
	}
	add("--include", o.Include...)
	if !o.Deleted {
		flags = append(flags, "--deleted=false")
	}
	if o.Filter.Forks {
		flags = append(flags, "--forks")
	}
	if o.Filter.Archived != "include" {
		add("--archived", o.Filter.Archived)
	}
	add("--visibility", o.Filter.Visibility...)
	add("--topic", o.Filter.Topics...)
	add("--skip", o.Filter.Skip...)
	add("--only", o.Filter.Only...)
	if o.Filter.MaxSize > 0 {
		add("--max-repo-size", strconv.FormatInt(o.Filter.MaxSize, 10))
	}
	if t.API != "https://api.github.com" {
		add("--api-url", t.API)
	}
	return strings.Join(flags, " ")
}

// maxWait is for how long a worker waits for GitHub. For longer, the job goes back to the
// queue, and the worker does another one.
const maxWait = 5 * time.Second

// New returns a function that makes the Hub of a target, for engine.Engine. Targets with
// the same token share its limits, those of other processes too if they have the same
// limits. maxSize bounds a file, log or artifact beside a repository; 0 is no limit. now is
// the clock of the store.
func New(as login.Login, maxSize int64, limits github.Limits, now func() time.Time) func(sweep.Target) (sweep.Hub, error) {
	as.Limits = limits
	listers := &login.Listers{Login: as, MaxWait: maxWait}
	return func(t sweep.Target) (sweep.Hub, error) {
		var options Options
		if err := json.Unmarshal(t.Options, &options); err != nil {
			return nil, fmt.Errorf("the options of %s in the database: %w", t.Name, err)
		}
		lister, err := listers.For(context.Background(), t.API, t.Name)
		if err != nil {
			return nil, err
		}
		return &hub{lister, options, strings.Contains(t.Name, "/"), maxSize, now}, nil
	}
}

// A hub is GitHub as a sweep sees it.
type hub struct {
	lister  *github.Lister
	options Options
	single  bool // the target is a repository
	maxSize int64
	now     func() time.Time
}

// Later turns a limit of GitHub into a *sweep.Later, and a refusal into a *sweep.Final. now is
// the time by the clock of the store, which may differ from that of this machine.
func Later(err error, now time.Time) error {
	var limited *github.RateLimited
	if errors.As(err, &limited) {
		return &sweep.Later{At: now.Add(time.Until(limited.Until)), Why: limited.Error()}
	}
	if errors.Is(err, github.ErrGone) || errors.Is(err, github.ErrDenied) {
		return &sweep.Final{Err: err}
	}
	return err
}

func (h *hub) later(err error) error { return Later(err, h.now()) }

// Repositories implements sweep.Hub.
func (h *hub) Repositories(ctx context.Context, target string, known sweep.KnownPage, yield func(sweep.ListPage) (bool, error)) error {
	return h.later(h.lister.EachAPIPage(ctx, target, github.Known(known), func(page github.APIPage[github.Repository]) (bool, error) {
		return yield(listPage(page, h.listed))
	}))
}

func listPage[T any](page github.APIPage[T], listed func(T) sweep.Listed) sweep.ListPage {
	list := sweep.ListPage{URL: page.URL, Kept: page.Kept}
	for _, one := range page.Items {
		list.Listed = append(list.Listed, listed(one))
	}
	return list
}

// Count implements sweep.Hub.
func (h *hub) Count(ctx context.Context, target string) (int, error) {
	n, err := h.lister.Count(ctx, target)
	return n, h.later(err)
}

func (h *hub) listed(r github.Repository) sweep.Listed {
	return sweep.Listed{
		ID: strconv.FormatInt(r.ID, 10), Name: r.Name, Fork: r.Fork, Archived: r.Archived, Private: r.Private,
		HasWiki: r.HasWiki, Pushed: r.PushedAt, Skip: h.options.Filter.Excludes(r, h.single),
	}
}

// Repository implements sweep.Hub.
func (h *hub) Repository(ctx context.Context, target, name, id string) (sweep.Listed, error) {
	number, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return sweep.Listed{}, fmt.Errorf("%q is no id of a repository: %w", id, err)
	}
	r, err := h.lister.LookUp(ctx, name, number)
	switch owner, _, _ := strings.Cut(r.Name, "/"); {
	case errors.Is(err, github.ErrGone):
		return sweep.Listed{}, fmt.Errorf("%w: %w", sweep.ErrNotThere, err)
	case err != nil:
		return sweep.Listed{}, h.later(err)
	case !h.single && !strings.EqualFold(owner, target):
		return sweep.Listed{}, fmt.Errorf("%w: it belongs to %s now", sweep.ErrNotThere, owner)
	}
	return h.listed(r), nil
}

// Gists implements sweep.Hub.
func (h *hub) Gists(ctx context.Context, target string, known sweep.KnownPage, yield func(sweep.ListPage) error) error {
	if h.single || !slices.Contains(h.options.Include, github.Gists) {
		return nil
	}
	return h.later(h.lister.Gists(ctx, target, github.Known(known), func(page github.APIPage[github.Gist]) error {
		return yield(listPage(page, func(g github.Gist) sweep.Listed {
			name := strings.TrimPrefix(strings.TrimPrefix(g.WebURL, "https://"), "http://")
			return sweep.Listed{ID: "gist " + name, Name: name, Pushed: g.UpdatedAt, WebURL: g.WebURL, Clone: g.CloneURL}
		}))
	}))
}

// Texts implements sweep.Hub.
func (h *hub) Texts(_ context.Context, name, cursor string, batch bool) (sweep.Texts, error) {
	kinds := slices.DeleteFunc(slices.Clone(h.options.Include), func(kind string) bool { return kind == github.Gists })
	if len(kinds) == 0 {
		return nil, nil
	}
	t, err := h.lister.Texts(name, kinds, cursor)
	if err != nil {
		return nil, err
	}
	t.MaxSize, t.Batch = h.maxSize, batch && !h.single
	return &texts{Texts: t, hub: h}, nil
}

// texts is a sweep.Texts.
type texts struct {
	*github.Texts
	hub   *hub
	limit *sweep.Later
}

// Blobs implements scanner.Source. A limit ends the texts, as their end would.
func (t *texts) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	err := t.hub.later(t.Texts.Blobs(ctx, yield))
	if errors.As(err, &t.limit) {
		return nil
	}
	return err
}

// Limit implements sweep.Texts.
func (t *texts) Limit() *sweep.Later { return t.limit }

// TextsAgain implements sweep.Hub.
func (h *hub) TextsAgain(_ context.Context, name string, ids []finding.BlobID) (scanner.Source, error) {
	texts, err := h.lister.TextsAgain(name, ids)
	if err != nil {
		return nil, err
	}
	texts.MaxSize = h.maxSize
	return again{texts, h}, nil
}

// again is a scanner.Source of texts, whose limits are those of a sweep.
type again struct {
	*github.TextsAgain
	hub *hub
}

// Blobs implements scanner.Source.
func (t again) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	return t.hub.later(t.TextsAgain.Blobs(ctx, yield))
}

// Parent implements sweep.Hub.
func (h *hub) Parent(ctx context.Context, name string) (string, error) {
	parent, err := h.lister.Parent(ctx, name)
	return parent, h.later(err)
}

// TellsLost implements sweep.Hub.
func (h *hub) TellsLost() bool { return h.options.Deleted }

// LostCommits implements sweep.Hub.
func (h *hub) LostCommits(ctx context.Context, name string, since time.Time) (lost map[string]string, until time.Time, err error) {
	if token, err := h.lister.Token(ctx); !h.options.Deleted || err != nil || token.IsZero() {
		return nil, since, err // GitHub tells nobody else
	}
	lost, until, err = h.lister.LostCommits(ctx, name, since)
	if errors.Is(err, github.ErrNoActivity) {
		return nil, until, nil
	}
	return lost, until, h.later(err)
}

// CloneURL implements sweep.Hub.
func (h *hub) CloneURL(ctx context.Context, name string) (url, budget string, err error) {
	url, budget, err = h.lister.CloneURL(ctx, name)
	return url, budget, h.later(err)
}

// WebURL implements sweep.Hub.
func (h *hub) WebURL(name string) string { return h.lister.WebURL(name) }

package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// Kinds of Texts, in the order in which they are read.
const (
	Issues      = "issues"      // and the comments on them
	Pulls       = "pulls"       // pull requests, the comments on them and on their changes
	Releases    = "releases"    // their texts, and their files of up to a MiB
	Actions     = "actions"     // logs and artifacts of the last runs
	Discussions = "discussions" // the comments on them, and replies
)

// Gists do not belong to a repository but to a person: Lister.Gists lists them.
const Gists = "gists"

// Includable returns all that may be read besides git: the kinds of Texts, and Gists.
func Includable() []string {
	return []string{Issues, Pulls, Discussions, Releases, Actions, Gists}
}

// CheckInclude returns an error for the flag --include if a kind is not among Includable.
func CheckInclude(kinds []string) error {
	for _, kind := range kinds {
		if !slices.Contains(Includable(), kind) {
			return fmt.Errorf("--include %s: it is some of %s", kind, strings.Join(Includable(), ", "))
		}
	}
	return nil
}

// Texts is a scanner.Source of the texts that GitHub keeps beside one repository, outside
// of git. An edited text has its current version only.
//
// A text that GitHub does not give, because rights are missing or it took too long, is
// yielded with Err. It is no failure that a repository has no issues, or no discussions. A
// RateLimited ends the reading, and Blobs returns it.
type Texts struct {
	// MaxSize is the largest file, log or artifact in bytes that is held in memory. A
	// larger one is yielded with Err. 0 is no limit.
	MaxSize int64

	lister    *Lister
	repo      string
	kinds     []string
	since     time.Time
	next      time.Time
	locations map[finding.BlobID]finding.Location
}

// Texts returns the texts of some kinds beside a repository that changed since then; all
// if since is zero. Discussions, and the texts of releases, are read as a whole each
// time.
func (l *Lister) Texts(repo string, kinds []string, since time.Time) (*Texts, error) {
	if !fullName().MatchString(repo) {
		return nil, fmt.Errorf("%q is not a repository of the form owner/name", repo)
	}
	for _, k := range kinds {
		if !slices.Contains([]string{Issues, Pulls, Releases, Actions, Discussions}, k) {
			return nil, fmt.Errorf("%q is nothing that GitHub keeps beside a repository", k)
		}
	}
	return &Texts{lister: l, repo: repo, kinds: kinds, since: since, next: since}, nil
}

// Next returns the time from which the next Texts of the same kinds has to read, by the
// clock of GitHub. It does not change until Blobs has read everything.
func (t *Texts) Next() time.Time { return t.next }

// A text is one of Texts.
type text struct {
	kind        finding.Kind
	id          string // unique within the repository
	url, author string
	at          time.Time
	edited      time.Time // the last time
	title, body string
	file        []byte // in place of them
	err         error
}

// A textReader is one call of Blobs.
type textReader struct {
	*Texts
	seen    map[finding.BlobID]bool
	yield   func(scanner.Blob) error
	stopped error // of yield
	unread  bool
}

// Blobs implements scanner.Source.
func (t *Texts) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	begun := time.Now()
	t.locations = map[finding.BlobID]finding.Location{}
	r := &textReader{Texts: t, seen: map[finding.BlobID]bool{}, yield: yield}
	for _, feed := range []struct {
		what  string
		kinds []string
		read  func(context.Context) error
	}{
		{"issues", []string{Issues}, r.issues},
		{"pull requests", []string{Pulls}, r.pulls},
		{"comments", []string{Issues, Pulls}, r.comments},
		{"comments on changes", []string{Pulls}, r.reviewComments},
		{"releases", []string{Releases}, r.releases},
		{"logs of workflows", []string{Actions}, r.logs},
		{"artifacts of workflows", []string{Actions}, r.artifacts},
		{"discussions", []string{Discussions}, r.discussions},
	} {
		if !slices.ContainsFunc(feed.kinds, r.wants) {
			continue
		}
		err := feed.read(ctx)
		if stop := errors.Join(r.stopped, ctx.Err()); stop != nil {
			return stop
		}
		if limited := new(RateLimited); errors.As(err, &limited) { // all that follows would be refused as well
			return err
		}
		if err != nil && !switchedOff(err) {
			r.unread = true
			b := scanner.Blob{ID: finding.BlobID(feed.what), Kind: finding.KindComment, Name: feed.what, Err: err}
			if err := yield(b); err != nil {
				return err
			}
		}
	}
	if !r.unread {
		// A minute for changes that GitHub shows late.
		t.next = t.lister.transport.now().Add(-time.Since(begun) - time.Minute)
	}
	return ctx.Err()
}

func (r *textReader) wants(kind string) bool { return slices.Contains(r.kinds, kind) }

// add yields one, if it was not yielded before.
func (r *textReader) add(one text) error {
	// Lists overlap, and one may be edited between two pages.
	id := finding.BlobID(one.id)
	if !one.edited.IsZero() {
		id += finding.BlobID("@" + one.edited.UTC().Format(time.RFC3339))
	}
	if r.seen[id] {
		return nil
	}
	r.seen[id] = true
	one.url = cmp.Or(one.url, r.lister.WebURL(r.repo)+"/"+one.id)
	b := scanner.Blob{ID: id, Kind: one.kind, Name: one.url, Data: one.file, Err: one.err}
	switch {
	case one.err != nil:
		// A file that is too large now will be too large the next time.
		r.unread, b.Data = r.unread || !errors.Is(one.err, errTooLarge), nil
	case one.file == nil:
		b.Data = []byte(strings.TrimPrefix(one.title+"\n\n"+one.body, "\n\n"))
	}
	r.locations[id] = finding.Location{Repo: r.lister.WebURL(r.repo), Kind: one.kind, Path: one.url, Author: one.author, Time: one.at}
	r.stopped = r.yield(b)
	return r.stopped
}

// Locate implements scanner.Source, for texts that Blobs has yielded.
func (t *Texts) Locate(ctx context.Context, ids []finding.BlobID, yield func(finding.BlobID, finding.Location) error) error {
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return err
		}
		if at, ok := t.locations[id]; ok {
			if err := yield(id, at); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

package github

import (
	"cmp"
	"context"
	"encoding/json"
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
	// Batch says that the texts of all repositories of an owner are read, the latest push
	// first. Then one request tells of a hundred repositories whether there is anything new.
	Batch bool

	lister    *Lister
	repo      string
	kinds     []string
	from      string // a cursor
	next      textCursor
	complete  bool // the next Texts has nothing to read but news
	locations map[finding.BlobID]finding.Location
}

// Texts returns the texts of some kinds beside a repository that changed since a cursor;
// all if cursor is "". Discussions are read as a whole each time, and so are the texts of
// releases if the list of releases has changed.
func (l *Lister) Texts(repo string, kinds []string, cursor string) (*Texts, error) {
	if !fullName().MatchString(repo) {
		return nil, fmt.Errorf("%q is not a repository of the form owner/name", repo)
	}
	for _, k := range kinds {
		if !slices.Contains([]string{Issues, Pulls, Releases, Actions, Discussions}, k) {
			return nil, fmt.Errorf("%q is nothing that GitHub keeps beside a repository", k)
		}
	}
	if _, _, err := parseTextCursor(cursor); err != nil {
		return nil, fmt.Errorf("%s: %w", repo, err)
	}
	return &Texts{lister: l, repo: repo, kinds: kinds, from: cursor}, nil
}

// Next returns, after Blobs, the cursor for the next Texts of the same repository. If Blobs was cut off
// by a limit, the next Texts goes on from there: the texts that were yielded before are
// read no more, so their findings have to be stored with the cursor. complete reports
// whether the next Texts has nothing to read but news.
func (t *Texts) Next() (cursor string, complete bool) {
	text, err := json.Marshal(t.next)
	if err != nil { // a time before the year 0 or after 9999, which no server says
		return "", false
	}
	return string(text), t.complete
}

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
}

// A textList is a list of GitHub that has texts of some kinds.
type textList struct {
	what  string
	kinds []string
	// signalled says that a new text shows in the signal of the repository.
	signalled bool
	read      func(context.Context, *feed) error
}

// lists returns the lists that have texts of the kinds that t wants, each with those kinds
// alone, in the order in which they are read.
func (t *Texts) lists() (wanted []textList) {
	for _, list := range []textList{
		{"issues", []string{Issues}, true, issues},
		{"pull requests", []string{Pulls}, true, pulls},
		{"comments", []string{Issues, Pulls}, true, comments},
		{"comments on changes", []string{Pulls}, true, reviewComments},
		{"releases", []string{Releases}, true, releases},
		{"logs of workflows", []string{Actions}, false, logs},
		{"artifacts of workflows", []string{Actions}, false, artifacts},
		{"discussions", []string{Discussions}, true, discussions},
	} {
		list.kinds = slices.DeleteFunc(list.kinds, func(kind string) bool { return !t.wants(kind) })
		if len(list.kinds) > 0 {
			wanted = append(wanted, list)
		}
	}
	return wanted
}

// name returns the name of the list in a cursor. With other kinds it is another one: then
// it has to be read from the beginning.
func (l textList) name() string { return l.what + " of " + strings.Join(l.kinds, ",") }

// Blobs implements scanner.Source.
func (t *Texts) Blobs(ctx context.Context, yield func(scanner.Blob) error) error {
	t.locations, t.complete = map[finding.BlobID]finding.Location{}, false
	r := &textReader{Texts: t, seen: map[finding.BlobID]bool{}, yield: yield}
	begun := t.lister.transport.Now().UTC()
	from, since, err := parseTextCursor(t.from)
	if err != nil {
		return err
	}
	lists := t.lists()
	signal, unchanged, err := t.signal(ctx, from)
	if err != nil {
		t.next = from
		return err
	}
	t.next = textCursor{}
	for _, list := range lists {
		t.next[list.name()] = cmp.Or(from[list.name()], &feedCursor{Since: since})
	}
	for _, list := range lists {
		f := r.feed(list.name())
		if f.Done || unchanged && t.covers(list) {
			continue
		}
		err := list.read(ctx, f)
		if stop := errors.Join(r.stopped, ctx.Err()); stop != nil {
			return stop
		}
		if limited := new(RateLimited); errors.As(err, &limited) { // all that follows would be refused as well
			return err
		}
		switch {
		case err == nil:
			f.end()
		case switchedOff(err):
			f.Done = true
		default:
			f.Done, f.Again = true, true
			b := scanner.Blob{ID: finding.BlobID(list.what), Kind: finding.KindComment, Name: list.what, Err: err}
			if err := yield(b); err != nil {
				return err
			}
		}
	}
	t.complete = true
	for _, f := range t.next {
		t.complete = t.complete && !f.Again
		f.Done, f.Again = false, false
	}
	if t.complete && signal != "" {
		t.next[signalName] = &feedCursor{Since: begun, ETags: []string{signal}}
		if unchanged {
			t.next[signalName].Since = from[signalName].Since
		}
	}
	return ctx.Err()
}

func (t *Texts) wants(kind string) bool { return slices.Contains(t.kinds, kind) }

// add yields one, if it was not yielded before.
func (f *feed) add(one text) error {
	// Lists overlap, and one may be edited between two pages.
	id := finding.BlobID(one.id)
	if !one.edited.IsZero() {
		id += finding.BlobID("@" + one.edited.UTC().Format(time.RFC3339))
	}
	if f.seen[id] {
		return nil
	}
	f.seen[id] = true
	one.url = cmp.Or(one.url, f.lister.WebURL(f.repo)+"/"+one.id)
	b := scanner.Blob{ID: id, Kind: one.kind, Name: one.url, Data: one.file, Err: one.err}
	switch {
	case one.err != nil:
		// A file that is too large now will be too large the next time.
		f.Pass.Missed, b.Data = f.Pass.Missed || !errors.Is(one.err, errTooLarge), nil
	case one.file == nil:
		b.Data = []byte(strings.TrimPrefix(one.title+"\n\n"+one.body, "\n\n"))
	}
	f.locations[id] = finding.Location{Repo: f.lister.WebURL(f.repo), Kind: one.kind, Path: one.url, Author: one.author, Time: one.at}
	f.stopped = f.yield(b)
	return f.stopped
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

// signalName is the name of the signal in a cursor. Its feedCursor has the signal as the
// ETag, and the time when the lists were read.
const signalName = "signal"

// signal returns the signal of the repository before its texts are read, and whether it is
// as it was when they were read last. It is "" if there is none to compare.
func (t *Texts) signal(ctx context.Context, from textCursor) (now string, unchanged bool, err error) {
	if !t.Batch {
		return "", false, nil
	}
	for _, f := range from {
		if f.Done || f.Pass != nil { // texts were read before this signal
			return "", false, nil
		}
	}
	now, err = t.lister.signals.take(ctx, t.lister.sender, t.repo)
	known := from[signalName]
	return now, now != "" && known != nil && len(known.ETags) == 1 && known.ETags[0] == now && t.lister.transport.Now().Sub(known.Since) < signalTime, err
}

// covers reports whether a signal that is as it was makes it needless to ask for a list.
// With a token that stays the same, an ETag says more, and costs nothing.
func (t *Texts) covers(list textList) bool {
	return list.signalled && (t.lister.ofApp || list.kinds[0] == Discussions)
}

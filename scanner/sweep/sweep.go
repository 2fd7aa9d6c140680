// Package sweep keeps many repositories under watch. It knows which repositories there are,
// which part of each was read, which findings they had, and the history of the findings. It
// reads only new objects.
//
//	list a target → a job for each repository that may have changed
//	  → fetch the objects that no sweep has read → scan them
//	  → findings, refs and the end of the job in one transaction
//
// A repository that was read is remembered by its tips: the ids that its refs had. A
// server sends no object that they lead to, so neither a second sweep nor a fork reads an
// object again. Tips count for one version of the detectors and rules; another one reads
// everything again.
//
// A Store keeps all that in SQLite or PostgreSQL, and never holds a secret. A Queue keeps jobs
// and hands them out (riverqueue); package engine does them, and asks a Hub (githubhub) for
// repositories. A method of Store that takes a transaction is a part of it: an error of such a
// method is to undo all of it.
package sweep

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier"
)

// A Target is an organization, a user or a repository to sweep.
type Target struct {
	Name string // owner, or owner/name
	API  string // URL of GitHub's API
	// Options select repositories and the parts of them to read. The Hub of the target
	// reads them.
	Options json.RawMessage
	// Every is how long after the beginning of a sweep the next one begins, 0 for never.
	Every time.Duration
	Added time.Time
	// Begun and Ended are times of the last sweep; Ended is before Begun while it runs.
	// Full is the last time that all repositories were listed and looked at.
	Begun, Ended, Full time.Time
	Asked              time.Time // when it was to be listed last
	Sweep              int64     // number of the last sweep, counted from 1
	Listed             bool      // in the last sweep, to the end
	// Why is the reason why the last listing failed, or waits until Wait.
	Why  string
	Wait time.Time
}

// The states of a repository.
const (
	New        = "new"        // listed, and not read yet
	Swept      = "swept"      // new objects were read
	Unchanged  = "unchanged"  // nothing was new
	Failed     = "failed"     // it could not be read; it is tried again
	Incomplete = "incomplete" // parts of it could not be read
	Waiting    = "waiting"    // for GitHub, or for its parent to be read
	Gone       = "gone"       // GitHub lists it no more
	Skipped    = "skipped"    // left out by the filter of the target
)

// A Repository is a repository of a target, or its wiki.
type Repository struct {
	Number int64  // within the store
	ID     string // of GitHub, which stays if it is renamed: "12345", "12345.wiki"
	Target string
	Name   string // owner/name
	WebURL string // URL
	Clone  string // URL, "" for that of the Hub: of a gist, which needs no token
	// Fork reports whether the repository is a fork; Parent is the name of its parent, ""
	// if that is not known yet.
	Fork              bool
	Parent            string
	Archived, Private bool
	Pushed            time.Time // the last push, as listed
	State, Why        string
	At                time.Time // of State
	// Detector is the version of the detector that has read it; Refs are the refs at that
	// time, the names of branches and tags as hashes.
	Detector string
	Refs     map[string]string
	Looked   time.Time // Pushed, as it was when it was read last
	Activity time.Time // until when activity was read, by the clock of the host; zero: none was
	Texts    string    // until where texts beside it were read
	Objects  int64     // read when it was looked at last
	Fetched  int64     // bytes, then
	Sweep    int64     // number of the last sweep of the target that has read it or failed to
	// Unread says why a part of it was not read, "" for none. It stays while the repository
	// fails or waits, until everything is read again: git objects that were passed over are
	// not fetched a second time.
	Unread string
	// Doubt says that the host is asked about the repository itself before it is read. Told
	// counts the news of it that no scan has read.
	Doubt    bool
	Told     int64
	Accepted Acceptance
}

// A Listed is a repository as its host lists it.
type Listed struct {
	ID, Name                         string
	Fork, Archived, Private, HasWiki bool
	Pushed                           time.Time
	Skip                             string // why it is left out, or ""
	// WebURL shows it and Clone is the URL to fetch from, unless these follow from Name.
	WebURL, Clone string
}

// A ListPage is a page of a list of a host. Kept is what its Hub has to be told of it the
// next time, nil if that stays as it is.
type ListPage struct {
	Listed []Listed
	URL    string // of the page
	Kept   []byte
}

// A KnownPage returns the last ListPage.Kept of the page at a URL, nil if there is none.
type KnownPage func(ctx context.Context, url string) (kept []byte, err error)

// A Hub is where the repositories of a target are. Its methods may be called
// concurrently. An error that is or wraps a *Later says when to ask again. Once a host has
// told one worker until when it answers no more requests, no Hub asks before that.
type Hub interface {
	// Repositories calls yield with repositories of target, the one with the latest push
	// first, until there are no more or yield wants no more. A page that is known costs less.
	Repositories(ctx context.Context, target string, known KnownPage, yield func(ListPage) (more bool, err error)) error
	// Count returns how many repositories target has, -1 if the host does not say.
	Count(ctx context.Context, target string) (int, error)
	// Repository looks up one repository of target by the name that it had, for a second look
	// before it is taken for gone. The error is or wraps ErrNotThere if there is none with
	// the id any more, or target has it no more.
	Repository(ctx context.Context, target, name, id string) (Listed, error)
	// Gists calls yield with gists. They are listed less often.
	Gists(ctx context.Context, target string, known KnownPage, yield func(ListPage) error) error
	// Texts returns the texts beside a repository that changed since a cursor, or all texts
	// if the cursor is "". It is nil if there is nothing to read. batch says that all
	// repositories are read, in the order in which they were listed, and none because of news.
	Texts(ctx context.Context, name, cursor string, batch bool) (Texts, error)
	// TextsAgain returns texts that Texts has yielded before, by their ids.
	TextsAgain(ctx context.Context, name string, ids []finding.BlobID) (scanner.Source, error)
	// Parent returns the name of the parent of a fork.
	Parent(ctx context.Context, name string) (string, error)
	// LostCommits returns the ids of commits that branches of a repository have left
	// behind since then, by a name that tells how; all that the host knows if since is zero.
	// The next call has to ask from until. Both times are by the clock of the host.
	LostCommits(ctx context.Context, name string, since time.Time) (lost map[string]string, until time.Time, err error)
	// TellsLost reports whether LostCommits may return any.
	TellsLost() bool
	// CloneURL returns the URL to fetch from; it holds a token. budget names the limit that
	// fetches with this token count against, and holds no secret. While the store says that
	// it is spent, CloneURL returns another one, or a *Later.
	CloneURL(ctx context.Context, name string) (url, budget string, err error)
	// WebURL returns the URL where people look at a repository.
	WebURL(name string) string
}

// Texts are texts beside a repository.
type Texts interface {
	scanner.Source
	// Limit returns until when a limit holds that has cut Blobs off, or nil if it came to
	// its end.
	Limit() *Later
	// Next returns the cursor for what Blobs has not yielded. complete reports whether that
	// is news alone: nothing has failed, and nothing was cut off.
	Next() (cursor string, complete bool)
}

// A Result is the outcome of a scan of one source.
type Result struct {
	Findings []finding.Finding // of which no secret is kept
	Objects  int64
	Unread   []finding.Unread
}

// A Job is a unit of work in a Queue.
type Job struct {
	Kind   string
	Target string
	Number int64 // of the repository
	Sweep  int64
	Full   bool // of a list: look at all repositories, whether they changed or not
	// Again marks a job that an equal one puts as it ends, since there is news. It is kept unless
	// there is a third one.
	Again bool
	// Rank is the order of the jobs of one kind that wait.
	Rank Rank
}

// A Rank says how urgent a job is: jobs of a lower rank are begun first.
type Rank int

// The ranks of jobs.
const (
	RankPush Rank = iota // somebody has pushed to a repository that was read before; all that is no scan
	RankNew              // the repository was never read
	RankLook             // nothing is known to have changed: the daily look, or an update of the detectors
	RankFork             // its parent comes first
)

// MaxDeaths is how many workers in a row may die while they read a repository, before it is
// set aside.
const MaxDeaths = 4

// A Change is news of a finding.
type Change struct {
	Fingerprint string
	// Before and After are the states. Before is "" if the finding is new, or if it counts from
	// now on, since no rule ignores it any more.
	Before, After verifier.State
	At            time.Time
}

// An Observer is told of each Change as part of the transaction that stores it. If it
// returns an error, nothing is stored.
type Observer func(ctx context.Context, tx *sql.Tx, c Change) error

// ErrNotThere says that a host has no such repository, or does not show it.
var ErrNotThere = errors.New("there is no such repository, or not for this token")

// The kinds of jobs.
const (
	KindList   = "list"   // lists a target
	KindScan   = "scan"   // reads new objects of a repository
	KindLost   = "lost"   // reads commits that its branches had left behind before it was read first
	KindVerify = "verify" // asks again about the open findings of a repository
	KindNotify = "notify" // tells a receiver, whose name is the job's Target, what is new
)

// A Queue keeps jobs until they are done, across crashes. It keeps one of several equal
// jobs.
type Queue interface {
	// Put puts jobs into the queue, as part of tx.
	Put(ctx context.Context, tx *sql.Tx, jobs []Job) error
}

// A Done ends a job, as part of the transaction that holds its results.
type Done func(ctx context.Context, tx *sql.Tx) error

// Later says when to run a job again; the job has not failed.
type Later struct {
	At  time.Time
	Why string
}

func (l *Later) Error() string {
	return "waiting until " + l.At.UTC().Format(time.RFC3339) + ": " + l.Why
}

// Final says that a job has failed, and another try will not help.
type Final struct{ Err error }

func (f *Final) Error() string { return f.Err.Error() }
func (f *Final) Unwrap() error { return f.Err }

// ErrTaken is returned for a job that has lost the lease of its repository to another
// job. Its results do not count.
var ErrTaken = errors.New("the repository was given to another worker")

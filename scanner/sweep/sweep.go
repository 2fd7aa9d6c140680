// Package sweep looks after many repositories for a long time: which there are, what of
// each was read, what was found in them and what became of it. It pays for what is new
// only.
//
//	list a target → a job for each repository that may have changed
//	  → fetch what no sweep has read → scan it → findings, refs and the end of the job
//	    in one transaction
//
// What was read is kept as the tips that it is the closure of: the ids that the refs of
// a repository had. A server sends nothing that they lead to, so that neither a second
// sweep nor a fork of a repository reads an object again. They count for one version of
// the detectors and rules; another one reads all again.
//
// A Store keeps it in SQLite or PostgreSQL, and never holds a secret. A Queue runs the
// jobs (riverqueue). An Engine is what they do. A job may be killed at any moment, and
// run again by another process: what it does counts only with its last transaction,
// which fails if the repository has been given to another job in the meantime.
package sweep

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// A Target is what is swept: an organization, a user or a repository.
type Target struct {
	Name string // owner, or owner/name
	API  string // URL of GitHub's API
	// Options say which of its repositories count, and what of them is read: a matter of
	// who makes the Hub of the target.
	Options json.RawMessage
	// Every is how long after the beginning of a sweep the next one begins, 0 for never.
	Every time.Duration
	Added time.Time
	// Begun and Ended are of the last sweep; Ended is before Begun while it runs. Full is
	// the last time that all repositories were listed and looked at.
	Begun, Ended, Full time.Time
	Asked              time.Time // when it was to be listed last
	Sweep              int64     // number of the last sweep, counted from 1
	// Why is what the last listing failed with or waits for, until Wait.
	Why  string
	Wait time.Time
}

// The states of a repository.
const (
	New        = "new"        // listed, and not read yet
	Swept      = "swept"      // what was new has been read
	Unchanged  = "unchanged"  // nothing was new
	Failed     = "failed"     // it could not be read; it is tried again
	Incomplete = "incomplete" // parts of it could not be read
	Waiting    = "waiting"    // for GitHub, or for what it is a fork of
	Gone       = "gone"       // GitHub lists it no more
	Skipped    = "skipped"    // left out by the filter of the target
)

// A Repository is one of a target, or its wiki.
type Repository struct {
	Number int64  // within the store
	ID     string // of GitHub, which stays if it is renamed: "12345", "12345.wiki"
	Target string
	Name   string // owner/name
	WebURL string // URL
	Clone  string // URL, "" for that of the Hub: of a gist, which needs no token
	// Fork says that it is one; Parent is what of, "" if that is not known yet.
	Fork              bool
	Parent            string
	Archived, Private bool
	Pushed            time.Time // the last push, as listed
	State, Why        string
	At                time.Time // of State
	// Detector is the version of what has read it; Refs are what it had then, the names of
	// branches and tags as hashes.
	Detector string
	Refs     map[string]string
	Looked   time.Time // Pushed, as it was when it was read last
	Activity time.Time // until when activity was read
	Texts    string    // until where texts beside it were read
	Objects  int64     // read when it was looked at last
	Fetched  int64     // bytes, then
}

// A Listed is a repository as its host lists it.
type Listed struct {
	ID, Name                         string
	Fork, Archived, Private, HasWiki bool
	Pushed                           time.Time
	Skip                             string // why it is left out, or ""
	// WebURL and Clone are where it is shown and fetched from, if its Name does not say it.
	WebURL, Clone string
}

// A Hub is where the repositories of a target are. Its methods may be called
// concurrently. An error that is or wraps a *Later says when to ask again.
type Hub interface {
	// Repositories calls yield with what target has, most recently pushed first, until there is
	// no more or yield wants no more.
	Repositories(ctx context.Context, target string, yield func([]Listed) (more bool, err error)) error
	// Gists calls yield with what Pages leaves out: gists. It is asked for less often.
	Gists(ctx context.Context, target string, yield func([]Listed) error) error
	// Texts returns what is kept beside a repository and was changed since a cursor, all if
	// that is ""; and, once that was read, the next cursor. It returns nil if that is
	// nothing.
	Texts(ctx context.Context, name, cursor string) (texts scanner.Source, next func() string, err error)
	// Parent returns the name of what a fork is a fork of.
	Parent(ctx context.Context, name string) (string, error)
	// LostCommits returns the commits that refs of a repository led to and were made not to since
	// then, by id; the names say what happened.
	LostCommits(ctx context.Context, name string, since time.Time) (map[string]string, error)
	// CloneURL is what git fetches from; it holds a token.
	CloneURL(ctx context.Context, name string) (string, error)
	// Budget names what its requests are counted against: the same for all Hubs with the
	// same token. It holds no secret.
	Budget() string
	// WebURL is where a person looks at a repository.
	WebURL(name string) string
}

// A Result is what the scan of one source gave.
type Result struct {
	Findings []finding.Finding // of which no secret is kept
	Objects  int64
	Unread   []finding.Unread
}

// A Job is what a Queue runs.
type Job struct {
	Kind   string
	Target string
	Number int64 // of the repository
	Sweep  int64
	Full   bool // of a list: look at all repositories, whether they changed or not
	// Late orders the jobs: those that are not late come first.
	Late bool
}

// The kinds of jobs.
const (
	KindList   = "list"   // lists a target
	KindScan   = "scan"   // reads what is new in a repository
	KindVerify = "verify" // asks again about the open findings of a repository
)

// A Queue keeps jobs until they are done, across crashes. Of the same job, only one is
// kept.
type Queue interface {
	// Put puts jobs into the queue, as part of tx.
	Put(ctx context.Context, tx *sql.Tx, jobs []Job) error
}

// Later says that a job is to be run again at a time; it has not failed.
type Later struct {
	At  time.Time
	Why string
}

func (l *Later) Error() string {
	return "waiting until " + l.At.UTC().Format(time.RFC3339) + ": " + l.Why
}

// Final says that a job has failed, and that trying again will not help.
type Final struct{ Err error }

func (f *Final) Error() string { return f.Err.Error() }
func (f *Final) Unwrap() error { return f.Err }

// ErrTaken is returned for a job whose repository another job has been given: what it
// did does not count.
var ErrTaken = errors.New("the repository was given to another worker")

// Package ci works out which commits a run of CI is about, from the variables and files of
// the service: the webhook payload of GitHub Actions, the variables of GitLab CI. Its event
// names commits; it reads no repository, and scanner/ci/checkout finds them.
//
// A payload also lists commits. The lists are never used: GitHub cuts them off (at 2,048
// for a push, at 20 in its events API), and leaves them empty for a new tag or a merged
// branch.
//
// It is public for the commands of stanch, and no contract.
package ci

import (
	"errors"
	"strings"
)

// A Kind says which part of a repository an event is about.
type Kind string

const (
	// Commits are the commits that Head leads to and Base does not.
	Commits Kind = "commits"
	// Everything is all branches and tags, as for a schedule.
	Everything Kind = "everything"
	// Nothing says that there is nothing to scan: a ref was deleted.
	Nothing Kind = "nothing"
)

// An Event says why CI runs. Its ids are full object ids, in lower case.
type Event struct {
	Service string // GitHub Actions, GitLab CI, or "" for revisions that the user names
	Name    string // as the service calls it: push, pull_request, merge_group …
	Kind    Kind
	// Head is the commit or annotated tag to scan: an id, or any revision if the user
	// named it.
	Head string
	// Base is the commit that the ref led to before: "" for a new ref.
	Base string
	// HeadRefs are refs that lead to Head, for servers that do not send commits by id.
	HeadRefs []string
	// Ref is the full name of the ref that was pushed, "" without a push.
	Ref string
	// DefaultBranch is its short name, "" if unknown.
	DefaultBranch string
	// Commits is how many commits the service counts, 0 if unknown: a hint at how
	// much history to fetch.
	Commits int
	// PullRequest is the number of the pull request, 0 without one. Fork says that it comes
	// from another repository: its author may have no right to write to this one.
	PullRequest int
	Fork        bool
	// Public says that everybody can read the log, or that nothing shows the contrary.
	Public bool
	// Visibility is the visibility of the repository in the words of the service: public,
	// private, internal; "" if the service does not say.
	Visibility string
	// Trusted is the commit from which configuration and ignore files are read, "" for the
	// work tree. A pull request cannot change its own scan: its reviewers decide first.
	Trusted string
}

// ErrPayload says that an event lacks a field that its name promises. Nothing was scanned.
var ErrPayload = errors.New("the event cannot be understood")

// Given returns the event of a user who names two revisions: the commits that lead to head
// and not to base, which may be "". From e, the event of the service, it keeps who may read
// the log and which files are trusted. The zero Event belongs to no service.
func (e Event) Given(base, head string) Event {
	return Event{Name: "range", Kind: Commits, Head: head, Base: base, Public: e.Public || e.Service == "", Visibility: e.Visibility, Trusted: e.Trusted}
}

// Whole returns the event of a user who scans the whole repository.
func (e Event) Whole() Event {
	return Event{Service: e.Service, Name: "scan of the history", Kind: Everything, Public: e.Public || e.Service == "", Visibility: e.Visibility, Trusted: e.Trusted}
}

// Find returns the event of the service in whose job this process runs; the zero Event if it
// knows no such service.
func Find(env Env) (Event, error) {
	switch {
	case env("GITHUB_ACTIONS") == "true":
		return GitHub(env)
	case env("GITLAB_CI") != "":
		return GitLab(env)
	}
	return Event{}, nil
}

// Env returns the value of an environment variable, "" if it is not set: os.Getenv.
type Env func(name string) string

// isObjectID reports whether id has the form of an object id, of SHA-1 or SHA-256. It uses
// no regexp: one with a repetition of 64 takes longer to compile than a hook has to start.
func isObjectID(id string) bool {
	return (len(id) == 40 || len(id) == 64) && strings.Trim(id, "0123456789abcdef") == ""
}

// none reports whether id stands for no object: it is empty or all zeros.
func none(id string) bool { return id == "" || strings.Trim(id, "0") == "" }

// isBranch reports whether branch was pushed.
func (e *Event) isBranch(branch string) bool { return branch != "" && e.Ref == "refs/heads/"+branch }

// OnDefaultBranch reports whether the default branch was pushed.
func (e *Event) OnDefaultBranch() bool { return e.isBranch(e.DefaultBranch) }

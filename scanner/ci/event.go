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

// A Kind is how much of a repository an event is about.
type Kind string

const (
	// Commits are those that Head leads to and Base does not.
	Commits Kind = "commits"
	// Everything is all branches and tags.
	Everything Kind = "everything"
	// Nothing is what a deleted ref brings.
	Nothing Kind = "nothing"
)

// An Event is what made CI run. Ids are full object ids, in lower case.
type Event struct {
	Service string // GitHub Actions, GitLab CI, or "" for revisions of the user
	Name    string // as the service calls it: push, pull_request, merge_group …
	Kind    Kind
	// Head is what is to be scanned: the id of a commit or of an annotated tag, or
	// any revision if the user named it.
	Head string
	// Base is what was there before: "" for a ref that is new.
	Base string
	// HeadRefs are names by which the server may know Head, if it gives out no ids.
	HeadRefs []string
	// Ref is the full name of the ref that was pushed, "" if none was.
	Ref string
	// DefaultBranch is its short name, "" if unknown.
	DefaultBranch string
	// Commits is how many commits the service counts, 0 if unknown: a hint at how
	// much history to fetch.
	Commits int
	// PullRequest is its number, 0 if it is none. Fork says that its author may have
	// no right to write to the repository.
	PullRequest int
	Fork        bool
	// Public says that everybody can read the log, as far as anybody knows.
	Public bool
	// Visibility is that of the repository, in the words of the service: public,
	// private, internal; "" if it does not say.
	Visibility string
	// Trusted is the commit that configuration and ignore files are to be read from:
	// what a pull request says about them is for its reviewers, not for its own scan.
	// It is "" if those of the work tree count.
	Trusted string
}

// ErrPayload says that an event lacks what its name promises: nothing can be
// scanned, and nothing was.
var ErrPayload = errors.New("the event cannot be understood")

// Given is the event of a user who names two revisions. Without base all is meant
// that leads to head. Of what the service says, e, it keeps who may read the log and
// whom to trust; the zero Event is that of no service.
func (e Event) Given(base, head string) Event {
	return Event{Name: "range", Kind: Commits, Head: head, Base: base, Public: e.Public || e.Service == "", Visibility: e.Visibility, Trusted: e.Trusted}
}

// Whole is the event of a user who wants all of the repository scanned.
func (e Event) Whole() Event {
	return Event{Service: e.Service, Name: "scan of the history", Kind: Everything, Public: e.Public || e.Service == "", Visibility: e.Visibility, Trusted: e.Trusted}
}

// Env returns the value of an environment variable, "" if it is not set: os.Getenv.
type Env func(name string) string

// isObjectID reports whether id is that of an object, of SHA-1 or of SHA-256. It is not
// a regexp: to repeat 64 times takes longer to compile than a hook has to start.
func isObjectID(id string) bool {
	return (len(id) == 40 || len(id) == 64) && strings.Trim(id, "0123456789abcdef") == ""
}

// none reports whether id stands for no object.
func none(id string) bool { return id == "" || strings.Trim(id, "0") == "" }

// isBranch reports whether a full ref name is that of branch.
func (e *Event) isBranch(branch string) bool { return branch != "" && e.Ref == "refs/heads/"+branch }

// OnDefaultBranch reports whether the default branch was pushed.
func (e *Event) OnDefaultBranch() bool { return e.isBranch(e.DefaultBranch) }

package scanner

import (
	"context"
	"time"
)

// A BlobID names one content within a source: the hex object id in a git
// repository, the path in a directory.
type BlobID string

// Kind says what a text is, for people and for the JSON field "kind".
type Kind string

// The kinds of text that sources yield.
const (
	KindBlob     Kind = "blob"           // the content of a file
	KindCommit   Kind = "commit-message" // a commit object, headers included
	KindTag      Kind = "tag-message"    // an annotated tag object, headers included
	KindNote     Kind = "note"           // a git note
	KindRefName  Kind = "ref-name"       // the name of a branch or tag
	KindPath     Kind = "path"           // the names in a directory
	KindConfig   Kind = "config"         // configuration of a git repository
	KindReflog   Kind = "reflog"         // a log of where a ref was, and what was fetched
	KindIndex    Kind = "index"          // a file that was staged and in no commit
	KindWorktree Kind = "worktree"       // a tracked file that was changed and not staged

	// What GitHub keeps beside a repository. Path is the URL where people look at it.
	KindIssue       Kind = "issue"        // title and text
	KindPullRequest Kind = "pull-request" // title and text
	KindComment     Kind = "comment"      // on an issue, a pull request, or its changes
	KindDiscussion  Kind = "discussion"   // a discussion, a comment on it, or a reply
	KindRelease     Kind = "release"      // its text, or one of its files
	KindActionsLog  Kind = "actions-log"  // of a run of a workflow
	KindArtifact    Kind = "artifact"     // that a run of a workflow left
)

// A Blob is one text to scan.
type Blob struct {
	ID   BlobID
	Kind Kind
	// Name is what to call the blob before it is located: a path, an object id.
	Name string
	// Data is valid only until yield returns.
	Data []byte
	// Window is set if Data is a part of a text that is too large to be held.
	Window *Window
	// New reports whether some of Data[from:to] is new. What stands in Data and is
	// not is no hit. It is nil if all is new, and valid until yield returns.
	New func(from, to int) bool
	// Err is set, and Data empty, if the text is known to exist and could not
	// be read. The scan goes on and is reported as incomplete.
	Err error
}

// A Window says which part of a text a Blob holds. The windows of a text come in
// order, overlap, and have the same ID.
type Window struct {
	Offset       int64 // of its first byte
	Line, Column int   // of its first byte, counted from 0; columns in code points
	// What begins in the first Lead bytes of Data, or in the last Tail, is whole in
	// the window before or after, and is left to that.
	Lead, Tail int
}

// A Provenance is one place that a blob is stored in.
type Provenance struct {
	// Repo is where people look at the repository, if several are scanned as one.
	Repo string
	Kind Kind
	Path string
	// Commit is the first commit, in topological order, that holds the blob at
	// Path; empty outside of git. Author, Email and Time are of that commit.
	Commit, Author, Email string
	Time                  time.Time
	// AtHead reports whether the blob is still at Path in HEAD.
	AtHead bool
	// Refs are branches and tags that Commit is part of, a few of them, the
	// nearest to a person first; MoreRefs is how many others there are.
	Refs     []string
	MoreRefs int
	// Unreachable is "" if a ref leads to the blob. Else it says what does, as
	// "reflog HEAD@{2}" or "dangling commit", or that nothing does.
	Unreachable string
}

// A Source is something that holds text: a repository, a directory, a stream.
type Source interface {
	// Blobs calls yield once for each BlobID, which is one distinct content in a
	// repository and one file in a directory. It may call yield from
	// several goroutines at once. It stops at the first error that yield
	// returns, or that keeps it from going on at all, and returns it. What
	// cannot be read on the way is yielded with Err set.
	Blobs(ctx context.Context, yield func(Blob) error) error
	// Locate calls yield for each place that one of ids is stored in, one call
	// at a time; of an id with more than a thousand places, a thousand will do.
	// The scanner calls it after Blobs, and only for what matched: attribution
	// costs a history walk that most scans never need. What cannot be read on
	// the way does not stop it: Locate goes on and says so in its error.
	Locate(ctx context.Context, ids []BlobID, yield func(BlobID, Provenance) error) error
}

// A Prefilter tells texts that may match from those that cannot, from parts of
// them. It judges in two steps: Hints is fast and looks at little, Holds is false
// of more and looks farther.
type Prefilter struct {
	// Hints and Holds report whether text may hold a match; a text of which either
	// is false holds none. Each is true of a text if it is true of one of the parts
	// of it that have HintSpan or HoldSpan bytes, and false if it is false of all.
	Hints, Holds       func(text []byte) bool
	HintSpan, HoldSpan int
	// Whole reports, from its first bytes, HeadSize of them if there are as many,
	// whether a text must be seen whatever they say.
	Whole    func(head []byte) bool
	HeadSize int
	// Passed counts texts that were left out, and their bytes. It is called
	// concurrently.
	Passed func(objects, bytes int64)
}

// A Sifter is a Source that can leave out texts that cannot match, and so need not
// even put them together.
type Sifter interface {
	Source
	// Sift does what Blobs does, but for texts of which both p.Holds and p.Whole
	// are false it may call p.Passed instead of yield.
	Sift(ctx context.Context, p Prefilter, yield func(Blob) error) error
}

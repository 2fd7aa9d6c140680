package finding

import (
	"time"

	"github.com/stanch-dev/stanch/detectors"
)

// A BlobID names one content within a source: the hex object id in a git
// repository, the path in a directory.
type BlobID string

// A Kind is the kind of a text, for people and for the JSON field "kind".
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
	KindReflog   Kind = "reflog"         // a log of where a ref was, or of fetches
	KindIndex    Kind = "index"          // a file that was staged and in no commit
	KindWorktree Kind = "worktree"       // a tracked file that was changed and not staged

	// Texts that GitHub keeps beside a repository. Path is the URL where people look at it.
	KindIssue       Kind = "issue"        // title and text
	KindPullRequest Kind = "pull-request" // title and text
	KindComment     Kind = "comment"      // on an issue, a pull request, or its changes
	KindDiscussion  Kind = "discussion"   // a discussion, a comment on it, or a reply
	KindRelease     Kind = "release"      // its text, or one of its files
	KindActionsLog  Kind = "actions-log"  // of a run of a workflow
	KindArtifact    Kind = "artifact"     // that a run of a workflow left
)

// A Location is one place of a text, or of a credential in it. A source sets the fields
// about the text. The scanner adds the fields about the credential: Part, the lines and the
// columns. Lines and columns are 1-based, columns count Unicode code points, and EndColumn
// is the one after the last.
type Location struct {
	Kind Kind `json:"kind"`
	// Repo is where people look at the repository, if several are scanned as one. In the
	// report of a git scan it is the target, so that a line on its own, in a log or behind
	// jq, still says where.
	Repo string `json:"repo,omitempty"`
	Path string `json:"path,omitempty"`
	// Part is the only part of a credential with an id that stands here, PartSecret or
	// PartToken; "" if the id does. Line and columns then locate the part.
	Part      string `json:"part,omitempty"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	EndColumn int    `json:"end_column,omitempty"`
	// SecretLine is the line of the secret, 0 if there is none. A report leaves it out if
	// it is Line.
	SecretLine int `json:"secret_line,omitempty"`
	// Commit is the first commit, in topological order, that holds the text at Path; empty
	// outside of git. Author, Email and Time come from that commit.
	Commit string    `json:"commit,omitempty"`
	Author string    `json:"author,omitempty"`
	Email  string    `json:"email,omitempty"`
	Time   time.Time `json:"time,omitzero"`
	// AtHead reports whether the text is still at Path in HEAD.
	AtHead bool `json:"at_head"`
	// Refs are full names of branches and tags that Commit is part of, a few of them, the
	// nearest to a person first; MoreRefs is how many others there are.
	Refs     []string `json:"refs,omitempty"`
	MoreRefs int      `json:"refs_omitted,omitempty"`
	// Unreachable is "" if a ref leads to the text, or if it is in no object of git. Else
	// it names the object or log that does, "reflog HEAD@{2}" or "dangling commit", or says
	// that nothing does.
	Unreachable string `json:"unreachable,omitempty"`
	Blob        BlobID `json:"blob,omitempty"`
	// Ignored is why this place does not count, or "". A finding is suppressed if none of
	// its places counts.
	Ignored string `json:"ignored,omitempty"`
	// Around is the text around the place; nil in a report, and if there is none to read.
	Around *Around `json:"-"`
}

// Around holds the lines where a comment on a credential may stand. A long line is cut to
// the part next to the credential.
type Around struct {
	// Line holds the match, and SecretLine the secret if that is on another. Before and After
	// are the lines beside Line, SecretBefore and SecretAfter those beside SecretLine.
	Before, Line, After                   detectors.Secret
	SecretBefore, SecretLine, SecretAfter detectors.Secret
	// Switches are the comments up to the match that switch secretlint off and on, a line
	// each.
	Switches detectors.Secret
}

// The parts that stand in texts without their id.
const (
	PartSecret = "secret"
	PartToken  = "token"
)

// Package hook knows the hooks of git: which stage git is in, what it is about to commit,
// push or receive there, and how a hook of stanch is installed.
//
// It is public for the commands of stanch, and no contract.
package hook

import (
	"io"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/gitsource"
)

// The stages of git that a hook can run in (githooks(5)), and manual, by hand.
const (
	PreCommit  = "pre-commit"
	PreMerge   = "pre-merge-commit"
	CommitMsg  = "commit-msg"
	PrePush    = "pre-push"
	PreReceive = "pre-receive"
	byHand     = "manual"
)

var Stages = []string{PreCommit, PreMerge, CommitMsg, PrePush, PreReceive, byHand}

// A Hook is one run in a stage of git.
type Hook struct {
	Repo     *gitsource.Repository
	Root     string // of the work tree, "" if there is none
	Stage    string // "" to find it out
	Args     []string
	Stdin    io.Reader
	NoPipe   bool // stdin is a terminal or a device: not from git, which makes a pipe
	AllFiles bool // look at all of each file, changed or not
	note     string
}

// A Subject is what a hook looks at.
type Subject struct {
	scanner.Source
	Name   string        // "what is staged"
	Looked func() string // how much was read, when the scan is over: "2 files, 12 lines"
	Note   string        // to be told to the user, or ""
}

// Skipped reports whether SKIP, a list of hook ids that pre-commit and prek know,
// holds that of the stage.
func Skipped(list, stage string) bool {
	id := "stanch"
	if stage == PrePush {
		id = "stanch-push"
	}
	return slices.Contains(strings.Split(strings.ReplaceAll(list, " ", ""), ","), id)
}

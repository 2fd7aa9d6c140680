package main

import (
	"io"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/scanner/gitsource"
)

// The stages of git that a hook can run in (githooks(5)), and manual, by hand.
const (
	preCommit  = "pre-commit"
	preMerge   = "pre-merge-commit"
	commitMsg  = "commit-msg"
	prePush    = "pre-push"
	preReceive = "pre-receive"
	byHand     = "manual"
)

var hookStages = []string{preCommit, preMerge, commitMsg, prePush, preReceive, byHand}

// A hook is one run in a stage of git.
type hook struct {
	repo     *gitsource.Repository
	root     string // of the work tree, "" if there is none
	stage    string // "" to find it out
	args     []string
	stdin    io.Reader
	noPipe   bool // stdin is a terminal or a device: not from git, which makes a pipe
	allFiles bool // look at all of each file, changed or not
	note     string
}

// A subject is what a hook looks at.
type subject struct {
	scanner.Source
	name   string        // "what is staged"
	looked func() string // how much was read, when the scan is over: "2 files, 12 lines"
	note   string        // to be told to the user, or ""
}

// skipped reports whether SKIP, a list of hook ids that pre-commit and prek know,
// holds that of the stage.
func skipped(list, stage string) bool {
	id := "stanch"
	if stage == prePush {
		id = "stanch-push"
	}
	return slices.Contains(strings.Split(strings.ReplaceAll(list, " ", ""), ","), id)
}

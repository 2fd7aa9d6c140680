// Package hook knows the hooks of git: which stage git is in, which texts it is about to
// commit, push or receive there, and how stanch's hook is installed.
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

// The stages of git that a hook runs in (githooks(5)); manual is for a run by hand.
const (
	PreCommit  = "pre-commit"
	PreMerge   = "pre-merge-commit"
	CommitMsg  = "commit-msg"
	PrePush    = "pre-push"
	PreReceive = "pre-receive"
	byHand     = "manual"
)

// Stages are all stages, for the flag --stage.
var Stages = []string{PreCommit, PreMerge, CommitMsg, PrePush, PreReceive, byHand}

// A Hook is one run in a stage of git.
type Hook struct {
	Repo     *gitsource.Repository
	Root     string // of the work tree, "" if there is none
	Stage    string // "" to let FindStage work it out
	Args     []string
	Stdin    io.Reader
	NoPipe   bool // Stdin is a terminal or a device: git gives a hook a pipe
	AllFiles bool // read whole files, changed or not
	// CountLines makes Subject.Looked tell how many lines of staged files are new, which
	// takes time: each version before has to be read.
	CountLines bool

	note string
}

// A Subject is the source that a hook scans.
type Subject struct {
	scanner.Source
	Name   string        // "the staged changes"
	Looked func() string // after the scan, how much was read: "2 files, 12 lines" (Hook.CountLines)
	Note   string        // for the user, or ""
}

// Skipped reports whether list holds the id of the stage's hook. list is the variable SKIP,
// by which users of pre-commit and prek skip hooks.
func Skipped(list, stage string) bool {
	id := "stanch"
	if stage == PrePush {
		id = "stanch-push"
	}
	return slices.Contains(strings.Split(strings.ReplaceAll(list, " ", ""), ","), id)
}

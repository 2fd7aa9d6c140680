// Package suppress hides findings that a user does not want to hear of again: comments in the
// scanned text, allowlists, ignore files of stanch and of other tools, reports of
// earlier scans. Each is a filter of the scanner.
//
// A file that cannot be read is an error, never a filter that hides nothing or all. An
// entry about a position (FILE:RULE:LINE) hides the credential that stands there in a
// version of the file, wherever its line moves in others; if the position
// names a commit, another credential on that line is new.
package suppress

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/stanch-dev/stanch/scanner/finding"
)

// Notes collects warnings about suppressions for the user: an entry that has expired, a
// line that cannot be read. It may be used concurrently: a sweep runs several scans with one
// filter.
type Notes struct {
	mu   sync.Mutex // of all below
	list []string
	said int // how many of them New has returned
}

// Add adds a note, once. A nil Notes drops it.
func (n *Notes) Add(format string, args ...any) {
	if n == nil {
		return
	}
	note := fmt.Sprintf(format, args...)
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Contains(n.list, note) {
		n.list = append(n.list, note)
	}
}

// List returns the notes in the order in which they came.
func (n *Notes) List() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.list)
}

// New returns the notes that it has not returned before.
func (n *Notes) New() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	notes := slices.Clone(n.list[n.said:])
	n.said = len(n.list)
	return notes
}

// A Namer returns the path of the file that a location is in as ignore files call
// it, relative to where they are, with slashes; "" if it is in no file.
type Namer func(*finding.Location) string

// texts returns the parts of the credential of f that lists compare: its id, its
// secret, or the value that a rule of the user found.
func texts(f *finding.Finding) []string {
	c := f.Match.Credential
	var all []string
	for _, s := range []string{c.ID, c.Secret.Reveal()} {
		if s != "" {
			all = append(all, s)
		}
	}
	return all
}

// lines returns the lines that the parts of a credential stand on at l.
func lines(l *finding.Location) []string {
	if l.Around == nil {
		return nil
	}
	all := []string{l.Around.Line.Reveal()}
	if s := l.Around.SecretLine.Reveal(); s != "" {
		all = append(all, s)
	}
	return all
}

// forOurs reports whether a rule of another tool may be about findings of stanch itself: a
// rule about AWS, or about any secret.
func forOurs(rule string) bool {
	rule = strings.ToLower(rule)
	return strings.Contains(rule, "aws") || strings.Contains(rule, "generic")
}

// isAbout reports whether a rule of another tool is about f.
func isAbout(rule string, f *finding.Finding) bool {
	return f.Match.Rule.ID == rule || !f.Match.Rule.Value && forOurs(rule)
}

package wording

import (
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// AllowCommand is the command that ignores f from now on; its reader writes the reason.
func AllowCommand(f *finding.Finding) string {
	return "stanch allow " + printable.ShellWord(f.Fingerprint()) + " --reason REASON"
}

// Allow says how to ignore f, none if it is ignored or is reported all the same since it is live.
// A comment is a way only for what is in no commit: the old text of the line has none.
func Allow(f *finding.Finding) []string {
	if f.Ignored != "" || UrgencyOf(f) <= IDActive {
		return nil
	}
	lines := []string{AllowCommand(f)}
	if f.Omitted == 0 && !slices.ContainsFunc(f.Locations, func(l finding.Location) bool { return !takesComment(&l) }) {
		lines = append(lines, "or a comment on the line: stanch:allow REASON")
	}
	return lines
}

// takesComment reports whether l is a line of a file that is in no commit yet, nor in an archive.
func takesComment(l *finding.Location) bool {
	switch l.Kind {
	case finding.KindBlob, finding.KindIndex, finding.KindWorktree, "":
		return l.Commit == "" && l.Line > 0 && !strings.Contains(l.Path, "!")
	}
	return false
}

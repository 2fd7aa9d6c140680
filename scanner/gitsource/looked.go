package gitsource

import "github.com/stanch-dev/stanch/scanner/printable"

// Looked counts the commits, files and lines that were looked at, for people: "0 files"
// tells them that there was nothing to scan.
type Looked struct {
	Commits, Files int
	// Lines counts new lines with Staged.CountLines, and all lines of files that are read as a
	// whole. It does not count lines of commits.
	Lines int
}

// String is l in words: "3 files, 41 added lines", or "2 commits, 3 files".
func (l Looked) String() string {
	if l.Commits > 0 {
		return printable.Plural(l.Commits, "commit") + ", " + printable.Plural(l.Files, "file")
	}
	return printable.Plural(l.Files, "file") + ", " + printable.Plural(l.Lines, "added line")
}

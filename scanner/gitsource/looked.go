package gitsource

import "fmt"

// Looked counts the commits, files and lines that were looked at, for people: "0 files"
// tells them that there was nothing to scan.
type Looked struct {
	Commits, Files int
	// Lines counts new lines, and all lines of files that are read as a whole. It does not
	// count lines of commits.
	Lines int
}

// String is l in words: "3 files, 41 added lines", or "2 commits, 3 files".
func (l Looked) String() string {
	count := func(n int, what string) string {
		if n != 1 {
			what += "s"
		}
		return fmt.Sprintf("%d %s", n, what)
	}
	if l.Commits > 0 {
		return count(l.Commits, "commit") + ", " + count(l.Files, "file")
	}
	return count(l.Files, "file") + ", " + count(l.Lines, "added line")
}

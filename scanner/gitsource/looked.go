package gitsource

import "fmt"

// Looked counts the commits, files and lines that were looked at, for people: "0 files" tells
// them that nothing was.
type Looked struct {
	Commits, Files int
	// Lines counts those that are new, and all lines of files that are looked at
	// as a whole. Those of commits are not counted.
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

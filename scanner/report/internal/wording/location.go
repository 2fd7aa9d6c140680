package wording

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// How many locations of a finding, and how many things that were not read, a report lists.
const (
	MaxLocations = 5
	MaxUnread    = 20
)

// FirstLocations returns the first n of list. If these lack a part of the credential, the last
// one makes way for the first location of that part: for an id and a secret from two files,
// both locations count.
func FirstLocations(list []finding.Location, n int) []finding.Location {
	if len(list) <= n {
		return list
	}
	seen := map[string]bool{}
	for _, l := range list[:n] {
		seen[l.Part] = true
	}
	for _, l := range list[n:] {
		if !seen[l.Part] {
			return append(slices.Clone(list[:n-1]), l)
		}
	}
	return list[:n]
}

// LocationIn writes a location in a line, after the repository that it is in unless that is
// all that was scanned.
func LocationIn(scan *finding.Scan, l *finding.Location) string {
	if repo := Repo(scan, l); repo != "" {
		return printable.Quoted(repo) + "  " + Location(l)
	}
	return Location(l)
}

// Repo returns the repository that l is in, "" if that is all that was scanned.
func Repo(scan *finding.Scan, l *finding.Location) string {
	if l.Repo == scan.Target {
		return ""
	}
	return l.Repo
}

// Source names the kind of a scan, in front of its target.
func Source(scan *finding.Scan) string {
	if scan.Source == "several" { // see finding.Merge
		return "several scans:"
	}
	return scan.Source
}

// Location writes a location in a line, as PATH:LINE where there is a path, so
// that editors and terminals can open it.
func Location(l *finding.Location) string {
	var b strings.Builder
	if l.Part != "" {
		b.WriteString(printable.Quoted(l.Part) + " in ")
	}
	b.WriteString(Where(l))
	if l.Line > 0 {
		fmt.Fprintf(&b, ":%d", l.Line)
	}
	if l.SecretLine > 0 {
		fmt.Fprintf(&b, " (secret on line %d)", l.SecretLine)
	}
	if about := About(l); len(about) > 0 {
		b.WriteString("  " + strings.Join(about, ", "))
	}
	return b.String()
}

// About says who brought the text of l in which commit and when, and whether it is still there.
func About(l *finding.Location) (about []string) {
	if l.Commit != "" && l.Kind != finding.KindCommit {
		about = append(about, "commit "+printable.Quoted(ShortID(l.Commit)))
	}
	if who := l.Author; who != "" || l.Email != "" {
		if who == "" {
			who = l.Email
		}
		about = append(about, printable.Quoted(who))
	}
	if !l.Time.IsZero() {
		about = append(about, l.Time.Format(time.DateOnly))
	}
	about = append(about, Reachability(l)...)
	if l.Ignored != "" {
		about = append(about, "ignored: "+printable.Quoted(l.Ignored))
	}
	return about
}

// Where names the text that l is in.
func Where(l *finding.Location) string {
	name := l.Path
	if name == "" {
		name = "object " + ShortID(string(l.Blob))
	}
	switch l.Kind {
	case finding.KindBlob, "":
		return printable.Quoted(name)
	case finding.KindCommit:
		return "message of commit " + printable.Quoted(ShortID(cmp.Or(l.Commit, l.Path, string(l.Blob))))
	case finding.KindTag:
		return "message of tag " + printable.Quoted(ShortID(cmp.Or(l.Path, string(l.Blob))))
	case finding.KindRefName:
		return "name of ref " + printable.Quoted(name)
	case finding.KindPath:
		return "file name " + printable.Quoted(name)
	case finding.KindConfig, finding.KindReflog:
		return printable.Quoted(".git/" + name)
	case finding.KindIndex:
		return "staged file " + printable.Quoted(name)
	case finding.KindWorktree:
		return "changed file " + printable.Quoted(name)
	}
	return printable.Quoted(string(l.Kind)) + " " + printable.Quoted(name)
}

// ShortID abbreviates object ids, and nothing else.
func ShortID(id string) string {
	if (len(id) == 40 || len(id) == 64) && strings.Trim(id, "0123456789abcdef") == "" {
		return id[:10]
	}
	return id
}

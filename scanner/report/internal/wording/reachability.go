package wording

import (
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/printable"
)

// Reachability names in plain words the refs or logs that hold the text of l today: HEAD,
// branches, a reflog, nothing.
func Reachability(l *finding.Location) []string {
	switch {
	case l.Unreachable != "":
		return []string{Unreachable(l)}
	case l.Kind == finding.KindConfig, l.Kind == finding.KindReflog:
		return []string{"git's own file, in this clone only"}
	case l.Kind == finding.KindIndex, l.Kind == finding.KindWorktree:
		return []string{"in no commit"}
	}
	var s []string
	switch {
	case l.Commit == "" || l.Kind != finding.KindBlob: // there is no HEAD to be at
	case l.AtHead:
		s = append(s, "still at HEAD")
	default:
		s = append(s, "only in history")
	}
	if len(l.Refs) > 0 {
		s = append(s, "on "+refNames(l))
	}
	return s
}

// Unreachable names the object or log that keeps a text that no ref leads to.
func Unreachable(l *finding.Location) string {
	why := printable.Quoted(shortIDs(l.Unreachable))
	switch {
	case l.Kind == finding.KindTag:
		return "no ref leads to it: " + why
	case l.Commit != "":
		return "on no branch or tag: " + why
	case strings.HasPrefix(why, "no "):
		return stagedOnce
	}
	return stagedOnce + ": " + why
}

const stagedOnce = "staged once, in no commit"

// StagedOnce reports whether f is only in blobs and trees that no commit has. "git add" and
// hooks leave them behind. A dangling commit is another thing: it may have been pushed.
func StagedOnce(f *finding.Finding) bool {
	return Buried(f) && !slices.ContainsFunc(f.Locations, func(l finding.Location) bool { return l.Commit != "" || l.Kind == finding.KindTag })
}

// shortIDs abbreviates the object ids among the words of s.
func shortIDs(s string) string {
	words := strings.Split(s, " ")
	for i := range words {
		words[i] = ShortID(words[i])
	}
	return strings.Join(words, " ")
}

// maxRefNames is how many refs a line of text names. If there are more, it counts them, and
// names one fewer as examples.
const maxRefNames = 3

// refNames lists the refs of l: "main and v1", or "9 refs (main, v1, …)". A ref may be named
// like a number, so the number comes first.
func refNames(l *finding.Location) string {
	shown, total := l.Refs, len(l.Refs)+l.MoreRefs
	if total > maxRefNames {
		shown = shown[:min(len(shown), maxRefNames-1)]
	}
	var names []string
	for _, ref := range shown {
		names = append(names, printable.Quoted(shortRef(ref)))
	}
	last := len(names) - 1
	switch {
	case total > len(shown):
		return printable.Plural(total, "ref") + " (" + strings.Join(append(names, "…"), ", ") + ")"
	case last == 0:
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// shortRef is the name of a ref for people.
func shortRef(name string) string {
	for _, prefix := range []string{"refs/heads/", "refs/tags/", "refs/remotes/"} {
		if s, ok := strings.CutPrefix(name, prefix); ok && s != "" {
			return s
		}
	}
	return name
}

// Buried reports whether no ref leads to any place of f.
func Buried(f *finding.Finding) bool {
	return len(f.Locations) > 0 && f.Omitted == 0 &&
		!slices.ContainsFunc(f.Locations, func(l finding.Location) bool { return l.Unreachable == "" })
}

package scanner

import (
	"cmp"
	"slices"

	"github.com/stanch-dev/stanch/scanner/finding"
)

// sortLocations sorts list, at HEAD first, then oldest first, and drops doubles. It keeps
// the one of two equal locations that has the secret.
func sortLocations(list []finding.Location) []finding.Location {
	slices.SortFunc(list, func(a, b finding.Location) int {
		return cmp.Or(compareLocations(a, b), cmp.Compare(b.SecretLine, a.SecretLine))
	})
	return slices.CompactFunc(list, func(a, b finding.Location) bool { return compareLocations(a, b) == 0 })
}

func compareLocations(a, b finding.Location) int {
	head := func(l finding.Location) int {
		if l.AtHead {
			return 0
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(head(a), head(b)), a.Time.Compare(b.Time), cmp.Compare(a.Part, b.Part), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Commit, b.Commit),
		cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Blob, b.Blob))
}

// withoutSecretLines clears the lines of the secret in list: the secret of this id is
// elsewhere.
func withoutSecretLines(list []finding.Location) []finding.Location {
	for i := range list {
		list[i].SecretLine = 0
	}
	return list
}

package scanner

import (
	"cmp"
	"time"
)

// score is how well a part fits an id, by the rules that pairing.go numbers.
type score struct {
	needsProof bool // rules 1 and 3: a pair only if it is proved
	relation   relation
	group      bool // their names are of one group
	generic    bool
	distance   time.Duration
}

// A relation says how the places of two texts are related. The values are in the order of
// weight.
type relation uint8

const (
	sameDir relation = 1 << iota
	sameCommit
	sameRecord // files of one directory that hold one value each
	samePath
	sameText // which the detector has judged: rule 1
)

// compareClues is rules 3 to 6: negative if a is better.
func compareClues(a, b score) int {
	return cmp.Or(compareBool(a.needsProof, b.needsProof), cmp.Compare(b.relation, a.relation), compareBool(b.group, a.group), compareBool(a.generic, b.generic))
}

// compareScores is compareClues, and rule 7.
func compareScores(a, b score) int {
	return cmp.Or(compareClues(a, b), cmp.Compare(a.distance, b.distance))
}

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// compareJoined puts findings from one text first, then those with the best score.
func compareJoined(a, b *joined) int {
	if a == nil || b == nil {
		return compareBool(a != nil, b != nil)
	}
	return compareScores(a.score, b.score)
}

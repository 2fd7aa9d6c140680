package scanner

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// Which part from another text belongs to which id? The rules, in the order of
// their weight:
//
//  1. Own text. A part that stands with its id in one text was paired there, and is
//     proposed to no other id. Only an id that lacks a part, or whose secrets the
//     provider refused, looks into other texts. A part that stands in one text with
//     the id and was not paired there, for its distance or its name, goes last, and is
//     no pair unless it is proved: the detector has seen both and knows more. So do
//     all secrets if the id is only in requests that it signed: a log holds the one
//     and not the other.
//  2. Account. A part that names another account than the id is no candidate. A
//     token is one only for ids of its own rule.
//  3. Group. Names that say that they belong to different keys, DEV_KEY_ID and PROD_SECRET,
//     go last, and are no pair unless it is proved. So does a secret that may be anybody's
//     and has a name of its own, JWT_SECRET, if the id has none. So does a file whose name
//     says nothing of the secret that is all of its content. It is a candidate only for the
//     ids of its directory.
//  4. Relation. The same path in another version beats two files of one directory that
//     hold nothing but an id and a secret: they are two fields of one record, and their
//     names are those of the fields. That beats a text that the same commit introduced, and
//     that beats the same directory. Two relations beat one. Without any, there is no
//     candidate.
//  5. Group again: the same beats none.
//  6. Kind. A part that the detector would report alone beats a generic one, which may
//     be anybody's.
//  7. Time. Among equals, the nearest wins.
//  8. Cluster. A path, commit or directory with more than maxCluster ids, or as many
//     parts, says nothing: it is a list or an import, not a place.
//  9. At most maxSecrets secrets are proposed for an id, and one token: the best.
//  10. Proof. A pair that the provider proves is reported. A pair that it was not asked
//     about is reported only if the id has no better or equal candidate, and the part
//     no better or equal id. A generic part must also stand at the same path, in the same
//     commit and directory, or be such a field of a record. Every other pair is dropped.
//
// Rule 8 bounds the work to maxCluster steps for each place. Refused: to propose by
// the likeness of paths ("dev/id", "prod/../dev/secret"), of which every layout has
// its own.

const (
	maxCluster = 32
	// maxLocationsOfPart is how many places of a part are looked at, the first ones.
	maxLocationsOfPart = 1000
	// A joined finding holds this many places until it is resolved: most are
	// dropped, and a part may have thousands of places and ids.
	maxJoinedLocations = 16
)

// A candidate is a part from another text that may belong to an id.
type candidate struct {
	id, part *draft
	score    score
}

// pairAcrossTexts returns a finding for each secret from another text that is proposed for
// an id, together with the token that is proposed for it. findings have been located.
func pairAcrossTexts(findings []*draft) []*draft {
	var ids, parts []*draft
	taken := map[string]bool{}
	for _, f := range findings {
		switch c := f.Match.Credential; {
		case f.Match.Unverifiable != "": // signs nothing, or is not the provider's
		case c.ID == "":
			parts = append(parts, f)
		case f.Match.Rank == 0 && f.Match.Needs != 0:
			ids = append(ids, f)
		}
		taken[f.Fingerprint()] = true
	}
	if len(ids) == 0 || len(parts) == 0 {
		return nil
	}
	byID := candidates(ids, parts)
	byPart := map[*draft][]candidate{}
	for _, list := range byID {
		for _, c := range list {
			if c.id.Match.Lacks()&partOf(c.part) != 0 { // an id with a secret is no rival
				byPart[c.part] = append(byPart[c.part], c)
			}
		}
	}
	var all []*draft
	for i, list := range byID {
		for _, f := range propose(ids[i], list, byPart) {
			// Two texts may pair the id with other secrets.
			if p := f.Fingerprint(); f.joined.secret == nil || !taken[p] {
				taken[p] = true
				all = append(all, f)
			}
		}
	}
	return all
}

// partOf returns which part of a credential f is.
func partOf(f *draft) detectors.Parts {
	if f.Match.Credential.Secret.IsZero() {
		return detectors.TokenPart
	}
	return detectors.SecretPart
}

// candidates returns, for each of ids, the parts that are related to it and do not
// contradict it, best first.
func candidates(ids, parts []*draft) [][]candidate {
	clusters := map[landmark]*cluster{}
	for _, f := range ids {
		for mark := range landmarks(f) {
			if clusters[mark] == nil {
				clusters[mark] = &cluster{}
			}
			clusters[mark].ids++
		}
	}
	for _, f := range parts {
		for mark, at := range landmarks(f) {
			if f.Match.OwnText && mark.relation != sameText {
				continue
			}
			if c := clusters[mark]; c != nil && len(c.parts) <= maxCluster {
				c.parts = append(c.parts, member{f, at})
			}
		}
	}
	lists := make([][]candidate, len(ids))
	for i, id := range ids {
		lists[i] = candidatesOf(id, clusters)
	}
	return lists
}

// candidatesOf is rules 1 to 8 for one id.
func candidatesOf(id *draft, clusters map[landmark]*cluster) []candidate {
	index := map[*draft]int{}
	var list []candidate
	for mark, at := range landmarks(id) {
		c := clusters[mark]
		if c.ids > maxCluster || len(c.parts) > maxCluster {
			continue
		}
		for _, r := range c.parts {
			if !mayBelong(id, r.part) {
				continue
			}
			i, ok := index[r.part]
			distance := at.Sub(r.at).Abs()
			if !ok {
				i = len(list)
				index[r.part] = i
				list = append(list, candidate{id, r.part, scoreOfNames(id, r.part)})
				list[i].score.distance = distance
			}
			list[i].score.relation |= mark.relation &^ sameText
			list[i].score.needsProof = list[i].score.needsProof || mark.relation == sameText
			list[i].score.distance = min(list[i].score.distance, distance)
		}
	}
	slices.SortFunc(list, func(a, b candidate) int {
		// The last makes the order the same in each scan: marks come from a map.
		return cmp.Or(compareScores(a.score, b.score), compareCredentials(a.part.Match.Credential, b.part.Match.Credential))
	})
	return list
}

// mayBelong is rule 2.
func mayBelong(id, part *draft) bool {
	a, b := &id.Match, &part.Match
	if a.Account != "" && b.Account != "" && a.Account != b.Account {
		return false
	}
	return partOf(part) == detectors.SecretPart || a.Rule == b.Rule && a.Lacks()&detectors.TokenPart != 0
}

// scoreOfNames is rules 3, 5 and 6.
func scoreOfNames(id, part *draft) score {
	a, b := id.Match.Group, part.Match.Group
	return score{needsProof: isStrange(id, part) || !part.named, group: a != "" && a == b, generic: part.Match.NeedsID}
}

// isStrange reports whether names say that part is of another key than id, or id is only in
// requests that it signed.
func isStrange(id, part *draft) bool {
	a, b := id.Match.Group, part.Match.Group
	return id.Match.InSignedRequest || b != "" && a != b && (a != "" || part.Match.NeedsID)
}

// A landmark is a path, a commit or a directory that places of two texts may share.
type landmark struct {
	relation relation
	name     string
}

// A cluster holds everything at one landmark.
type cluster struct {
	ids   int
	parts []member
}

// A member is a part at a landmark, with the time since when it is there.
type member struct {
	part *draft
	at   time.Time
}

// landmarks returns the landmarks of f, each with the time since when f is there.
func landmarks(f *draft) map[landmark]time.Time {
	marks := map[landmark]time.Time{}
	add := func(p relation, name string, at time.Time) {
		if !f.named && p != sameDir && p != sameRecord {
			return // rule 3
		}
		mark := landmark{p, name}
		if known, ok := marks[mark]; !ok || at.Before(known) {
			marks[mark] = at
		}
	}
	for _, l := range f.Locations[:min(len(f.Locations), maxLocationsOfPart)] {
		switch l.Kind {
		case finding.KindBlob, finding.KindIndex, finding.KindWorktree:
			add(sameText, string(l.Blob)+" "+l.Path, l.Time)
			add(samePath, l.Path, l.Time)
			add(sameDir, dirOf(l.Path), l.Time)
			if dir, ok := f.inFiles[l.Path]; ok {
				add(sameRecord, dir, l.Time)
			}
		case finding.KindPath:
			add(sameDir, l.Path, l.Time)
		case finding.KindIssue, finding.KindPullRequest, finding.KindComment, finding.KindDiscussion:
			thread, _, _ := strings.Cut(l.Path, "#") // the person who asks may post one half, the person who helps the other
			add(sameDir, thread, l.Time)
		}
		if l.Commit != "" {
			add(sameCommit, l.Commit, l.Time)
		}
	}
	return marks
}

// dirOf returns the directory of a path. An archive counts as the directory of its members.
func dirOf(path string) string {
	if i := strings.LastIndexAny(path, "/!"); i >= 0 {
		return path[:i]
	}
	return "."
}

// propose is rules 9 and 10: it joins id with the best of list.
func propose(id *draft, list []candidate, byPart map[*draft][]candidate) []*draft {
	var secrets, tokens []candidate
	for _, c := range list {
		if partOf(c.part) == detectors.SecretPart {
			secrets = append(secrets, c)
		} else {
			tokens = append(tokens, c)
		}
	}
	var all []*draft
	var token *candidate
	tokenSure, tokenClear := true, true
	if len(tokens) > 0 {
		token = &tokens[0]
		tokenSure, tokenClear = isUnrivalled(tokens, byPart)
		if !id.Match.Credential.Secret.IsZero() {
			all = append(all, joinParts(id, nil, token, tokenSure, tokenClear))
		}
	}
	secretSure, secretClear := isUnrivalled(secrets, byPart)
	for i := range secrets[:min(len(secrets), maxSecrets)] {
		first := i == 0
		all = append(all, joinParts(id, &secrets[i], token, first && secretSure && tokenSure, first && secretClear && tokenClear))
	}
	return all
}

// isUnrivalled reports whether the first of list beats all others, and its part fits no
// other id as well. sure compares time too (rule 7), isClear does not.
func isUnrivalled(list []candidate, byPart map[*draft][]candidate) (sure, isClear bool) {
	if len(list) == 0 {
		return false, false
	}
	best := list[0]
	isClear = best.score.relation > sameCommit // two signals, or the strongest
	sure = !best.score.needsProof && (isClear || !best.score.generic)
	rivals := slices.Concat(list[1:min(len(list), 2)], byPart[best.part])
	for _, r := range rivals {
		if r.id == best.id && r.part == best.part {
			continue
		}
		sure = sure && compareScores(best.score, r.score) < 0
		isClear = isClear && compareClues(best.score, r.score) < 0
	}
	return sure, sure && isClear
}

// joinParts returns the finding of id with the given parts, which may be nil.
func joinParts(id *draft, secret, token *candidate, sure, isClear bool) *draft {
	f := &draft{Finding: finding.Finding{Match: id.Match}, joined: &joined{id: id, sure: sure}}
	m, j := &f.Match, f.joined
	f.Locations = firstLocations(id.Locations)
	if token != nil {
		j.token, j.score = token.part, token.score
		m.Credential.Token = token.part.Match.Credential.Token
		f.Locations = append(f.Locations, token.part.asPart(firstLocations(token.part.Locations))...)
	}
	if secret != nil {
		j.secret, j.score = secret.part, secret.score
		f.Locations = withoutSecretLines(f.Locations)
		m.Secret = detectors.Span{}
		m.Credential.Secret = secret.part.Match.Credential.Secret
		f.Locations = append(f.Locations, secret.part.asPart(firstLocations(secret.part.Locations))...)
	}
	if !isClear || m.Confidence == detectors.Low {
		m.Confidence = detectors.Low
	} else {
		m.Confidence = detectors.Medium
	}
	return f
}

// firstLocations returns a copy of the first of list.
func firstLocations(list []finding.Location) []finding.Location {
	return slices.Clone(list[:min(len(list), maxJoinedLocations)])
}

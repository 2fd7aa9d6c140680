package scanner

import (
	"cmp"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/detectors"
)

// findings makes one finding of all hits of one credential, in a stable order.
// A lone half is a place of the whole if that was found too: an id that stands
// alone in one text and with its secret in another is one leak.
func (h *hits) findings() []*Finding {
	slices.SortFunc(h.hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.blob, b.blob), cmp.Compare(a.member, b.member), cmp.Compare(a.start, b.start),
			cmp.Compare(a.match.Rank, b.match.Rank), compareCredentials(a.match.Credential, b.match.Credential))
	})
	h.dropPartners()
	all := make([]*Finding, len(h.hits))
	for i, x := range h.hits {
		all[i] = &Finding{Match: x.match, Locations: []Location{x.location()}}
	}
	// Lone tokens have one fingerprint. Each goes to its own key first.
	all = unite(all, func(f *Finding) string {
		if c := f.Match.Credential; c.ID == "" && c.Secret.IsZero() {
			return loneHalf(c)
		}
		return f.Fingerprint()
	})
	return unite(fold(all), (*Finding).Fingerprint)
}

// unite makes one finding of those of list that have one key, in the order of the first.
func unite(list []*Finding, key func(*Finding) string) []*Finding {
	var united []*Finding
	byKey := map[string]*Finding{}
	for _, f := range list {
		k := key(f)
		known := byKey[k]
		if known == nil {
			byKey[k] = f
			united = append(united, f)
			continue
		}
		known.join(f.Match)
		known.Others = append(known.Others, f.Others...)
		known.Locations = append(known.Locations, f.Locations...)
	}
	return united
}

// compareCredentials orders what cannot be told apart by place: archives may hold
// two files of one name.
func compareCredentials(a, b detectors.Credential) int {
	return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Secret.Reveal(), b.Secret.Reveal()), cmp.Compare(a.Token.Reveal(), b.Token.Reveal()))
}

// location is x's place as known before it is located; Path holds the member.
func (x hit) location() Location {
	l := x.place
	l.Blob = x.blob
	l.Path = x.member
	l.at = x.match.CountsAt
	return l
}

// join keeps the best that two occurrences of one credential say.
func (f *Finding) join(m detectors.Match) {
	f.Match.Rank = min(f.Match.Rank, m.Rank)
	f.Match.NeedsID = f.Match.NeedsID && m.NeedsID
	f.Match.SignedUntil = lastEnd(f.Match.SignedUntil, m.SignedUntil)
	f.learnText(m)
	c := &f.Match.Credential
	c.Partition = cmp.Or(c.Partition, m.Credential.Partition)
	if c.ID == m.Credential.ID {
		f.Match.InSignedRequest = f.Match.InSignedRequest && m.InSignedRequest
		f.Match.Account, f.Match.Group = agreed(f.Match.Account, m.Account), agreed(f.Match.Group, m.Group)
		if c.Secret.Equal(m.Credential.Secret) {
			f.Match.Confidence = surer(f.Match.Confidence, m.Confidence)
		} else {
			f.Match.IDConfidence = surer(f.Match.IDConfidence, m.Confidence)
		}
	}
	switch {
	case c.Token.IsZero():
		f.Match.Token, c.Token = m.Token, m.Credential.Token
	case !m.Credential.Token.IsZero() && !c.Token.Equal(m.Credential.Token):
		// A session has one token: this one is of another, or was cut off.
		f.Others = append(f.Others, m.Credential.Token)
	}
}

// learnText takes over what the text of another occurrence says. Of a lone half it does
// not say that the whole cannot be verified.
func (f *Finding) learnText(m detectors.Match) {
	if f.Match.Unverifiable == "" && f.Match.Rule == m.Rule && f.Match.Credential.Secret.IsZero() == m.Credential.Secret.IsZero() {
		f.Match.Unverifiable = m.Unverifiable
	}
	for _, fact := range m.Facts {
		if len(f.Match.Facts) < maxFacts {
			f.Note(fact)
		}
	}
}

// surer returns the higher of two confidences; "" is the lowest.
func surer(a, b detectors.Confidence) detectors.Confidence {
	for _, c := range []detectors.Confidence{detectors.High, detectors.Medium, detectors.Low} {
		if a == c || b == c {
			return c
		}
	}
	return ""
}

// maxFacts bounds what thousands of texts say of one credential.
const maxFacts = 20

// lastEnd returns when the last of two signed requests ends, zero if one of them is none.
func lastEnd(a, b time.Time) time.Time {
	switch {
	case a.IsZero() || b.IsZero():
		return time.Time{}
	case a.After(b):
		return a
	}
	return b
}

// agreed returns what two occurrences of one part say, "" if they differ.
func agreed(a, b string) string {
	if a != "" && b != "" && a != b {
		return ""
	}
	return cmp.Or(a, b)
}

// fold moves the places of lone ids, secrets and tokens to the finding that
// holds them paired.
func fold(all []*Finding) []*Finding {
	whole := map[string]*Finding{}
	for _, f := range all {
		c := f.Match.Credential
		if f.Match.Rule.Value || f.Match.Rank > 0 || c.ID == "" || c.Secret.IsZero() && c.Token.IsZero() {
			continue
		}
		for _, part := range []string{"id " + c.ID, "secret " + c.Secret.SHA256(), "token " + c.Token.SHA256()} {
			if best := whole[part]; best == nil || best.Match.Credential.Secret.IsZero() {
				whole[part] = f
			}
		}
	}
	var kept []*Finding
	for _, f := range all {
		if w := whole[loneHalf(f.Match.Credential)]; w != nil && w != f && !f.Match.Rule.Value {
			w.join(f.Match)
			w.Locations = append(w.Locations, f.asPart(f.Locations)...)
			continue
		}
		kept = append(kept, f)
	}
	return kept
}

// asPart returns a copy of list, places of f, as places of a whole that f is a part
// of.
func (f *Finding) asPart(list []Location) []Location {
	part, c := "", f.Match.Credential
	switch {
	case c.ID != "":
	case !c.Secret.IsZero():
		part = PartSecret
	default:
		part = PartToken
	}
	list = slices.Clone(list)
	for i := range list {
		list[i].Part = part
	}
	return list
}

// loneHalf returns the only part that c has, as fold names it, or "".
func loneHalf(c detectors.Credential) string {
	switch {
	case c.ID != "" && c.Secret.IsZero():
		return "id " + c.ID
	case c.ID == "" && c.Token.IsZero():
		return "secret " + c.Secret.SHA256()
	case c.ID == "" && c.Secret.IsZero():
		return "token " + c.Token.SHA256()
	}
	return ""
}

// attribute replaces each location by those that the source named for its
// text: at HEAD first, then oldest first. It returns the findings that count
// anywhere.
func attribute(findings []*Finding, h *hits) []*Finding {
	for _, f := range findings {
		f.Locations = sortLocations(f.locate(h))
	}
	findings = slices.DeleteFunc(findings, func(f *Finding) bool { return len(f.Locations) == 0 && f.Omitted == 0 })
	sortFindings(findings)
	return findings
}

// sortFindings sorts by the first place, and what stands at one place best first.
func sortFindings(findings []*Finding) {
	slices.SortStableFunc(findings, func(a, b *Finding) int {
		return cmp.Or(compareLocations(a.Locations[0], b.Locations[0]), cmp.Compare(a.Match.Rank, b.Match.Rank),
			compareCredentials(a.Match.Credential, b.Match.Credential))
	})
}

// maxLocations bounds the places of one finding, which are occurrences times
// places of their texts: a hostile repository can make billions of them.
const maxLocations = 20_000

// locate returns the locations of f with the provenance of their texts.
func (f *Finding) locate(h *hits) []Location {
	var located []Location
	for _, l := range f.Locations {
		member, places := l.Path, h.places(l.Blob)
		room := min(maxLocations-len(located), len(places))
		f.Omitted += len(places) - room
		for _, p := range places[:room] {
			l.Provenance = p
			if member != "" {
				l.Path += "!" + member
			}
			if l.at == nil || l.at(l.file(), l.Commit) {
				located = append(located, l)
			}
		}
	}
	return located
}

// file returns the path of the file that l is in, "" if it is in none.
func (l *Location) file() string {
	if l.Kind == KindBlob || l.Kind == KindIndex || l.Kind == KindWorktree {
		return l.Path
	}
	return ""
}

// sortLocations sorts list, at HEAD first, then oldest first, and drops doubles. Of
// two the one with the secret stays.
func sortLocations(list []Location) []Location {
	slices.SortFunc(list, func(a, b Location) int {
		return cmp.Or(compareLocations(a, b), cmp.Compare(b.SecretLine, a.SecretLine))
	})
	return slices.CompactFunc(list, func(a, b Location) bool { return compareLocations(a, b) == 0 })
}

func compareLocations(a, b Location) int {
	head := func(l Location) int {
		if l.AtHead {
			return 0
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(head(a), head(b)), a.Time.Compare(b.Time), cmp.Compare(a.Part, b.Part), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Commit, b.Commit),
		cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Blob, b.Blob))
}

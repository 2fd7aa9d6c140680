package scanner

import (
	"cmp"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/scanner/finding"
)

// findings merges all hits of one credential into one finding, in a stable order. If an id
// stands alone in one text and with its secret in another, both texts are places of one
// leak.
func (h *hits) findings() []*draft {
	slices.SortFunc(h.hits, func(a, b *hit) int {
		return cmp.Or(cmp.Compare(a.blob, b.blob), cmp.Compare(a.member, b.member), cmp.Compare(a.start, b.start),
			cmp.Compare(a.match.Rank, b.match.Rank), compareCredentials(a.match.Credential, b.match.Credential))
	})
	h.dropContainers()
	h.dropPartners()
	all := make([]*draft, len(h.hits))
	for i, x := range h.hits {
		all[i] = &draft{Finding: finding.Finding{Match: x.match}, occurrences: []occurrence{x.occurrence()}}
	}
	h.hits = nil // the drafts have all of it
	all = unite(all)
	return unite(fold(all))
}

// dropContainers forgets the hits in an archive as it is, if a member of it has the credential:
// an archive that is not compressed holds the texts of its members, and a line of it helps
// nobody.
func (h *hits) dropContainers() {
	type key struct {
		blob finding.BlobID
		rule *detectors.Rule
		id   string
	}
	inMembers := map[key][]detectors.Credential{}
	of := func(x *hit) key { return key{x.blob, x.match.Rule, x.match.Credential.ID} }
	for _, x := range h.hits {
		if x.member != "" {
			inMembers[of(x)] = append(inMembers[of(x)], x.match.Credential)
		}
	}
	h.hits = slices.DeleteFunc(h.hits, func(x *hit) bool {
		return x.member == "" && slices.ContainsFunc(inMembers[of(x)], func(c detectors.Credential) bool {
			return compareCredentials(c, x.match.Credential) == 0
		})
	})
}

// unite merges the findings of list that have the same fingerprint. The order is that in which
// the fingerprints first appear.
func unite(list []*draft) []*draft {
	var united []*draft
	byKey := map[string]*draft{}
	for _, f := range list {
		k := f.Fingerprint()
		known := byKey[k]
		if known == nil {
			byKey[k] = f
			united = append(united, f)
			continue
		}
		known.join(f.Match)
		known.Others = append(known.Others, f.Others...)
		known.occurrences = append(known.occurrences, f.occurrences...)
	}
	return united
}

// compareCredentials orders credentials at one place: an archive may hold two files of
// one name.
func compareCredentials(a, b detectors.Credential) int {
	return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Secret.Reveal(), b.Secret.Reveal()), cmp.Compare(a.Token.Reveal(), b.Token.Reveal()))
}

// occurrence is x's place as known before it is located.
func (x *hit) occurrence() occurrence {
	l := x.location
	l.Blob, l.Path = x.blob, x.member
	return occurrence{l, x.match.CountsAt, x.match.NameAt}
}

// join keeps the better answer wherever two occurrences of one credential differ.
func (f *draft) join(m detectors.Match) {
	f.Match.Rank = min(f.Match.Rank, m.Rank)
	f.Match.NeedsID, f.Match.OwnText = f.Match.NeedsID && m.NeedsID, f.Match.OwnText && m.OwnText
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
		// A session has one token: this one belongs to another session, or was cut off.
		f.Others = append(f.Others, m.Credential.Token)
	}
}

// learnText adds to f the facts from the text of another occurrence. A lone half does not
// say that the whole cannot be verified.
func (f *draft) learnText(m detectors.Match) {
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

// maxFacts bounds the facts of a credential that stands in thousands of texts.
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

// agreed returns the value that one or both of two occurrences have, "" if they differ.
func agreed(a, b string) string {
	if a != "" && b != "" && a != b {
		return ""
	}
	return cmp.Or(a, b)
}

// fold moves the places of lone ids, secrets and tokens to the finding that
// holds them paired.
func fold(all []*draft) []*draft {
	whole := map[string]*draft{}
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
	var kept []*draft
	for _, f := range all {
		if w := whole[loneHalf(f.Match.Credential)]; w != nil && w != f && !f.Match.Rule.Value {
			w.join(f.Match)
			for _, o := range f.occurrences {
				o.Part = f.part()
				o.nameAt = nil // the value is known to be the secret, whatever the file is called
				w.occurrences = append(w.occurrences, o)
			}
			continue
		}
		kept = append(kept, f)
	}
	return kept
}

// asPart returns a copy of list, the places of f, marked as places of the whole credential
// that f is a part of.
func (f *draft) asPart(list []finding.Location) []finding.Location {
	list = slices.Clone(list)
	for i := range list {
		list[i].Part = f.part()
	}
	return list
}

// part returns the Location.Part of f where f is a part of a whole credential.
func (f *draft) part() string {
	switch c := f.Match.Credential; {
	case c.ID != "":
		return ""
	case !c.Secret.IsZero():
		return finding.PartSecret
	}
	return finding.PartToken
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

// locate replaces each location by those that the source named for its
// text: at HEAD first, then oldest first. It returns the findings that count
// anywhere.
func locate(findings []*draft, h *hits) []*draft {
	for _, f := range findings {
		f.Locations = sortLocations(f.locate(h))
	}
	findings = slices.DeleteFunc(findings, func(f *draft) bool { return len(f.Locations) == 0 && f.Omitted == 0 })
	sortFindings(findings)
	return findings
}

// sortFindings sorts by the first place; findings at one place are sorted best first.
func sortFindings(findings []*draft) {
	slices.SortStableFunc(findings, func(a, b *draft) int {
		return cmp.Or(compareLocations(a.Locations[0], b.Locations[0]), cmp.Compare(a.Match.Rank, b.Match.Rank),
			compareCredentials(a.Match.Credential, b.Match.Credential))
	})
}

// maxLocations bounds the places of one finding, which are occurrences times places of
// their texts: a hostile repository can have billions of them.
const maxLocations = 20_000

// locate returns the locations of f with the provenance of their texts.
func (f *draft) locate(h *hits) []finding.Location {
	var located []finding.Location
	for _, o := range f.occurrences {
		places := h.locations(o.Blob)
		room := min(maxLocations-len(located), len(places))
		f.Omitted += len(places) - room
		for _, text := range places[:room] {
			if l := o.in(text); (o.at == nil || o.at(file(&l), l.Commit)) && f.learnName(o.nameAt, &l) {
				located = append(located, l)
			}
		}
	}
	return located
}

// learnName takes the name that nameAt, a Match.NameAt, gives to f at l. It reports whether f
// counts there.
func (f *draft) learnName(nameAt func(string) detectors.FileName, l *finding.Location) bool {
	isID := f.Match.Credential.ID != ""
	f.named = f.named || nameAt == nil || isID
	if nameAt == nil {
		return true
	}
	path := file(l)
	name := nameAt(path)
	switch {
	case isID:
	case name.Says == detectors.NamesOther:
		return false
	case name.Says >= detectors.NamesSecret:
		f.named = true
		f.Match.NeedsID = f.Match.NeedsID && name.Says != detectors.NamesProvider
	}
	f.Match.Group = agreed(f.Match.Group, name.Group)
	if f.inFiles == nil {
		f.inFiles = map[string]string{}
	}
	f.inFiles[path] = name.Dir
	return true
}

// in returns o as a location in text, which is a place of its blob.
func (o *occurrence) in(text finding.Location) finding.Location {
	l := text
	if o.Path != "" {
		l.Path += "!" + o.Path
	}
	l.Blob, l.Part, l.Around = o.Blob, o.Part, o.Around
	l.Line, l.Column, l.EndColumn, l.SecretLine = o.Line, o.Column, o.EndColumn, o.SecretLine
	return l
}

// file returns the path of the file that l is in, "" if it is in none.
func file(l *finding.Location) string {
	if l.Kind == finding.KindBlob || l.Kind == finding.KindIndex || l.Kind == finding.KindWorktree {
		return l.Path
	}
	return ""
}

package detectors

import (
	"bytes"
	"cmp"
	"slices"
	"sort"
	"strings"
)

// anyCovers reports whether one of raw, matches of the text before its pieces were put
// together, covers m: the lines of a private key look like pieces. raw is sorted by ends.
// Spans are rarely nested, so only the first few that end with m or behind it are compared.
func anyCovers(raw []Match, m *Match) bool {
	const few = 4
	covers := func(a, b Span) bool { return b.Empty() || a.Start <= b.Start && b.End <= a.End }
	i := sort.Search(len(raw), func(i int) bool { return raw[i].End >= m.End })
	for _, r := range raw[i:min(i+few, len(raw))] {
		if covers(r.Span, m.Span) && covers(r.Secret, m.Secret) && covers(r.Token, m.Token) {
			return true
		}
	}
	return false
}

// anyCut reports whether one of secrets, of the text before its pieces were put together and
// sorted by ends, begins before s and ends within it. It is whole, and s is the rest of it
// with the next piece.
func anyCut(secrets []Span, s Span) bool {
	i := sort.Search(len(secrets), func(i int) bool { return secrets[i].End > s.Start })
	return i < len(secrets) && secrets[i].Start < s.Start && secrets[i].End < s.End
}

// mergeMatches returns decoded, and the matches of raw that do not overlap it. A match of a
// view is better: a secret with an escape in it is whole only there. There are three
// exceptions. Matches within an enclosing match of raw are left out, and complete parts of
// raw stay. An id of raw stays too if only others overlap it, one of them in part: that one may
// be a piece at the end of a line with the beginning of this one.
func mergeMatches(raw, decoded []Match) []Match {
	decoded = keepComplete(raw, outsideEnclosing(raw, decoded))
	type part struct {
		Span
		id string
	}
	var covered []part
	for i := range decoded {
		m := &decoded[i]
		covered = append(covered, part{m.Span, m.Credential.ID}, part{m.Secret, m.Credential.ID})
	}
	slices.SortFunc(covered, func(a, b part) int { return cmp.Compare(a.End, b.End) })
	partsOf := map[string][]part{} // by id, in the same order
	for _, p := range covered {
		if p.id != "" {
			partsOf[p.id] = append(partsOf[p.id], p)
		}
	}
	// The spans of ids and secrets are short and rarely nested, so the first that ends behind
	// the start of m decides.
	overlapping := func(parts []part, m *Match) *part {
		i := sort.Search(len(parts), func(i int) bool { return parts[i].End > m.Start })
		if i == len(parts) || parts[i].Start >= m.End {
			return nil
		}
		return &parts[i]
	}
	out := decoded
	for i := range raw {
		m := &raw[i]
		p := overlapping(covered, m)
		isCut := p != nil && m.Credential.ID != "" && (p.Start > m.Start || p.End < m.End)
		if p == nil || isCut && overlapping(partsOf[m.Credential.ID], m) == nil {
			out = append(out, *m)
		}
	}
	return out
}

// outsideEnclosing returns the matches of decoded that do not begin within an enclosing
// match of raw. It compares beginnings because ends are not exact (views.View.OriginOf).
func outsideEnclosing(raw, decoded []Match) []Match {
	var whole []Span
	for i := range raw {
		if raw[i].Enclosing {
			whole = append(whole, raw[i].Span)
		}
	}
	if whole == nil { // as in nearly every text
		return decoded
	}
	slices.SortFunc(whole, func(a, b Span) int { return cmp.Compare(a.End, b.End) })
	within := func(s Span) bool {
		i := sort.Search(len(whole), func(i int) bool { return whole[i].End > s.Start })
		return i < len(whole) && (whole[i].Start < s.Start || whole[i].Start == s.Start && s.End <= whole[i].End)
	}
	return slices.DeleteFunc(decoded, func(m Match) bool {
		return within(m.Span) || m.Rank > 0 && within(m.Secret)
	})
}

// blankEnclosing returns text with blanks for its enclosing and complete matches. A view
// would show the ids and secrets in them, which are no findings and would be paired with
// others.
func blankEnclosing(text []byte, matches []Match) []byte {
	copied := false
	for i := range matches {
		m := &matches[i]
		if !m.Enclosing || m.Complete&SecretPart == 0 {
			continue
		}
		if !copied {
			text, copied = bytes.Clone(text), true
		}
		for j := m.Start; j < m.End; j++ {
			text[j] = ' '
		}
	}
	return text
}

// A matchPart is the secret or the token of a match.
type matchPart struct {
	Span
	secret Secret
}

// keepComplete corrects matches of decoded that hold a complete part of raw with more or
// fewer characters. A token is replaced by the complete one; a match with such a secret is
// left out.
func keepComplete(raw, decoded []Match) []Match {
	var complete []matchPart
	for i := range raw {
		m := &raw[i]
		if m.Complete&SecretPart != 0 {
			complete = append(complete, matchPart{m.Secret, m.Credential.Secret})
		}
		if m.Complete&TokenPart != 0 {
			complete = append(complete, matchPart{m.Token, m.Credential.Token})
		}
	}
	if complete == nil { // as in nearly every text
		return decoded
	}
	slices.SortFunc(complete, func(a, b matchPart) int { return cmp.Compare(a.End, b.End) })
	var kept []Match
	for _, m := range decoded {
		if alteredComplete(complete, matchPart{m.Secret, m.Credential.Secret}) != nil {
			continue
		}
		if c := alteredComplete(complete, matchPart{m.Token, m.Credential.Token}); c != nil {
			if m.Span == m.Token {
				continue
			}
			m.Token, m.Credential.Token, m.Complete = c.Span, c.secret, m.Complete|TokenPart
		}
		kept = append(kept, m)
	}
	return kept
}

// alteredComplete returns the part in complete, which is sorted by ends, of which p is a
// copy with more or fewer characters, or nil.
func alteredComplete(complete []matchPart, p matchPart) *matchPart {
	if p.Empty() {
		return nil
	}
	i := sort.Search(len(complete), func(i int) bool { return complete[i].End > p.Start })
	for ; i < len(complete); i++ {
		c := &complete[i]
		if c.Start >= p.End {
			break
		}
		whole, value := c.secret.Reveal(), p.secret.Reveal()
		if rest, ok := strings.CutPrefix(value, whole); ok && strings.Trim(rest, "=") == "" { // only more padding
			continue
		}
		if strings.Contains(value, strings.TrimRight(whole, "=")) || strings.Contains(whole, value) {
			return c
		}
	}
	return nil
}

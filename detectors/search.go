package detectors

import (
	"bytes"
	"cmp"
	"slices"
	"sort"
	"strings"

	"github.com/stanch-dev/stanch/detectors/internal/encodings"
	"github.com/stanch-dev/stanch/detectors/internal/views"
)

// A search looks at one text and at its views.
type search struct {
	set     *Set
	matches []Match
	first   int // of this search; those before it are the caller's
	// unpackLeft is how much may still be unpacked. All other views are shorter than
	// what they are made of.
	unpackLeft    int
	skipPrefilter bool // the probe is not asked
	// everyView view is searched, new or not, as in tests.
	everyView  bool
	addedBytes []byte // room for what is new in a view
	// views leads from the text to the view that is looked at.
	views []*views.View
}

// run returns the matches of text. Each round undoes what those before it have
// brought to light, and a view shows all that was undone until then.
func (s *search) run(text []byte) []Match {
	s.matches = s.searchText(s.matches, text)
	text = blankEnclosing(text, s.matches[s.first:])
	for range encodings.MaxRounds {
		s.searchJoined(text)
		known := len(s.views)
		for _, d := range views.All() {
			if v := s.searchView(d, text); v != nil {
				text = v.Text
			}
		}
		if len(s.views) == known {
			return s.matches
		}
	}
	s.searchJoined(text)
	return s.matches
}

// searchJoined looks at text with its pieces put together, and at what these are decoded.
// It leads nowhere else: what does not belong together is broken there.
func (s *search) searchJoined(text []byte) {
	known := len(s.views)
	if v := s.searchView(views.Joiner, text); v != nil {
		s.searchView(views.Base64, v.Text)
	}
	s.views = s.views[:known]
}

// searchView looks at the view of text that d makes and returns it, or nil.
func (s *search) searchView(d views.Decoder, text []byte) *views.View {
	v := d.Decode(text, s.unpackLeft)
	if v == nil {
		return nil
	}
	s.unpackLeft -= max(0, len(v.Text)-len(text))
	s.views = append(s.views, v)
	if !s.skipPrefilter && !s.everyView && !s.mayAddMatches(v) {
		return v
	}
	var raw, decoded []Match
	if v.JoinsPieces {
		raw = slices.SortedFunc(slices.Values(s.matches[s.first:]), func(a, b Match) int { return cmp.Compare(a.End, b.End) })
	}
	for _, m := range s.searchText(nil, v.Text) {
		if s.mapToText(&m) && !anyCovers(raw, &m) {
			decoded = append(decoded, m)
		}
	}
	s.matches = append(s.matches[:s.first], mergeMatches(s.matches[s.first:], decoded)...)
	return v
}

// mayAddMatches reports whether something may be found in v that was not found in what it
// is made of: what was decoded hints at something, together with what it stands
// beside (Set.Hints), or it stands near a match and says more of it, or
// what may be far from it begins a match (Rule.Far).
func (s *search) mayAddMatches(v *views.View) bool {
	parents := s.views[:len(s.views)-1]
	for i := range s.matches[s.first:] {
		m := &s.matches[s.first+i]
		for _, part := range [...]Span{m.Span, m.Secret, m.Token} {
			if part.Empty() {
				continue
			}
			near := views.Span{Start: max(0, part.Start-contextBytes), End: part.End + contextBytes}
			for _, p := range parents {
				near = p.ImageOf(near)
			}
			if v.DiffersIn(near) {
				return true
			}
		}
	}
	s.addedBytes = v.AppendAddedBytes(s.addedBytes[:0], s.set.prefilter.Window())
	return s.set.prefilter.MayMatch(s.addedBytes) || s.set.hasDistantPart(v.Text)
}

// contextBytes is farther than detectors look for what says more of a match, but for
// secrets and ids, which are matches.
const contextBytes = 4000

// searchText appends the matches of text as it stands. The text itself was probed.
func (s *search) searchText(dst []Match, text []byte) []Match {
	if len(s.views) > 0 && !s.skipPrefilter && !s.set.prefilter.MayMatchNear(text) {
		return dst
	}
	runAll := s.skipPrefilter || s.set.prefilter.HasPlainKeyword(text)
	for _, d := range s.set.detectors {
		if _, ok := d.(PrefilteringDetector); ok || runAll {
			dst = d.Detect(dst, text)
		}
	}
	return dst
}

// mapToText maps m, of the last view of the chain, back to the text. It reports whether
// m counts: what is in one piece, beside pieces that were put together, was seen
// before they were.
func (s *search) mapToText(m *Match) bool {
	for _, v := range slices.Backward(s.views) {
		id, secret, token := views.Span(m.Span), views.Span(m.Secret), views.Span(m.Token)
		if v.JoinsPieces && !v.SpansPieces(id) && !v.SpansPieces(secret) && !v.SpansPieces(token) {
			return false
		}
		m.Span, m.Secret, m.Token = Span(v.OriginOf(id)), Span(v.OriginOf(secret)), Span(v.OriginOf(token))
	}
	return true
}

// anyCovers reports whether a match without joints has all of m: a private key has lines.
// raw is sorted by where they end. Spans are rarely within each other, so that the
// first few to end with m or after it decide.
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

// mergeMatches returns decoded and what of raw does not overlap it. The decoded text
// says more: a secret with an escape in it is whole only there. What is decoded
// from within a match that is whole is left out, and the complete parts of raw stay
// as they are.
func mergeMatches(raw, decoded []Match) []Match {
	decoded = keepComplete(raw, outsideEnclosing(raw, decoded))
	var covered []Span
	for i := range decoded {
		covered = append(covered, decoded[i].Span, decoded[i].Secret)
	}
	slices.SortFunc(covered, func(a, b Span) int { return cmp.Compare(a.End, b.End) })
	out := decoded
	for _, m := range raw {
		// The spans are those of ids and secrets: short, and rarely within each
		// other, so that the first to end after m begins decides.
		i := sort.Search(len(covered), func(i int) bool { return covered[i].End > m.Start })
		if i == len(covered) || covered[i].Start >= m.End {
			out = append(out, m)
		}
	}
	return out
}

// outsideEnclosing returns those of decoded that do not begin within a match of raw that is
// whole. Their ends are not exact (view.offset).
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

// blankEnclosing returns text with blanks for those of its matches that are whole and
// complete. Decoded, they would show ids and secrets that are no findings, and that take
// the place of others.
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

// keepComplete gives the matches of decoded the complete tokens of raw where they hold
// them with more, or less, and leaves out those that hold a complete secret so.
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

// alteredComplete returns which of complete, sorted by their ends, p is with more or less, or nil.
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
		if rest, ok := strings.CutPrefix(value, whole); ok && strings.Trim(rest, "=") == "" { // more of its padding
			continue
		}
		if strings.Contains(value, strings.TrimRight(whole, "=")) || strings.Contains(whole, value) {
			return c
		}
	}
	return nil
}

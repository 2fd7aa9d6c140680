package detectors

import (
	"bytes"
	"cmp"
	"slices"
	"sort"
	"strings"
)

// A search looks at one text and at its views.
type search struct {
	set     *Set
	matches []Match
	first   int // of this search; those before it are the caller's
	// room is how much may still be unpacked. All other views are shorter than
	// what they are made of.
	room int
	all  bool // the probe is not asked
	// every view is searched, new or not, as in tests.
	every bool
	news  []byte // room for what is new in a view
	// chain leads from the text to the view that is looked at.
	chain []*view
}

// in returns the matches of text. Each round undoes what those before it have
// brought to light, and a view shows all that was undone until then.
func (s *search) in(text []byte) []Match {
	s.matches = s.plain(s.matches, text)
	text = withoutWhole(text, s.matches[s.first:])
	for range maxRounds {
		s.join(text)
		views := len(s.chain)
		for _, d := range decoders() {
			if v := s.look(d, text); v != nil {
				text = v.text
			}
		}
		if len(s.chain) == views {
			return s.matches
		}
	}
	s.join(text)
	return s.matches
}

// join looks at text with its pieces put together, and at what these are decoded.
// It leads nowhere else: what does not belong together is broken there.
func (s *search) join(text []byte) {
	views := len(s.chain)
	if v := s.look(joiner, text); v != nil {
		s.look(decoder{"base64", decodeBase64}, v.text)
	}
	s.chain = s.chain[:views]
}

// look looks at the view of text that d makes and returns it, or nil.
func (s *search) look(d decoder, text []byte) *view {
	v := d.decode(text, s.room)
	if v == nil {
		return nil
	}
	s.room -= max(0, len(v.text)-len(text))
	s.chain = append(s.chain, v)
	if !s.all && !s.every && !s.isNews(v) {
		return v
	}
	var raw, decoded []Match
	if v.joins {
		raw = slices.SortedFunc(slices.Values(s.matches[s.first:]), func(a, b Match) int { return cmp.Compare(a.End, b.End) })
	}
	for _, m := range s.plain(nil, v.text) {
		if s.trace(&m) && !holds(raw, &m) {
			decoded = append(decoded, m)
		}
	}
	s.matches = append(s.matches[:s.first], merge(s.matches[s.first:], decoded)...)
	return v
}

// isNews reports whether something may be found in v that was not found in what it
// is made of: what was decoded hints at something, together with what it stands
// beside (Set.Hints), or it stands near a match and says more of it, or
// what may be far from it begins a match (Rule.Far).
func (s *search) isNews(v *view) bool {
	parents := s.chain[:len(s.chain)-1]
	for i := range s.matches[s.first:] {
		m := &s.matches[s.first+i]
		for _, span := range [...]Span{m.Span, m.Secret, m.Token} {
			if span.Empty() {
				continue
			}
			near := Span{max(0, span.Start-context), span.End + context}
			for _, p := range parents {
				near = p.image(near)
			}
			if v.changes(near) {
				return true
			}
		}
	}
	s.news = v.appendNews(s.news[:0], s.set.probe.hintSpan)
	return s.set.probe.in(s.news, false) || s.set.probe.far(v.text)
}

// context is farther than detectors look for what says more of a match, but for
// secrets and ids, which are matches.
const context = 4000

// plain appends the matches of text as it stands. The text itself was probed.
func (s *search) plain(dst []Match, text []byte) []Match {
	if len(s.chain) > 0 && !s.all && !s.set.probe.in(text, true) {
		return dst
	}
	var words encoding
	if s.set.probe.others != nil {
		words = s.set.probe.others.find(text)
	}
	for _, d := range s.set.detectors {
		if _, ok := d.(Prober); ok || s.all || words&plain != 0 {
			dst = d.Detect(dst, text)
		}
	}
	return dst
}

// trace maps m, of the last view of the chain, back to the text. It reports whether
// m counts: what is in one piece, beside pieces that were put together, was seen
// before they were.
func (s *search) trace(m *Match) bool {
	for _, v := range slices.Backward(s.chain) {
		if v.joins && !v.joined(m.Span) && !v.joined(m.Secret) && !v.joined(m.Token) {
			return false
		}
		m.Span, m.Secret, m.Token = v.origin(m.Span), v.origin(m.Secret), v.origin(m.Token)
	}
	return true
}

// holds reports whether a match without joints has all of m: a private key has lines.
// raw is sorted by where they end. Spans are rarely within each other, so that the
// first few to end with m or after it decide.
func holds(raw []Match, m *Match) bool {
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

// merge returns decoded and what of raw does not overlap it. The decoded text
// says more: a secret with an escape in it is whole only there. What is decoded
// from within a match that is whole is left out, and the complete parts of raw stay
// as they are.
func merge(raw, decoded []Match) []Match {
	decoded = keepComplete(raw, outsideOfWhole(raw, decoded))
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

// outsideOfWhole returns those of decoded that do not begin within a match of raw that is
// whole. Their ends are not exact (view.offset).
func outsideOfWhole(raw, decoded []Match) []Match {
	var whole []Span
	for i := range raw {
		if raw[i].Whole {
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

// withoutWhole returns text with blanks for those of its matches that are whole and
// complete. Decoded, they would show ids and secrets that are no findings, and that take
// the place of others.
func withoutWhole(text []byte, matches []Match) []byte {
	copied := false
	for i := range matches {
		m := &matches[i]
		if !m.Whole || m.Complete&SecretPart == 0 {
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

// A part is the secret or the token of a match.
type part struct {
	Span
	secret Secret
}

// keepComplete gives the matches of decoded the complete tokens of raw where they hold
// them with more, or less, and leaves out those that hold a complete secret so.
func keepComplete(raw, decoded []Match) []Match {
	var complete []part
	for i := range raw {
		m := &raw[i]
		if m.Complete&SecretPart != 0 {
			complete = append(complete, part{m.Secret, m.Credential.Secret})
		}
		if m.Complete&TokenPart != 0 {
			complete = append(complete, part{m.Token, m.Credential.Token})
		}
	}
	if complete == nil { // as in nearly every text
		return decoded
	}
	slices.SortFunc(complete, func(a, b part) int { return cmp.Compare(a.End, b.End) })
	var kept []Match
	for _, m := range decoded {
		if alteredBy(complete, part{m.Secret, m.Credential.Secret}) != nil {
			continue
		}
		if c := alteredBy(complete, part{m.Token, m.Credential.Token}); c != nil {
			if m.Span == m.Token {
				continue
			}
			m.Token, m.Credential.Token, m.Complete = c.Span, c.secret, m.Complete|TokenPart
		}
		kept = append(kept, m)
	}
	return kept
}

// alteredBy returns which of complete, sorted by their ends, p is with more or less, or nil.
func alteredBy(complete []part, p part) *part {
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

package detectors

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/stanch-dev/stanch/detectors/internal/encodings"
	"github.com/stanch-dev/stanch/detectors/internal/marks"
	"github.com/stanch-dev/stanch/detectors/internal/views"
)

// A search looks for matches in one text and in its views:
//
//	text ── plain search
//	  ├─ joined ─ base64 of it             pieces put together: once a round, a dead end
//	  └─ utf16 ─ hex ─ escapes ─ base64 ─┐ each decodes the view before it
//	  ┌───────────── next round ─────────┘ until nothing is left to decode
//
// The matches of a view replace those of the text that they overlap.
type search struct {
	set     *Set
	memo    *Memo
	matches []Match
	first   int // of this search; those before it are the caller's
	// unpackLeft is the number of bytes that may still be unpacked. Only packed data makes a
	// view longer than its text.
	unpackLeft    int
	skipPrefilter bool // for tests: search everything
	everyView     bool // for tests: search views that add nothing too, and decode texts that were decoded
	addedBytes    []byte
	marks         marks.Found // strings of DistantParts in the text and in its views
	hiddenMarks   bool        // a view has some that the text lacks
	// views are the views from the text to the current one.
	views []*views.View
	// parts are the parts of the current view, or of the text, that are decoded; nil for all.
	parts []views.Span
}

// run returns the matches of text. Each round decodes the views of the round before.
func (s *search) run(text []byte) []Match {
	s.matches = s.searchText(s.matches, text)
	s.marks = s.set.distantMarks.In(text)
	if !s.skipPrefilter {
		s.parts = s.set.partsToDecode(text)
	}
	text = blankEnclosing(text, s.matches[s.first:])
	decoders, idle := views.All(), 0 // idle: decoders that saw nothing in text, one after the other
	for range encodings.MaxRounds {
		s.searchJoined(text)
		for _, d := range decoders {
			if idle++; idle > len(decoders) && !s.everyView {
				break // this one and all others
			}
			if v := s.searchView(d, text); v != nil {
				text, idle = v.Text, 0
			}
		}
		if idle >= len(decoders) {
			return s.matches
		}
	}
	s.searchJoined(text)
	return s.matches
}

// searchJoined searches text with its pieces put together, and the same decoded from
// base64. It makes no further view: pieces that do not belong together are garbled in it.
func (s *search) searchJoined(text []byte) {
	known, parts := len(s.views), s.parts
	if v := s.searchView(views.Joiner, text); v != nil {
		s.searchView(views.Base64, v.Text)
	}
	s.views, s.parts = s.views[:known], parts
}

// searchView searches the view of text that d makes and returns the view, or nil.
func (s *search) searchView(d views.Decoder, text []byte) *views.View {
	v := s.decode(d, text)
	if v == nil {
		return nil
	}
	s.unpackLeft -= max(0, len(v.Text)-len(text))
	s.views = append(s.views, v)
	if !s.skipPrefilter && !s.everyView && !s.mayAddMatches(v) {
		return v
	}
	var raw []Match
	var secrets []Span // of raw
	if v.JoinsPieces {
		raw = slices.SortedFunc(slices.Values(s.matches[s.first:]), func(a, b Match) int { return cmp.Compare(a.End, b.End) })
		for i := range raw {
			if !raw[i].Secret.Empty() {
				secrets = append(secrets, raw[i].Secret)
			}
		}
		slices.SortFunc(secrets, func(a, b Span) int { return cmp.Compare(a.End, b.End) })
	}
	found := s.searchText(nil, v.Text)
	decoded := found[:0]
	for _, m := range found {
		if s.mapToText(&m) && !anyCovers(raw, &m) && !anyCut(secrets, m.Secret) {
			decoded = append(decoded, m)
		}
	}
	s.matches = append(s.matches[:s.first], mergeMatches(s.matches[s.first:], decoded)...)
	return v
}

// decode returns the view of text that d makes, or nil.
func (s *search) decode(d views.Decoder, text []byte) *views.View {
	if s.parts == nil {
		return d.Decode(text, s.unpackLeft)
	}
	v := d.DecodeIn(text, s.parts, s.unpackLeft)
	if v != nil {
		parts := make([]views.Span, len(s.parts))
		for i, p := range s.parts {
			parts[i] = v.ImageOf(p)
		}
		s.parts = parts
	}
	return v
}

// leastParted is the least length of a text of which only parts are decoded.
const leastParted = 64 << 10

// partsToDecode returns the parts of text that views may show a match in, or nil for all of
// it. To decode a text takes a hundred times as long as the prefilter, and a manual of a
// megabyte has one example of a key. Strings of DistantParts count as matches here; where they
// are encoded, far from all else, they are lost. All is decoded if an encoding reaches far:
// packed data and UTF-16.
func (s *Set) partsToDecode(text []byte) []views.Span {
	const piece = 8 << 10
	if len(text) < leastParted || bytes.IndexByte(text, 0) >= 0 || s.prefilter.HasPacked(text) {
		return nil
	}
	parts, near := []views.Span{}, s.prefilter.NearWindow()
	for at := 0; at < len(text); at += piece {
		around := text[max(0, at-near):min(len(text), at+piece+near)]
		if !s.prefilter.MayMatchNear(around) && s.distantMarks.In(around).None() {
			continue
		}
		p := views.Span{Start: farReach.before(text, at), End: farReach.behind(text, min(len(text), at+piece))}
		if n := len(parts); n > 0 && p.Start <= parts[n-1].End {
			parts[n-1].End = p.End
			continue
		}
		parts = append(parts, p)
	}
	return parts
}

// mayAddMatches reports whether v may have a match that the text before it lacks, or say
// more about a match. That needs one of these:
//
//   - The decoded bytes and their neighbours may match as they stand.
//   - The decoded bytes are near a known match: they may be its name or its account.
//   - The decoded bytes are near a part of a match whose other parts are anywhere in the
//     view (Rule.DistantParts).
func (s *search) mayAddMatches(v *views.View) bool {
	s.addedBytes = v.AppendAddedBytes(s.addedBytes[:0], s.set.prefilter.Window())
	known := s.marks
	s.marks = known.And(s.set.distantMarks.In(s.addedBytes))
	s.hiddenMarks = s.hiddenMarks || s.marks != known
	if s.set.prefilter.MayMatchPlain(s.addedBytes) {
		return true
	}
	for i := range s.matches[s.first:] {
		m := &s.matches[s.first+i]
		for _, part := range [...]Span{m.Span, m.Secret, m.Token} {
			if part.Empty() {
				continue
			}
			near := views.Span(part)
			for _, w := range s.views {
				near = w.ImageOf(near)
			}
			if v.IsDecodedIn(views.Span{Start: near.Start - contextBytes, End: near.End + contextBytes}) {
				return true
			}
		}
	}
	if !s.set.haveDistantParts(s.marks, s.marks) {
		return false
	}
	s.addedBytes = v.AppendAddedBytes(s.addedBytes[:0], distantBytes)
	return s.set.haveDistantParts(s.marks, s.set.distantMarks.In(s.addedBytes))
}

// distantBytes is the distance of DistantParts from all that belongs to them.
const distantBytes = 8 << 10

// contextBytes is farther than detectors look for facts about a match. The secrets and ids
// that they look for are matches themselves.
const contextBytes = 4000

// searchText appends the matches of text as it stands. It asks the prefilter only about
// views: run is called for texts that may match.
func (s *search) searchText(dst []Match, text []byte) []Match {
	if len(s.views) > 0 && !s.skipPrefilter && !s.set.prefilter.MayMatchNear(text) {
		return dst
	}
	runAll := s.skipPrefilter || s.set.prefilter.HasPlainKeyword(text)
	for _, d := range s.set.detectors {
		if _, ok := d.(PrefilteringDetector); !ok && !runAll {
			continue
		}
		if d, ok := d.(MemoDetector); ok {
			dst = d.DetectWith(s.memo, dst, text)
			continue
		}
		dst = d.Detect(dst, text)
	}
	return dst
}

// mapToText maps m, of the last view, back to the text. It reports whether m counts: in a
// joined view, a match within a single piece was found before.
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

package detectors

import (
	"slices"

	"github.com/stanch-dev/stanch/detectors/internal/views"
)

// A SearchedView is a view and the matches in it; their offsets are into the view.
type SearchedView struct {
	Decoder string
	*views.View
	Matches []Match
}

// SearchViews returns the views that each decoder makes of text alone.
func (s *Set) SearchViews(text []byte) (list []SearchedView) {
	q := &search{set: s, skipPrefilter: true}
	for _, d := range append(views.All(), views.Joiner) {
		if v := d.Decode(text, views.MaxUnpacked); v != nil {
			list = append(list, SearchedView{d.Name, v, q.searchText(nil, v.Text)})
		}
	}
	return list
}

// DetectEvery is Detect with a search of every view, and with each decoder in each round: the
// oracle for the choice of views that may add matches, and for the last round.
func (s *Set) DetectEvery(text []byte) []Match {
	if !s.prefilter.MayMatchNear(text) {
		return nil
	}
	return (&search{set: s, memo: &Memo{whole: len(text)}, unpackLeft: views.MaxUnpacked, everyView: true}).run(text)
}

// DetectAfresh is Detect without a memory of other texts.
func (s *Set) DetectAfresh(text []byte) []Match {
	if !s.prefilter.MayMatchNear(text) {
		return nil
	}
	return (&search{set: s, memo: &Memo{whole: len(text)}, unpackLeft: views.MaxUnpacked}).run(text)
}

// DetectAll is Detect without the prefilter.
func (s *Set) DetectAll(text []byte) []Match {
	return (&search{set: s, memo: &Memo{whole: len(text)}, unpackLeft: views.MaxUnpacked, skipPrefilter: true}).run(text)
}

// MayMatch reports whether text may match by one of the filters.
func (s *Set) MayMatch(text []byte) bool {
	return slices.ContainsFunc(s.Filters(), func(f Filter) bool { return f.MayMatch(text) })
}

// MayMatchNear is MayMatch with a look at the text near a secret.
func (s *Set) MayMatchNear(text []byte) bool {
	return slices.ContainsFunc(s.Filters(), func(f Filter) bool { return f.MayMatchNear(text) })
}

// Window returns the largest window of the filters.
func (s *Set) Window() (n int) {
	for _, f := range s.Filters() {
		n = max(n, f.Window)
	}
	return n
}

// NearWindow returns the largest window of MayMatchNear.
func (s *Set) NearWindow() (n int) {
	for _, f := range s.Filters() {
		n = max(n, f.NearWindow)
	}
	return n
}

// Parts returns the parts of the prefilter.
func (s *Set) Parts() map[string]func(text []byte) bool {
	p := &s.prefilter
	return map[string]func([]byte) bool{
		"plain":  s.detectors[0].(PrefilteringDetector).MayMatch,
		"names":  p.HasPattern,
		"ids":    p.HasEncodedID,
		"pieces": p.HasJoinedID,
		"packed": p.HasPacked,
		"all":    s.MayMatch,
	}
}

// Views returns the decoders; each reports whether it made a view.
func Views() map[string]func(text []byte) bool {
	found := map[string]func([]byte) bool{}
	for _, d := range append(views.All(), views.Joiner) {
		found[d.Name] = func(text []byte) bool { return d.Decode(text, views.MaxUnpacked) != nil }
	}
	return found
}

// CarriesOver reports whether DetectVersion searches only where v differs from its base.
func (s *Set) CarriesOver(v *Version) bool {
	_, ok := s.carryOver(v)
	return ok
}

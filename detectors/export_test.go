package detectors

import "github.com/stanch-dev/stanch/detectors/internal/views"

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
	return (&search{set: s, unpackLeft: views.MaxUnpacked, everyView: true}).run(text)
}

// DetectAfresh is Detect without a memory of other texts.
func (s *Set) DetectAfresh(text []byte) []Match {
	if !s.prefilter.MayMatchNear(text) {
		return nil
	}
	return (&search{set: s, unpackLeft: views.MaxUnpacked}).run(text)
}

// DetectAll is Detect without the prefilter.
func (s *Set) DetectAll(text []byte) []Match {
	return (&search{set: s, unpackLeft: views.MaxUnpacked, skipPrefilter: true}).run(text)
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

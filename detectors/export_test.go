package detectors

import "github.com/stanch-dev/stanch/detectors/internal/views"

// DetectAll is Detect without the probe: what the probe is held to.
func (s *Set) DetectAll(text []byte) []Match {
	return (&search{set: s, unpackLeft: views.MaxUnpacked, skipPrefilter: true}).run(text)
}

// DetectOnce is DetectAll with one round of views.
func (s *Set) DetectOnce(text []byte) []Match {
	q := &search{set: s, unpackLeft: views.MaxUnpacked, skipPrefilter: true}
	q.matches = q.searchText(q.matches, text)
	q.searchJoined(text)
	for _, d := range views.All() {
		if v := q.searchView(d, text); v != nil {
			text = v.Text
		}
	}
	q.searchJoined(text)
	return q.matches
}

// DetectEvery is Detect with a search of every view: what the choice of those that say
// something new is held to.
func (s *Set) DetectEvery(text []byte) []Match {
	if !s.prefilter.MayMatchNear(text) {
		return nil
	}
	return (&search{set: s, unpackLeft: views.MaxUnpacked, everyView: true}).run(text)
}

// Parts returns what the probe is made of.
func (s *Set) Parts() map[string]func(text []byte) bool {
	p := &s.prefilter
	return map[string]func([]byte) bool{
		"plain":  s.detectors[0].(PrefilteringDetector).MayMatch,
		"names":  p.HasPattern,
		"ids":    p.HasEncodedID,
		"pieces": p.HasJoinedID,
		"gzip":   p.HasGzip,
		"all":    s.MayMatch,
	}
}

// Views returns what makes views; each reports whether it made one.
func Views() map[string]func(text []byte) bool {
	found := map[string]func([]byte) bool{}
	for _, d := range append(views.All(), views.Joiner) {
		found[d.Name] = func(text []byte) bool { return d.Decode(text, views.MaxUnpacked) != nil }
	}
	return found
}

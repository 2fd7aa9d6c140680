package detectors

// DetectAll is Detect without the probe: what the probe is held to.
func (s *Set) DetectAll(text []byte) []Match {
	return (&search{set: s, room: maxUnpacked, all: true}).in(text)
}

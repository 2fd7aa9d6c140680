package rules

// firstReach and nearReach bound the bytes that a match may depend on for MayMatch and
// MayMatchNear. Most matches depend on few, and a delta is read as far beside each change.
const (
	firstReach = 160
	nearReach  = 640
)

// MayMatch implements detectors.PrefilteringDetector. It is true if a rule matches at one of
// its words, entropy and allowlists considered, or if that depends on more than firstReach bytes.
func (d *Detector) MayMatch(text []byte) bool { return d.mayMatch(text, firstReach) }

// MayMatchNear implements detectors.PrefilteringDetector. It is MayMatch with nearReach.
func (d *Detector) MayMatchNear(text []byte) bool { return d.mayMatch(text, nearReach) }

func (d *Detector) mayMatch(text []byte, reach int) bool {
	if len(text) == 0 {
		return false
	}
	if len(d.alwaysRun) > 0 {
		return true
	}
	s := d.takeScratch()
	defer d.keepScratch(s)
	may := false
	d.words.Find(text, func(at, id int) bool {
		for _, n := range d.rulesByWord[id] {
			may = may || d.rules[n].hasNoStarts
		}
		for _, n := range d.plansByWord[id] {
			may = may || s.mayMatchAt(d, n, text, at, reach)
		}
		return !may
	})
	return may
}

// mayMatchAt reports whether plan n matches with a start at an offset, or depends on more than
// reach bytes.
func (s *scratch) mayMatchAt(d *Detector, n int, text []byte, at, reach int) bool {
	w := s.run(d, n).Window(text, at, reach)
	if w.Empty() || w.To-w.Start > reach {
		return !w.Empty()
	}
	r := d.plans[n].rule
	return len(s.memo.matches(r, d.rules[r], text[w.Start:w.End])) > 0
}

// Window implements detectors.PrefilteringDetector.
func (d *Detector) Window() int { return d.windowOf(firstReach) }

// NearWindow implements detectors.PrefilteringDetector.
func (d *Detector) NearWindow() int { return d.windowOf(nearReach) }

func (d *Detector) windowOf(reach int) int { return max(reach+1, d.longest) }

package verifiertest

import "time"

// A limit is how often a call may come in each region.
type limit struct {
	perSecond int
	calls     map[string][]time.Time // by region
	refused   int
}

// Limit lets a call come so often in a second and region, and refuses others as AWS
// does.
func (a *AWS) Limit(permission string, perSecond int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.limits == nil {
		a.limits = map[string]*limit{}
	}
	a.limits[permission] = &limit{perSecond: perSecond, calls: map[string][]time.Time{}}
}

// Refused returns how many calls came too soon.
func (a *AWS) Refused(permission string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.limits[permission].refused
}

// admits reports whether another call may come now. A nil limit admits all.
func (l *limit) admits(region string) bool {
	if l == nil {
		return true
	}
	var recent []time.Time
	for _, at := range l.calls[region] {
		if time.Since(at) < time.Second {
			recent = append(recent, at)
		}
	}
	if len(recent) >= l.perSecond {
		l.refused++
		return false
	}
	l.calls[region] = append(recent, time.Now())
	return true
}

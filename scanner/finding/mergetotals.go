package finding

import "time"

// addTotals adds up what the scans have read. The time is that of the longest: shards run beside
// each other.
func (m *merger) addTotals() {
	out := &m.totals
	out.Unread = []Unread{} // not null in JSON
	again, unread, accepted := map[int]Again{}, map[Unread]bool{}, map[Unread]bool{}
	for i, r := range m.reports {
		t := &r.Totals
		out.Unread = m.addUnread(out.Unread, unread, i, t.Unread)
		out.Accepted = m.addUnread(out.Accepted, accepted, i, t.Accepted)
		out.Stopped = out.Stopped || t.Stopped
		out.ElapsedMS = max(out.ElapsedMS, t.ElapsedMS)
		if m.same[i] == i {
			out.Objects += t.Objects
			out.Bytes += t.Bytes
		}
		if t.Again != nil {
			again[m.same[i]] = *t.Again
		}
	}
	for _, a := range again {
		if out.Again == nil {
			out.Again = &Again{}
		}
		out.Again.Asked += a.Asked
		out.Again.Of += a.Of
	}
}

// addUnread adds to out what was not seen. A path is put behind the target that it is in.
func (m *merger) addUnread(out []Unread, seen map[Unread]bool, i int, list []Unread) []Unread {
	h := &m.reports[i].Header
	for _, u := range list {
		if m.several && (h.Source == "git" || h.Source == "dir") && !h.names(u.What) && u.Why != ErrTruncated.Error() {
			u.What = m.targets[i] + ": " + u.What
		}
		if !seen[u] {
			seen[u] = true
			out = append(out, u)
		}
	}
	return out
}

// repositories keeps the outcome of the newest look at each repository. Only a sweep says when
// that was. A scan that left a repository out says nothing about another scan that read it.
func (m *merger) repositories() (out []Repository) {
	type look struct {
		read bool
		at   time.Time
		i    int // in out
	}
	looks := map[[2]string]look{}
	for _, r := range m.reports {
		for _, x := range r.Repositories {
			key := [2]string{x.Name, x.URL}
			now := look{read: x.State != RepositorySkipped && x.State != RepositoryWaiting, at: x.At, i: len(out)}
			if now.at.IsZero() {
				now.at = r.Header.Started
			}
			switch old, ok := looks[key]; {
			case !ok:
				out = append(out, x)
			case now.read == old.read && now.at.After(old.at), now.read && !old.read:
				now.i = old.i
				out[now.i] = x
			default:
				continue
			}
			looks[key] = now
		}
	}
	return out
}

package activity

import (
	"context"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// Recent is Read for several ids, the leaked key first and then credentials that are known to
// have been issued to it. It reads nothing from before since, so Places are not complete.
func (r *Reader) Recent(ctx context.Context, s *operator.Session, ids []string, since time.Time, regions []string) Log {
	t := &trace{reader: r, session: s, regions: regions, now: r.now(), from: since, recent: true, log: Log{KeyID: ids[0], Since: since}, calls: map[Calls]*Calls{}, places: map[string]*Place{}}
	seen := map[string]bool{}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { known := seen[id]; seen[id] = true; return known })
	t.readAll(ctx, ids, since)
	t.follow(ctx, seen)
	return t.finish()
}

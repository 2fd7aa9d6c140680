package activity

import (
	"context"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// Recent is Read for several ids, the leaked key first and then credentials that are known to
// have been issued to it, also in other accounts, whose roles the key has assumed. It reads
// nothing from before since, so Places are not complete.
func (r *Reader) Recent(ctx context.Context, s *operator.Session, ids, accounts []string, since time.Time, regions []string) Log {
	t := r.trace(s, regions, r.now(), Log{KeyID: ids[0], Since: since})
	t.from, t.recent = since, true
	seen := map[string]bool{}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { known := seen[id]; seen[id] = true; return known })
	t.readAll(ctx, ids, since)
	home := t.site
	for _, account := range accounts {
		if account != t.home && t.in(ctx, account, "account "+account+" has roles that the key assumed") {
			t.readAll(ctx, ids[1:], since)
		}
		t.site = home
	}
	t.follow(ctx, seen)
	return t.finish()
}

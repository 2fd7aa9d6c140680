//go:build sweep

package riverqueue

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep"
)

// TestTroubleEnds: a deletion of old rows that fails when a process starts, and is done a
// moment later, does not end a run that lasts longer than a worker may be silent.
func TestTroubleEnds(t *testing.T) {
	s := openStore(t)
	repositories(t, s, 1)
	run(t, s, `ALTER TABLE budget RENAME TO away`)
	q := queue(t, s)
	q.config.Silence = 3 * time.Second
	q.do = func(ctx context.Context, _ sweep.Job, _ bool, done sweep.Done) error {
		run(t, s, `ALTER TABLE away RENAME TO budget`)
		time.Sleep(q.config.Silence + 2*time.Second)
		return s.Tx(ctx, func(tx *sql.Tx) error { return done(ctx, tx) })
	}
	if err := q.Run(t.Context(), nil, true); err != nil {
		t.Error(err)
	}
}

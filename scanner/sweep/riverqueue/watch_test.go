//go:build sweep

package riverqueue

import (
	"context"
	"database/sql"
	"slices"
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

// TestLostJobs: a job that has ended here, and runs by the database, is lost once it is old
// enough. One whose end the database has is forgotten: a sweep of 100,000 repositories leaves
// nothing behind in memory.
func TestLostJobs(t *testing.T) {
	var j jobs
	for id := range int64(1000) {
		j.begin(id, sweep.KindScan, id)
		j.end(id)
	}
	j.begin(1000, sweep.KindScan, 1000)
	if lost := j.lost(map[int64]bool{7: true}, time.Hour); lost != nil || len(j.ended) != 1000 {
		t.Errorf("a moment later: %v is lost, and %d are known", lost, len(j.ended))
	}
	if lost := j.lost(map[int64]bool{7: true, 1000: true}, -1); !slices.Equal(lost, []int64{7}) || len(j.ended) != 1 {
		t.Errorf("%v is lost, and %d are known", lost, len(j.ended))
	}
	j.begin(7, sweep.KindScan, 7)
	if lost := j.lost(map[int64]bool{7: true, 1000: true}, -1); lost != nil || !j.anyRuns() {
		t.Errorf("%v is lost while it runs", lost)
	}
}

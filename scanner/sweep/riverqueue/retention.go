//go:build sweep

package riverqueue

import (
	"context"
	"fmt"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// A retention says for how long the rows of a table are kept.
type retention struct {
	table string
	keep  time.Duration
	// old is the condition of rows to delete; $1 is the time before which they are old.
	old string
}

const day = 24 * time.Hour

// retentions are the tables that grow with time. Targets, repositories, findings, their
// locations and what people did with them are kept until their target is removed.
// docs/operations.md says so.
func retentions() []retention {
	return []retention{
		{"verification", 90 * day, `at < $1 AND at < (SELECT MAX(latest.at) FROM verification AS latest WHERE latest.fingerprint = verification.fingerprint)`},
		{"sweep", 90 * day, `ended > 0 AND ended < $1 AND number < (SELECT target.sweep FROM target WHERE target.name = sweep.target)`},
		{"budget", day, `until < $1`},
		{"list_page", 7 * day, `at < $1`},
	}
}

// keepJobs is how long the queue keeps jobs that are done. River's own cleaner needs a process
// that lives for a while, and "run" may end after milliseconds.
const keepJobs = 2 * day

// tidy deletes the rows that are older than their retention.
func (q *Queue) tidy(ctx context.Context) error {
	s := q.config.Store
	for _, r := range retentions() {
		if _, err := database.Exec(ctx, s.SQL, `DELETE FROM `+r.table+` WHERE `+r.old, database.Millis(s.Now().Add(-r.keep))); err != nil {
			return fmt.Errorf("deleting old rows of %s: %w", r.table, err)
		}
	}
	old := []string{
		`DELETE FROM river_job WHERE state IN ('cancelled', 'completed', 'discarded') AND julianday(finalized_at) < julianday('now') - $1`,
		`DELETE FROM river_notification WHERE julianday(created_at) < julianday('now') - $1`,
	}
	if s.Postgres {
		old = []string{`DELETE FROM river_job WHERE state IN ('cancelled', 'completed', 'discarded') AND finalized_at < now() - $1 * interval '1 day'`}
	}
	for _, statement := range old {
		if _, err := database.Exec(ctx, s.SQL, statement, keepJobs.Hours()/24); err != nil {
			return fmt.Errorf("deleting old jobs: %w", err)
		}
	}
	return nil
}

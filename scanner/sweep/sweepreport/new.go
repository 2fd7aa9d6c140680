package sweepreport

import (
	"context"

	"github.com/stanch-dev/stanch/scanner/finding"
	scanrun "github.com/stanch-dev/stanch/scanner/run"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// readNew reads which findings are new: those that were seen first after the last sweep of
// each target that has them began. Targets are swept at times of their own, so one moment
// for all of them would call a finding new for as long as the slowest of them takes.
func (w *writer) readNew(ctx context.Context) error {
	if w.FailOn != scanrun.FailOnNew {
		return nil
	}
	w.isNew = map[string]bool{}
	return database.EachRow(ctx, w.Store.SQL, func(scan func(...any) error) error {
		var fingerprint string
		err := scan(&fingerprint)
		w.isNew[fingerprint] = true
		return err
	}, `SELECT f.fingerprint FROM finding f JOIN location l ON l.fingerprint = f.fingerprint
		JOIN repository r ON r.number = l.repository JOIN target t ON t.name = r.target
		WHERE $1 = '' OR r.target = $1 GROUP BY f.fingerprint, f.first_seen HAVING f.first_seen >= MAX(t.begun)`, w.Target)
}

// levelOf returns the level by which f counts.
func (w *writer) levelOf(f *finding.Finding) scanrun.FailOn {
	switch {
	case w.FailOn != scanrun.FailOnNew:
		return w.FailOn
	case w.isNew[f.Fingerprint()]:
		return scanrun.FailOnAny
	}
	return scanrun.FailOnNever
}

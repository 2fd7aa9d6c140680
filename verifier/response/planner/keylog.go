package planner

import (
	"context"

	"github.com/stanch-dev/stanch/verifier/activity"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
)

// A keyLog is the log of a key. Err says why only the home region was read, if the other
// regions are not known.
type keyLog struct {
	activity.Log
	Regions []string // that were read
	Err     error
}

// keyLogs are the logs that were read, by key id. Each key is read once, for the gates and
// for the steps.
type keyLogs map[string]keyLog

// read returns what k did since it leaked.
func (l keyLogs) read(ctx context.Context, r *activity.Reader, s *operator.Session, k *response.Key) keyLog {
	if known, ok := l[k.KeyID]; ok {
		return known
	}
	var read keyLog
	read.Regions, read.Err = r.Regions(ctx, s)
	read.Log = r.Read(ctx, s, k.KeyID, k.Since, read.Regions)
	if read.Err != nil {
		read.Whole = false // the key may have been used elsewhere
	}
	l[k.KeyID] = read
	return read
}

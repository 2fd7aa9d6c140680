package planner

import (
	"context"

	"github.com/stanch-dev/stanch/verifier/activity"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
)

// A history is the log of a key. Err says why only the home region was read, if the other
// regions are not known.
type history struct {
	activity.Log
	Regions []string // that were read
	Err     error
}

// histories are the logs that were read, by key id. Each key is read once, for the gates and
// for the steps.
type histories map[string]history

// read returns what k did since it leaked.
func (h histories) read(ctx context.Context, r *activity.Reader, s *operator.Session, k *response.Key) history {
	if known, ok := h[k.KeyID]; ok {
		return known
	}
	var read history
	read.Regions, read.Err = r.Regions(ctx, s)
	read.Log = r.Read(ctx, s, k.KeyID, k.Since, read.Regions)
	if read.Err != nil {
		read.Whole = false // the key may have been used elsewhere
	}
	h[k.KeyID] = read
	return read
}

package planner

import (
	"context"

	"github.com/stanch-dev/stanch/verifier/activity"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response"
)

// A history is what CloudTrail tells about a key. Err says why only the home region was
// read, if the other regions are not known.
type history struct {
	activity.Log
	Regions []string // that were read
	Err     error
}

// history reads what the key did. Each key is read once, for the gates and for the steps.
func (p *Planner) history(ctx context.Context, s *operator.Session, k *response.Key) history {
	if h, ok := p.histories[k.KeyID]; ok {
		return h
	}
	var h history
	h.Regions, h.Err = activity.Regions(ctx, s)
	h.Log = p.trail().Read(ctx, s, k.KeyID, k.Since, h.Regions)
	if h.Err != nil {
		h.Whole = false // the key may have been used elsewhere
	}
	if p.histories == nil {
		p.histories = map[string]history{}
	}
	p.histories[k.KeyID] = h
	return h
}

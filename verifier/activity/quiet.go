package activity

import (
	"context"
	"encoding/json"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// A quietRegion has the events of a region in which so little happened that a page holds
// them all: they serve all ids. events is nil if the region is not quiet, or could not be
// read.
type quietRegion struct {
	events []json.RawMessage
}

// quiet returns the events of all ids in a region since CloudTrail's history begins, and
// whether that is all of them. The region is asked once, and only if Reader.Many is set.
func (t *trace) quiet(ctx context.Context, region string) ([]json.RawMessage, bool) {
	r := t.reader
	if !r.Many {
		return nil, false
	}
	name := t.session.Account + " " + region
	r.mu.Lock()
	q := r.regions[name]
	r.mu.Unlock()
	if q == nil {
		q = &quietRegion{events: t.wholeRegion(ctx, name, region)}
		r.mu.Lock()
		if r.regions == nil {
			r.regions = map[string]*quietRegion{}
		}
		r.regions[name] = q
		r.mu.Unlock()
	}
	return q.events, q.events != nil
}

// wholeRegion asks for one page of the events of all ids. It returns nil if there are more,
// or no answer: then each id is asked about, and says why it cannot be read.
func (t *trace) wholeRegion(ctx context.Context, name, region string) []json.RawMessage {
	c := operator.Call{Service: "cloudtrail", Action: "LookupEvents", Region: region, Body: map[string]any{
		"StartTime": t.now.Add(-History).Unix(), "MaxResults": 50,
	}}
	var page struct {
		Events    []json.RawMessage
		NextToken string
	}
	t.reader.wait(ctx, name)
	if err := t.session.Do(ctx, c, &page); err != nil || page.NextToken != "" {
		return nil
	}
	return append([]json.RawMessage{}, page.Events...) // not nil
}

// signer returns the id that signed the call of an event, or "".
func (rec record) signer() string {
	if rec.AccessKeyID != "" {
		return rec.AccessKeyID
	}
	var text struct{ UserIdentity struct{ AccessKeyID string } }
	_ = json.Unmarshal([]byte(rec.CloudTrailEvent), &text) // the fields that can be read are read
	return text.UserIdentity.AccessKeyID
}

// noteSigned notes those of events that an id has signed.
func (t *trace) noteSigned(events []json.RawMessage, id, region string) {
	for _, raw := range events {
		var rec record
		_ = json.Unmarshal(raw, &rec) // the fields that can be read are read
		if rec.signer() == id {
			t.note(id, region, t.timeOf(rec), rec)
		}
	}
}

package activity

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// A quietRegion has the events of a region in which so little happened that a few pages hold
// them all: they serve all ids. events is nil if the region is not quiet, or could not be
// read.
type quietRegion struct {
	events []json.RawMessage
	asked  time.Time
}

// keep is how long the events of a region since some recent time serve. CloudTrail tells of
// a call some minutes late (Delay), so little that is newer could be there.
const keep = time.Minute

// quiet returns the events of all ids in a region since trace.from, and whether that is all
// of them. The region is asked once, and only if Reader.Keys is more than one.
func (t *trace) quiet(ctx context.Context, region string) ([]json.RawMessage, bool) {
	r := t.reader
	if r.Keys < 2 {
		return nil, false
	}
	name := t.session.Account + " " + region
	if t.recent {
		name += " " + t.from.String()
	}
	r.mu.Lock()
	q := r.regions[name]
	r.mu.Unlock()
	if q == nil || t.recent && t.now.Sub(q.asked) > keep {
		q = &quietRegion{events: t.wholeRegion(ctx, region, t.from, r.Keys/2), asked: t.now}
		r.mu.Lock()
		if r.regions == nil {
			r.regions = map[string]*quietRegion{}
		}
		r.regions[name] = q
		r.mu.Unlock()
	}
	return q.events, q.events != nil
}

// wholeRegion asks for the events of all ids since start, on so many pages at most, half as
// many as there are ids: then a busy region costs little more than the questions about each
// id. It returns nil if there are more, or no answer: then each id is asked about, and says
// why it cannot be read.
func (t *trace) wholeRegion(ctx context.Context, region string, start time.Time, pages int) []json.RawMessage {
	body := map[string]any{"StartTime": start.Unix(), "MaxResults": 50}
	c := operator.Call{Service: "cloudtrail", Action: "LookupEvents", Region: region, Body: body}
	events := []json.RawMessage{} // not nil
	for range pages {
		var page struct {
			Events    []json.RawMessage
			NextToken string
		}
		if err := t.ask(ctx, c, &page); err != nil {
			return nil
		}
		events = append(events, page.Events...)
		if page.NextToken == "" {
			return events
		}
		body["NextToken"] = page.NextToken
	}
	return nil
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

// noteSigned notes those of events that ids have signed.
func (t *trace) noteSigned(events []json.RawMessage, ids []string, region string) {
	for _, raw := range events {
		var rec record
		_ = json.Unmarshal(raw, &rec) // the fields that can be read are read
		if id := rec.signer(); slices.Contains(ids, id) {
			t.note(id, region, t.timeOf(rec), rec)
		}
	}
}

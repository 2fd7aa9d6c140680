package activity

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// A record is one event, as LookupEvents lists it.
type record struct {
	EventID, EventName, EventSource string
	AccessKeyID                     string  // that signed
	EventTime                       float64 // seconds since 1970
	Resources                       []struct{ ResourceType, ResourceName string }
	CloudTrailEvent                 string // JSON
}

// manyIDs is from how many ids on a region is read whole, if it can be.
const manyIDs = 4

// readAll reads the events of ids since start, in all regions, several at a time. If there are
// many ids, a region in which little happened is read whole: most are such, and it takes a
// question or two in place of one for each id.
func (t *trace) readAll(ctx context.Context, ids []string, start time.Time) {
	if len(ids) == 0 {
		return
	}
	var wg sync.WaitGroup
	turn := make(chan struct{}, maxRegions)
	for _, region := range t.regions {
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			events, ok := t.quiet(ctx, region)
			if !ok && len(ids) >= manyIDs {
				events = t.wholeRegion(ctx, region, start, len(ids)/2)
			}
			if events != nil {
				t.noteSigned(events, ids, region)
				return
			}
			for _, id := range ids {
				if !t.readIn(ctx, region, id, start) {
					return // the next ones are not answered either
				}
			}
		})
	}
	wg.Wait()
}

// readIn reads the events of an id in one region, the newest first. It returns false if
// CloudTrail does not answer.
func (t *trace) readIn(ctx context.Context, region, id string, start time.Time) bool {
	body := map[string]any{
		"LookupAttributes": []map[string]string{{"AttributeKey": "AccessKeyId", "AttributeValue": id}},
		"StartTime":        start.Unix(), "MaxResults": 50,
	}
	c := operator.Call{Service: "cloudtrail", Action: "LookupEvents", Region: region, Body: body}
	oldest := t.now
	for range maxPages {
		var page struct {
			Events    []json.RawMessage // each may be of an unexpected form
			NextToken string
		}
		if err := t.ask(ctx, c, &page); err != nil {
			t.partial(id)
			t.gap(Gap{Region: t.here(region), Why: err.Error(), Err: err})
			return false
		}
		for _, raw := range page.Events {
			var rec record
			_ = json.Unmarshal(raw, &rec) // the fields that can be read are read
			at := t.timeOf(rec)
			if at.Before(oldest) {
				oldest = at
			}
			t.note(id, region, at, rec)
		}
		if page.NextToken == "" {
			return true
		}
		body["NextToken"] = page.NextToken
	}
	t.partial(id)
	if !oldest.Before(t.counts()) { // else everything that counts is read
		t.gap(Gap{Region: t.here(region), Why: fmt.Sprintf("more than %d events of %s: not all are read", maxPages*50, id)})
	}
	return true
}

// patience is how often a question to CloudTrail is asked that is throttled all the time:
// others, such as the console, share the rate of the account. Each time takes some seconds.
const patience = 4

// ask asks CloudTrail when it is its turn.
func (t *trace) ask(ctx context.Context, c operator.Call, out any) (err error) {
	for range patience {
		t.reader.wait(ctx, t.session.Account+" "+c.Region)
		err = t.session.Do(ctx, c, out)
		if e := (*operator.Error)(nil); !errors.As(err, &e) || !e.Busy() {
			return err
		}
	}
	return err
}

// timeOf returns the time of an event. One whose time cannot be read counts, whenever it was.
func (t *trace) timeOf(rec record) time.Time {
	if rec.EventTime == 0 {
		return t.log.Since.UTC()
	}
	return time.Unix(int64(rec.EventTime), 0).UTC()
}

// partial notes that some events of an id were not read.
func (t *trace) partial(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if id == t.log.KeyID {
		t.log.Whole = false
	}
}

// wait keeps to the rate that CloudTrail allows for an account and region: it takes the next
// turn and waits for it.
func (r *Reader) wait(ctx context.Context, name string) {
	pace := cmp.Or(r.Pace, 550*time.Millisecond)
	if pace < 0 {
		return
	}
	r.mu.Lock()
	if r.next == nil {
		r.next = map[string]time.Time{}
	}
	turn := time.Now()
	if next := r.next[name]; next.After(turn) {
		turn = next
	}
	r.next[name] = turn.Add(pace)
	r.mu.Unlock()
	select {
	case <-time.After(time.Until(turn)):
	case <-ctx.Done():
	}
}

package activity_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/verifier/activity"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestKeys: a region whose events fit on a few pages is asked once for all keys, and the logs
// are the same as if it had been asked for each.
func TestKeys(t *testing.T) {
	for _, tt := range []struct {
		name    string
		events  int  // of another key, in the home region
		refused bool // CloudTrail does not answer the first question
		keys    int  // of which two are read here
		asked   int  // questions about two keys in two regions
	}{
		{name: "quiet", events: 40, keys: 2, asked: 2},
		{name: "busy", events: 60, keys: 3, asked: 4},
		{name: "two pages", events: 60, keys: 4, asked: 3},
		{name: "three pages are too many", events: 110, keys: 4, asked: 5},
		{name: "refused", events: 40, keys: 2, refused: true, asked: 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHistory(t)
			second := "AKIA" + "I" + "SECOND"
			h.call(h.key, "iam", "ListUsers", time.Hour, nil)
			h.callIn(other, h.key, "ec2", "DescribeInstances", time.Hour, nil)
			h.call(second, "s3", "ListBuckets", time.Hour, nil)
			for n := range tt.events {
				h.call("AKIA"+"I"+"THIRD", "sts", fmt.Sprintf("Call%d", n), time.Minute, nil)
			}
			read := func(r *activity.Reader) (logs []activity.Log, asked int) {
				o, err := operator.New(t.Context(), operator.Config{Endpoint: h.URL, Wait: time.Millisecond})
				if err != nil {
					t.Fatal(err)
				}
				now := time.Now()
				r.Pace, r.Now = -1, func() time.Time { return now }
				if tt.refused && r.Keys > 0 {
					h.Next("cloudtrail:LookupEvents", verifiertest.JSONFailure(400, "AccessDeniedException", "x"))
				}
				before := len(h.Requests())
				for _, id := range []string{h.key, second} {
					logs = append(logs, r.Read(t.Context(), o.Own(), id, h.leaked, []string{home, other}))
				}
				for _, request := range h.Requests()[before:] {
					if request.Action == "LookupEvents" {
						asked++
					}
				}
				return logs, asked
			}
			want, alone := read(&activity.Reader{})
			got, asked := read(&activity.Reader{Keys: tt.keys})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if len(want[0].Calls) != 2 || len(want[1].Calls) != 1 || alone != 4 {
				t.Errorf("%d questions: %v", alone, want)
			}
			if asked != tt.asked {
				t.Errorf("%d questions about both, want %d", asked, tt.asked)
			}
		})
	}
}

// TestRecentKeys: at the end of an apply each region is asked once about all keys, but not
// with an answer of minutes ago.
func TestRecentKeys(t *testing.T) {
	h := newHistory(t)
	second := "AKIA" + "I" + "SECOND"
	h.call(h.key, "iam", "CreateUser", 48*time.Hour-time.Minute, nil)
	h.call(second, "iam", "CreateRole", 48*time.Hour-time.Minute, nil)
	h.call(second, "iam", "ListUsers", time.Hour, nil)
	o, err := operator.New(t.Context(), operator.Config{Endpoint: h.URL, Wait: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	since := now.Add(-20 * time.Minute)
	r := &activity.Reader{Pace: -1, Now: func() time.Time { return now }, Keys: 2}
	read := func(id, want string) (asked int) {
		t.Helper()
		before := len(h.Requests())
		regions, err := r.Regions(t.Context(), o.Own())
		if err != nil {
			t.Fatal(err)
		}
		log := r.Recent(t.Context(), o.Own(), []string{id}, nil, since, append(regions, other))
		if len(log.Calls) != 1 || log.Calls[0].Action != want || len(log.Unread) > 0 {
			t.Errorf("%s: %v %v", id, log.Calls, log.Unread)
		}
		return len(h.Requests()) - before
	}
	for _, step := range []struct {
		id, call string
		later    time.Duration
		asked    int
	}{
		{h.key, "iam:CreateUser", 0, 3}, // the regions, and two of them
		{second, "iam:CreateRole", 0, 0},
		{second, "iam:CreateRole", 2 * time.Minute, 2},
	} {
		now = now.Add(step.later)
		if n := read(step.id, step.call); n != step.asked {
			t.Errorf("%s after %s: %d requests, want %d", step.id, step.later, n, step.asked)
		}
	}
}

package assessment

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/operator"
)

// A callGroup holds the calls of the key that one fact describes.
type callGroup struct{ action, address, agent, region, code string }

// callTimes says when the calls of a group were made, and how many.
type callTimes struct {
	n           int
	first, last time.Time
}

// lookUpEvents reads the events of the key in a region.
func (r *inquiry) lookUpEvents(ctx context.Context, region string) {
	since := r.exposure.Since
	if oldest := r.now().Add(-history); since.Before(oldest) {
		since = oldest
	}
	body := map[string]any{
		"LookupAttributes": []map[string]string{{"AttributeKey": "AccessKeyId", "AttributeValue": r.keyID}},
		"StartTime":        since.Unix(), "MaxResults": 50,
	}
	c := operator.Call{Service: "cloudtrail", Action: "LookupEvents", Region: region, Body: body}
	for range maxPages {
		var page struct {
			Events []struct {
				EventTime       float64
				CloudTrailEvent string
			}
			NextToken string
		}
		r.waitForTurn(ctx, region)
		if err := r.session.Do(ctx, c, &page); err != nil {
			r.addIn(region, "activity", unknownPrefix+Why(err), neutral, source(c))
			return
		}
		for _, e := range page.Events {
			r.countEvent(e.CloudTrailEvent, time.Unix(int64(e.EventTime), 0), region)
		}
		if page.NextToken == "" {
			return
		}
		body["NextToken"] = page.NextToken
	}
	r.addIn(region, "activity", fmt.Sprintf("more than %d events: not all are read", maxPages*50), notable, source(c))
}

// countEvent counts one event, unless it is stanch's own.
func (r *inquiry) countEvent(text string, at time.Time, region string) {
	var e struct{ EventSource, EventName, SourceIPAddress, UserAgent, ErrorCode string }
	if json.Unmarshal([]byte(text), &e) != nil {
		e.EventName = "unreadable event"
	}
	service, _, _ := strings.Cut(e.EventSource, ".")
	// The call has to fit as well: an intruder with this user agent hides nothing else.
	if e.EventName == "GetCallerIdentity" && strings.Contains(e.UserAgent, "app/stanch-") {
		return
	}
	if r.events == nil {
		r.events = map[callGroup]*callTimes{}
	}
	agent, _, _ := strings.Cut(e.UserAgent, " ")
	g := callGroup{strings.TrimPrefix(service+":"+e.EventName, ":"), e.SourceIPAddress, agent, region, e.ErrorCode}
	s := r.events[g]
	if s == nil {
		s = &callTimes{first: at, last: at}
		r.events[g] = s
	}
	s.n++
	if at.Before(s.first) {
		s.first = at
	}
	if at.After(s.last) {
		s.last = at
	}
}

// activity adds a fact for each group of calls, the dangerous first.
func (r *inquiry) activity() {
	groups := make([]callGroup, 0, len(r.events))
	for g := range r.events {
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b callGroup) int {
		return cmp.Or(cmp.Compare(b.risk(), a.risk()), r.events[b].last.Compare(r.events[a].last), cmp.Compare(a.action, b.action),
			cmp.Compare(a.region, b.region), cmp.Compare(a.address, b.address))
	})
	const call = "cloudtrail:LookupEvents"
	for i, g := range groups {
		if i == maxGroups {
			r.add("activity", fmt.Sprintf("%d more kinds of calls", len(groups)-i), notable, call)
			break
		}
		s := r.events[g]
		text := fmt.Sprintf("%s, %d times, from %s by %s, %s", g.action, s.n, orNone(g.address), orNone(g.agent), g.region)
		if g.code != "" {
			text += ", " + g.code
		}
		text += ", " + s.first.UTC().Format(time.RFC3339)
		if s.last.After(s.first) {
			text += " to " + s.last.UTC().Format(time.RFC3339)
		}
		r.add("activity", text, g.risk(), call)
	}
	if len(groups) == 0 && !slices.ContainsFunc(r.facts, isActivity) {
		r.add("activity", "none since "+r.exposure.since(r.now())+", but for what data events would show", neutral, call)
	}
}

// isActivity reports whether f says that the events of a region could not be read.
func isActivity(f verifier.Fact) bool { return f.Name == "activity" }

func (e Exposure) since(now time.Time) string {
	if oldest := now.Add(-history); e.Since.Before(oldest) {
		return oldest.UTC().Format(time.DateOnly) + " (CloudTrail's history)"
	}
	return e.Since.UTC().Format(time.DateOnly)
}

// risk judges a call: dangerous are those that make more keys, hide tracks or cost money. A
// refused one did less harm.
func (g callGroup) risk() int {
	_, name, _ := strings.Cut(g.action, ":")
	switch {
	case !dangerous[name]:
		return notable
	case g.code != "":
		return bad
	}
	return act
}

// dangerous are calls that intruders are known for, most of them denied by AWS's
// own quarantine policy.
var dangerous = map[string]bool{
	"CreateUser": true, "CreateAccessKey": true, "CreateLoginProfile": true, "UpdateLoginProfile": true,
	"AttachUserPolicy": true, "PutUserPolicy": true, "AttachRolePolicy": true, "PutRolePolicy": true, "CreateRole": true,
	"UpdateAssumeRolePolicy": true, "AddUserToGroup": true, "UpdateAccessKey": true, "DeactivateMFADevice": true,
	"GetFederationToken": true, "GetSessionToken": true, "AssumeRole": true,
	"StopLogging": true, "DeleteTrail": true, "PutEventSelectors": true, "DeleteDetector": true, "LeaveOrganization": true,
	"RunInstances": true, "RequestSpotInstances": true, "CreateFunction20150331": true, "CreateCluster": true,
	"GetSendQuota": true, "SendEmail": true, "InvokeModel": true, "GetSecretValue": true, "PutBucketPolicy": true, "DeleteBucket": true,
}

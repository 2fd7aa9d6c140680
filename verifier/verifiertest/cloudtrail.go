package verifiertest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// A TrailEvent is one call in the history of CloudTrail.
type TrailEvent struct {
	KeyID  string // that signed
	Region string
	At     time.Time
	// Event is the text of the event, as CloudTrail writes it: eventSource, eventName,
	// userIdentity, requestParameters …
	Event map[string]any
	// Resources are names by type, such as AWS::IAM::User.
	Resources map[string]string
}

// A Trail is the history of CloudTrail in an account, in any order.
type Trail []TrailEvent

// lookUp answers for the events of an access key, or of all, in a region, 50 a page, the
// newest first.
func (t Trail) lookUp(region string, body []byte) Response {
	var in struct {
		LookupAttributes   []struct{ AttributeKey, AttributeValue string }
		StartTime, EndTime float64
		MaxResults         int
		NextToken          string
	}
	err := json.Unmarshal(body, &in)
	if err != nil || len(in.LookupAttributes) > 1 || len(in.LookupAttributes) == 1 && in.LookupAttributes[0].AttributeKey != "AccessKeyId" {
		return response(http.StatusBadRequest, `{"__type":"InvalidLookupAttributesException","message":"one attribute, AccessKeyId"}`)
	}
	var list []map[string]any
	events := slices.Clone(t)
	slices.SortStableFunc(events, func(a, b TrailEvent) int { return b.At.Compare(a.At) })
	for i, e := range events {
		if e.Region != region || len(in.LookupAttributes) == 1 && e.KeyID != in.LookupAttributes[0].AttributeValue || float64(e.At.Unix()) < in.StartTime ||
			in.EndTime > 0 && float64(e.At.Unix()) > in.EndTime {
			continue
		}
		text, err := json.Marshal(e.Event)
		if err != nil {
			panic(err)
		}
		var resources []map[string]string
		for kind, name := range e.Resources {
			resources = append(resources, map[string]string{"ResourceType": kind, "ResourceName": name})
		}
		list = append(list, map[string]any{
			"EventId": fmt.Sprintf("event-%d", i), "EventName": e.Event["eventName"], "EventSource": e.Event["eventSource"], "AccessKeyId": e.KeyID,
			"EventTime": float64(e.At.Unix()), "Resources": resources, "CloudTrailEvent": string(text),
		})
	}
	const page = 50
	from, _ := strconv.Atoi(in.NextToken)
	out := map[string]any{"Events": list[min(from, len(list)):min(from+page, len(list))]}
	if from+page < len(list) {
		out["NextToken"] = strconv.Itoa(from + page)
	}
	text, err := json.Marshal(out)
	if err != nil {
		panic(err)
	}
	return response(http.StatusOK, string(text))
}

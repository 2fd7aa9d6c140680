package assessment

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// aboutKey returns the facts about a key that AWS tells of many keys at once. The first
// question is about all keys that are to be assessed.
func (c *account) aboutKey(ctx context.Context, keyID string) *notes {
	if n := c.about[keyID]; n != nil {
		return n
	}
	ids := []string{keyID}
	if slices.Contains(c.keys, keyID) {
		ids = slices.Compact(slices.Sorted(slices.Values(c.keys)))
	}
	for _, id := range ids {
		c.about[id] = &notes{session: c.session}
		c.exposedKey(id)
	}
	for some := range slices.Chunk(ids, mostEntities) {
		c.health(ctx, some)
	}
	for some := range slices.Chunk(ids, mostCriteria) {
		for _, d := range c.detectors {
			c.guardDuty(ctx, d, some)
		}
	}
	for _, id := range ids {
		c.about[id].mergeRegions(len(c.regions))
	}
	return c.about[keyID]
}

const (
	// mostEntities is how many entities a question to AWS Health may name (EventFilter,
	// entityValues).
	mostEntities = 99
	// mostCriteria is how many values a criterion of GuardDuty may name (FindingCriteria).
	mostCriteria = 50
)

// health asks for events of AWS Health about keys. An event does not name its key: if there
// is one about several, each key is asked about alone.
func (c *account) health(ctx context.Context, ids []string) {
	body := map[string]any{"filter": map[string]any{"entityValues": ids}}
	call := operator.Call{Service: "health", Action: "DescribeEvents", Body: body}
	found := map[string]bool{}
	for range maxPages {
		var page struct {
			Events []struct {
				Code   string `json:"eventTypeCode"`
				Status string `json:"statusCode"`
			} `json:"events"`
			Next string `json:"nextToken"`
		}
		if err := c.session.Do(ctx, call, &page); err != nil {
			for _, id := range ids {
				c.about[id].unknown("health", call, err)
			}
			return
		}
		for _, e := range page.Events {
			found[e.Code+", "+e.Status] = true
		}
		if body["nextToken"] = page.Next; page.Next == "" || len(found) > 0 && len(ids) > 1 {
			break
		}
	}
	if len(found) > 0 && len(ids) > 1 {
		for _, id := range ids {
			c.health(ctx, []string{id})
		}
		return
	}
	for _, id := range ids {
		for _, text := range slices.Sorted(maps.Keys(found)) {
			c.about[id].add("health", text, act, source(call))
		}
		if len(found) == 0 {
			c.about[id].add("health", "no event about the key", neutral, source(call))
		}
	}
}

// findDetectors finds the regions where GuardDuty is on.
func (c *account) findDetectors(ctx context.Context) {
	for _, region := range c.regions {
		var out struct {
			IDs []string `json:"detectorIds"`
		}
		call := operator.Call{Service: "guardduty", Action: "ListDetectors", Region: region, Method: "GET", Path: "/detector"}
		switch err := c.session.Do(ctx, call, &out); {
		case err != nil:
			c.addIn(region, "guardduty", unknownPrefix+Why(err), neutral, source(call))
		case len(out.IDs) == 0:
			c.addIn(region, "guardduty", "off", notable, source(call))
		default:
			c.detectors = append(c.detectors, detector{region, out.IDs[0]})
		}
	}
	c.mergeRegions(len(c.regions))
}

// guardDuty reads what a detector has found about keys.
func (c *account) guardDuty(ctx context.Context, d detector, ids []string) {
	path := "/detector/" + d.id + "/findings"
	body := map[string]any{"findingCriteria": map[string]any{"criterion": map[string]any{
		"resource.accessKeyDetails.accessKeyId": map[string]any{"eq": ids},
	}}}
	list := operator.Call{Service: "guardduty", Action: "ListFindings", Region: d.region, Method: "POST", Path: path, Body: body}
	found := map[string]bool{}
	for range maxPages { // of 50 findings, as many as GetFindings takes
		var page struct {
			IDs  []string `json:"findingIds"`
			Next string   `json:"nextToken"`
		}
		if !c.readAbout(ctx, ids, list, &page) {
			return
		}
		if len(page.IDs) > 0 {
			get := operator.Call{Service: "guardduty", Action: "GetFindings", Region: d.region, Method: "POST", Path: path + "/get",
				Body: map[string]any{"findingIds": page.IDs}}
			if !c.guardDutyFindings(ctx, ids, get, found) {
				return
			}
		}
		if body["nextToken"] = page.Next; page.Next == "" {
			break
		}
	}
	for _, id := range ids {
		if !found[id] {
			c.about[id].addIn(d.region, "guardduty", "on, nothing about the key", neutral, source(list))
		}
	}
}

// guardDutyFindings adds the findings that get asks for, each kind once for a key. A
// finding that does not name its key counts for all of ids.
func (c *account) guardDutyFindings(ctx context.Context, ids []string, get operator.Call, found map[string]bool) bool {
	var out struct {
		Findings []struct {
			Type     string  `json:"type"`
			Severity float64 `json:"severity"`
			Resource struct {
				Key struct {
					ID string `json:"accessKeyId"`
				} `json:"accessKeyDetails"`
			} `json:"resource"`
		} `json:"findings"`
	}
	if !c.readAbout(ctx, ids, get, &out) {
		return false
	}
	for _, f := range out.Findings {
		concerned := ids
		if id := f.Resource.Key.ID; slices.Contains(ids, id) {
			concerned = []string{id}
		}
		for _, id := range concerned {
			found[id] = true
			c.about[id].addIn(get.Region, "guardduty", fmt.Sprintf("%s, severity %.1f", f.Type, f.Severity), act, source(get))
		}
	}
	return true
}

// readAbout asks GuardDuty about keys, or adds to each that the answer is not known.
func (c *account) readAbout(ctx context.Context, ids []string, call operator.Call, out any) bool {
	err := c.session.Do(ctx, call, out)
	for _, id := range ids {
		if err != nil {
			c.about[id].addIn(call.Region, "guardduty", unknownPrefix+Why(err), neutral, source(call))
		}
	}
	return err == nil
}

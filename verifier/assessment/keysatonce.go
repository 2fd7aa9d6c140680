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
		c.guardDuty(ctx, some)
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
	err := eachPage(func() (bool, error) {
		var page struct {
			Events []struct {
				Code   string `json:"eventTypeCode"`
				Status string `json:"statusCode"`
			} `json:"events"`
			Next string `json:"nextToken"`
		}
		if err := c.session.Do(ctx, call, &page); err != nil {
			return false, err
		}
		for _, e := range page.Events {
			found[e.Code+", "+e.Status] = true
		}
		body["nextToken"] = page.Next
		return page.Next != "" && (len(found) == 0 || len(ids) == 1), nil
	})
	if err == nil && len(found) > 0 && len(ids) > 1 {
		for _, id := range ids {
			c.health(ctx, []string{id})
		}
		return
	}
	for _, id := range ids {
		for _, text := range slices.Sorted(maps.Keys(found)) {
			c.about[id].add("health", text, act, source(call))
		}
		if err != nil {
			c.about[id].unknown("health", call, err)
		} else if len(found) == 0 {
			c.about[id].add("health", "no event about the key", neutral, source(call))
		}
	}
}

// findDetectors finds the regions where GuardDuty has a detector. It may be suspended
// (guardduty:GetDetector), which is not asked: that would take a request for each region.
func (c *account) findDetectors(ctx context.Context) {
	type answer struct {
		IDs []string `json:"detectorIds"`
	}
	list := operator.Call{Service: "guardduty", Action: "ListDetectors", Method: "GET", Path: "/detector"}
	answers, errs := make([]answer, len(c.regions)), make([]error, len(c.regions))
	inEach(len(c.regions), func(i int) {
		call := list
		call.Region = c.regions[i]
		errs[i] = c.session.Do(ctx, call, &answers[i])
	})
	for i, region := range c.regions {
		switch {
		case errs[i] != nil:
			c.addIn(region, "guardduty", unknownPrefix+Why(errs[i]), neutral, source(list))
		case len(answers[i].IDs) == 0:
			c.addIn(region, "guardduty", "off", notable, source(list))
		default:
			c.detectors = append(c.detectors, detector{region, answers[i].IDs[0]})
		}
	}
	c.mergeRegions(len(c.regions))
}

// guardDuty adds what GuardDuty has found about keys.
func (c *account) guardDuty(ctx context.Context, ids []string) {
	found := make([][]keyFact, len(c.detectors))
	inEach(len(c.detectors), func(i int) { found[i] = c.guardDutyIn(ctx, c.detectors[i], ids) })
	for i, d := range c.detectors {
		for _, f := range found[i] {
			c.about[f.id].addIn(d.region, "guardduty", f.value, f.risk, f.source)
		}
	}
}

// A keyFact is a fact about the key id.
type keyFact struct {
	id, value string
	risk      int
	source    string
}

// forEach returns the same fact about each of ids.
func forEach(ids []string, value string, risk int, call operator.Call) (facts []keyFact) {
	for _, id := range ids {
		facts = append(facts, keyFact{id, value, risk, source(call)})
	}
	return facts
}

// guardDutyIn reads what a detector has found about keys.
func (c *account) guardDutyIn(ctx context.Context, d detector, ids []string) (facts []keyFact) {
	path := "/detector/" + d.id + "/findings"
	body := map[string]any{"findingCriteria": map[string]any{"criterion": map[string]any{
		"resource.accessKeyDetails.accessKeyId": map[string]any{"eq": ids},
	}}}
	list := operator.Call{Service: "guardduty", Action: "ListFindings", Region: d.region, Method: "POST", Path: path, Body: body}
	asked := list
	err := eachPage(func() (bool, error) { // of 50 findings, as many as GetFindings takes
		var page struct {
			IDs  []string `json:"findingIds"`
			Next string   `json:"nextToken"`
		}
		if err := c.session.Do(ctx, list, &page); err != nil {
			return false, err
		}
		if len(page.IDs) > 0 {
			get := operator.Call{Service: "guardduty", Action: "GetFindings", Region: d.region, Method: "POST", Path: path + "/get",
				Body: map[string]any{"findingIds": page.IDs}}
			more, err := c.guardDutyFindings(ctx, ids, get)
			if err != nil {
				asked = get
				return false, err
			}
			facts = append(facts, more...)
		}
		body["nextToken"] = page.Next
		return page.Next != "", nil
	})
	if err != nil {
		return append(facts, forEach(ids, unknownPrefix+Why(err), neutral, asked)...)
	}
	none := slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		return slices.ContainsFunc(facts, func(f keyFact) bool { return f.id == id })
	})
	return append(facts, forEach(none, "nothing about the key; whether it is suspended is not asked", neutral, list)...)
}

// guardDutyFindings reads the findings that get asks for. A finding that does not name its
// key counts for all of ids.
func (c *account) guardDutyFindings(ctx context.Context, ids []string, get operator.Call) (facts []keyFact, err error) {
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
	if err := c.session.Do(ctx, get, &out); err != nil {
		return nil, err
	}
	for _, f := range out.Findings {
		concerned := ids
		if id := f.Resource.Key.ID; slices.Contains(ids, id) {
			concerned = []string{id}
		}
		facts = append(facts, forEach(concerned, fmt.Sprintf("%s, severity %.1f", f.Type, f.Severity), act, get)...)
	}
	return facts, nil
}

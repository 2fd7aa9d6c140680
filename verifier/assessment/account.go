package assessment

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// rootUser reads how the root user is secured.
func (r *inquiry) rootUser(ctx context.Context) {
	var out struct {
		Entries []struct {
			Key   string `xml:"key"`
			Value int    `xml:"value"`
		} `xml:"GetAccountSummaryResult>SummaryMap>entry"`
	}
	c := r.iam("GetAccountSummary")
	if !r.read(ctx, "root-keys", c, &out) {
		return
	}
	summary := map[string]int{}
	for _, e := range out.Entries {
		summary[e.Key] = e.Value
	}
	if n := summary["AccountAccessKeysPresent"]; n > 0 {
		r.add("root-keys", "present: root must have none", bad, source(c))
	} else {
		r.add("root-keys", "none", neutral, source(c))
	}
	if summary["AccountMFAEnabled"] == 0 {
		r.add("root-mfa", "off", bad, source(c))
	} else {
		r.add("root-mfa", "on", neutral, source(c))
	}
}

// exposedKeys is the check "Exposed Access Keys" of Trusted Advisor.
const exposedKeys = "12Fnkpl8Y5"

// trustedAdvisor asks Trusted Advisor whether AWS itself has found the key.
func (r *inquiry) trustedAdvisor(ctx context.Context) {
	var out struct {
		Result struct {
			Flagged []struct {
				Metadata []string `json:"metadata"`
			} `json:"flaggedResources"`
		} `json:"result"`
	}
	c := operator.Call{Service: "support", Action: "DescribeTrustedAdvisorCheckResult",
		Body: map[string]string{"checkId": exposedKeys, "language": "en"}}
	if !r.read(ctx, "trusted-advisor", c, &out) {
		return
	}
	for _, f := range out.Result.Flagged {
		// Key id, user, fraud type, case id, time, location, deadline, usage.
		if len(f.Metadata) > 0 && f.Metadata[0] == r.keyID {
			r.add("trusted-advisor", "exposed: "+strings.Join(f.Metadata[1:], ", "), act, source(c))
			return
		}
	}
	r.add("trusted-advisor", "does not list the key", neutral, source(c))
}

// health asks for events of AWS Health about the key.
func (r *inquiry) health(ctx context.Context) {
	body := map[string]any{"filter": map[string]any{"entityValues": []string{r.keyID}}}
	c := operator.Call{Service: "health", Action: "DescribeEvents", Body: body}
	found := false
	for range maxPages {
		var page struct {
			Events []struct {
				Code   string `json:"eventTypeCode"`
				Status string `json:"statusCode"`
			} `json:"events"`
			Next string `json:"nextToken"`
		}
		if !r.read(ctx, "health", c, &page) {
			return
		}
		for _, e := range page.Events {
			found = true
			r.add("health", e.Code+", "+e.Status, act, source(c))
		}
		if body["nextToken"] = page.Next; page.Next == "" {
			break
		}
	}
	if !found {
		r.add("health", "no event about the key", neutral, source(c))
	}
}

// regions returns the enabled regions. all is false if they are not known: then it is
// the home region only.
func (r *inquiry) regions(ctx context.Context) (names []string, all bool) {
	var out struct {
		Names []string `xml:"regionInfo>item>regionName"`
	}
	c := operator.Call{Service: "ec2", Action: "DescribeRegions"}
	if !r.read(ctx, "regions", c, &out) || len(out.Names) == 0 {
		return []string{r.session.HomeRegion()}, false
	}
	return slices.DeleteFunc(out.Names, func(region string) bool { return !r.session.Covers(region) }), true // moto names all
}

// guardDuty reads GuardDuty's findings about the key in a region.
func (r *inquiry) guardDuty(ctx context.Context, region string) {
	const name = "guardduty"
	read := func(c operator.Call, out any) bool {
		err := r.session.Do(ctx, c, out)
		if err != nil {
			r.addIn(region, name, unknownPrefix+Why(err), neutral, source(c))
		}
		return err == nil
	}
	var detectors struct {
		IDs []string `json:"detectorIds"`
	}
	c := operator.Call{Service: "guardduty", Action: "ListDetectors", Region: region, Method: "GET", Path: "/detector"}
	if !read(c, &detectors) {
		return
	}
	if len(detectors.IDs) == 0 {
		r.addIn(region, name, "off", notable, source(c))
		return
	}
	path := "/detector/" + detectors.IDs[0] + "/findings"
	body := map[string]any{"findingCriteria": map[string]any{"criterion": map[string]any{
		"resource.accessKeyDetails.accessKeyId": map[string]any{"eq": []string{r.keyID}},
	}}}
	found := false
	for range maxPages { // of 50 findings, as many as GetFindings takes
		var page struct {
			IDs  []string `json:"findingIds"`
			Next string   `json:"nextToken"`
		}
		c = operator.Call{Service: "guardduty", Action: "ListFindings", Region: region, Method: "POST", Path: path, Body: body}
		if !read(c, &page) {
			return
		}
		if len(page.IDs) > 0 {
			found = true
			get := operator.Call{Service: "guardduty", Action: "GetFindings", Region: region, Method: "POST", Path: path + "/get",
				Body: map[string]any{"findingIds": page.IDs}}
			if !r.guardDutyFindings(read, get) {
				return
			}
		}
		if body["nextToken"] = page.Next; page.Next == "" {
			break
		}
	}
	if !found {
		r.addIn(region, name, "on, nothing about the key", neutral, source(c))
	}
}

// guardDutyFindings adds the findings that get asks for, each kind once.
func (r *inquiry) guardDutyFindings(read func(operator.Call, any) bool, get operator.Call) bool {
	var out struct {
		Findings []struct {
			Type     string  `json:"type"`
			Severity float64 `json:"severity"`
		} `json:"findings"`
	}
	if !read(get, &out) {
		return false
	}
	for _, f := range out.Findings {
		r.addIn(get.Region, "guardduty", fmt.Sprintf("%s, severity %.1f", f.Type, f.Severity), act, source(get))
	}
	return true
}

package assessment

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// account reads how the root user is secured.
func (r *reading) account(ctx context.Context) {
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

// trails tells whether CloudTrail keeps more than the 90 days of its history.
func (r *reading) trails(ctx context.Context) {
	var list struct {
		TrailList []struct {
			TrailARN           string
			IsMultiRegionTrail bool
			HomeRegion         string
		} `json:"trailList"`
	}
	c := operator.Call{Service: "cloudtrail", Action: "DescribeTrails", Body: struct{}{}}
	if !r.read(ctx, "cloudtrail", c, &list) {
		return
	}
	regional := false
	for _, t := range list.TrailList {
		var status struct{ IsLogging bool }
		s := operator.Call{Service: "cloudtrail", Action: "GetTrailStatus", Region: t.HomeRegion, Body: map[string]string{"Name": t.TrailARN}}
		switch {
		case !r.read(ctx, "cloudtrail", s, &status):
			return
		case status.IsLogging && t.IsMultiRegionTrail:
			r.add("cloudtrail", "on, in all regions", neutral, source(c))
			return
		}
		regional = regional || status.IsLogging
	}
	if regional {
		r.add("cloudtrail", "on, in some regions only", notable, source(c))
		return
	}
	r.add("cloudtrail", "off: only its history of 90 days tells what the key did", bad, source(c))
}

// exposedKeys is the check "Exposed Access Keys" of Trusted Advisor.
const exposedKeys = "12Fnkpl8Y5"

// support asks Trusted Advisor whether AWS itself has found the key.
func (r *reading) support(ctx context.Context) {
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
		if len(f.Metadata) > 0 && f.Metadata[0] == r.subject.KeyID {
			r.add("trusted-advisor", "exposed: "+strings.Join(f.Metadata[1:], ", "), act, source(c))
			return
		}
	}
	r.add("trusted-advisor", "does not list the key", neutral, source(c))
}

// health asks for events of AWS Health about the key.
func (r *reading) health(ctx context.Context) {
	var out struct {
		Events []struct {
			Code   string `json:"eventTypeCode"`
			Status string `json:"statusCode"`
		} `json:"events"`
	}
	c := operator.Call{Service: "health", Action: "DescribeEvents",
		Body: map[string]any{"filter": map[string]any{"entityValues": []string{r.subject.KeyID}}}}
	if !r.read(ctx, "health", c, &out) {
		return
	}
	for _, e := range out.Events {
		r.add("health", e.Code+", "+e.Status, act, source(c))
	}
	if len(out.Events) == 0 {
		r.add("health", "no event about the key", neutral, source(c))
	}
}

// regions returns the enabled regions; without the permission only the home region.
func (r *reading) regions(ctx context.Context) []string {
	var out struct {
		Names []string `xml:"regionInfo>item>regionName"`
	}
	c := operator.Call{Service: "ec2", Action: "DescribeRegions"}
	if !r.read(ctx, "regions", c, &out) || len(out.Names) == 0 {
		return []string{r.session.HomeRegion()}
	}
	return slices.DeleteFunc(out.Names, func(region string) bool { return !r.session.Covers(region) }) // moto names all
}

// guardDuty reads what GuardDuty found about the key in a region.
func (r *reading) guardDuty(ctx context.Context, region string) {
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
	var list struct {
		IDs []string `json:"findingIds"`
	}
	c = operator.Call{Service: "guardduty", Action: "ListFindings", Region: region, Method: "POST", Path: path, Body: map[string]any{
		"findingCriteria": map[string]any{"criterion": map[string]any{
			"resource.accessKeyDetails.accessKeyId": map[string]any{"eq": []string{r.subject.KeyID}},
		}},
	}}
	if !read(c, &list) {
		return
	}
	if len(list.IDs) == 0 {
		r.addIn(region, name, "on, nothing about the key", neutral, source(c))
		return
	}
	var out struct {
		Findings []struct {
			Type     string  `json:"type"`
			Severity float64 `json:"severity"`
		} `json:"findings"`
	}
	c = operator.Call{Service: "guardduty", Action: "GetFindings", Region: region, Method: "POST", Path: path + "/get",
		Body: map[string]any{"findingIds": list.IDs}}
	if read(c, &out) {
		for _, f := range out.Findings {
			r.addIn(region, name, fmt.Sprintf("%s, severity %.1f", f.Type, f.Severity), act, source(c))
		}
	}
}

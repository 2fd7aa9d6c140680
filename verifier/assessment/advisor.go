package assessment

import (
	"context"
	"fmt"
	"strings"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// trustedAdvisor reads which keys AWS itself has found, and which checks of security and
// of service limits warn. Both take a support plan that shows checks.
func (c *account) trustedAdvisor(ctx context.Context) {
	c.readExposedKeys(ctx)
	c.advisorChecks(ctx)
}

// exposedKey adds whether AWS itself has found the key.
func (c *account) exposedKey(id string) {
	if c.exposed == nil {
		return
	}
	if words, ok := c.exposed.words[id]; ok {
		c.about[id].add("trusted-advisor", "exposed: "+words, act, c.exposed.source)
		return
	}
	c.about[id].add("trusted-advisor", "does not list the key", neutral, c.exposed.source)
}

// exposedKeysCheck is the check "Exposed Access Keys" of Trusted Advisor.
const exposedKeysCheck = "12Fnkpl8Y5"

// readExposedKeys asks Trusted Advisor which keys AWS itself has found.
func (c *account) readExposedKeys(ctx context.Context) {
	var out struct {
		Result struct {
			Status  string
			Flagged []struct {
				Metadata []string `json:"metadata"`
			} `json:"flaggedResources"`
		} `json:"result"`
	}
	call := operator.Call{Service: "support", Action: "DescribeTrustedAdvisorCheckResult",
		Body: map[string]string{"checkId": exposedKeysCheck, "language": "en"}}
	if !c.read(ctx, "trusted-advisor", call, &out) {
		return
	}
	if out.Result.Status == "" || out.Result.Status == "not_available" { // it was not checked, or has no result
		c.add("trusted-advisor", unknownPrefix+"Trusted Advisor has no result of the check", neutral, source(call))
		return
	}
	c.exposed = &exposedKeys{words: map[string]string{}, source: source(call)}
	for _, f := range out.Result.Flagged {
		// Key id, user, fraud type, case id, time, location, deadline, usage.
		if len(f.Metadata) > 0 {
			c.exposed.words[f.Metadata[0]] = strings.Join(f.Metadata[1:], ", ")
		}
	}
}

// advisorChecks adds a fact for each check that warns: open security groups, public
// snapshots and buckets, MFA of the root user, and more. AWS adds checks, so the list is
// AWS's, by category.
func (c *account) advisorChecks(ctx context.Context) {
	const name = "trusted-advisor-checks"
	var list struct {
		Checks []struct{ ID, Name, Category string }
	}
	call := operator.Call{Service: "support", Action: "DescribeTrustedAdvisorChecks", Body: map[string]string{"language": "en"}}
	if !c.read(ctx, name, call, &list) {
		return
	}
	names := map[string]string{}
	var ids []string
	for _, check := range list.Checks {
		if check.Category == "security" || check.Category == "service_limits" {
			ids, names[check.ID] = append(ids, check.ID), check.Name
		}
	}
	if len(ids) == 0 {
		c.add(name, unknownPrefix+"Trusted Advisor lists no checks of security", neutral, source(call))
		return
	}
	var out struct {
		Summaries []struct {
			CheckID, Status  string
			ResourcesSummary struct{ ResourcesFlagged int }
		}
	}
	call = operator.Call{Service: "support", Action: "DescribeTrustedAdvisorCheckSummaries", Body: map[string]any{"checkIds": ids}}
	if !c.read(ctx, name, call, &out) {
		return
	}
	good := 0
	for _, s := range out.Summaries {
		risk := notable
		switch s.Status {
		case "ok":
			good++
			continue
		case "error":
			risk = bad
		case "not_available":
			risk = neutral
		}
		c.add("trusted-advisor-check", fmt.Sprintf("%s: %s, %d resources", names[s.CheckID], s.Status, s.ResourcesSummary.ResourcesFlagged), risk, source(call))
	}
	c.add(name, fmt.Sprintf("%d of %d are ok", good, len(ids)), neutral, source(call))
}

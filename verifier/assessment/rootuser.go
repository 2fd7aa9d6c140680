package assessment

import "context"

// rootUser reads how the root user is secured.
func (c *account) rootUser(ctx context.Context) {
	var out struct {
		Entries []struct {
			Key   string `xml:"key"`
			Value int    `xml:"value"`
		} `xml:"GetAccountSummaryResult>SummaryMap>entry"`
	}
	call := c.iam("GetAccountSummary")
	if !c.read(ctx, "root-keys", call, &out) {
		return
	}
	summary := map[string]int{}
	for _, e := range out.Entries {
		summary[e.Key] = e.Value
	}
	if n := summary["AccountAccessKeysPresent"]; n > 0 {
		c.add("root-keys", "present: root must have none", bad, source(call))
	} else {
		c.add("root-keys", "none", neutral, source(call))
	}
	if summary["AccountMFAEnabled"] == 0 {
		c.add("root-mfa", "off", bad, source(call))
	} else {
		c.add("root-mfa", "on", neutral, source(call))
	}
}

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
	keys, told := summary["AccountAccessKeysPresent"]
	mfa, alsoTold := summary["AccountMFAEnabled"]
	if !told || !alsoTold {
		c.add("root-keys", unknownPrefix+"IAM does not say", neutral, source(call))
		return
	}
	if keys > 0 {
		c.add("root-keys", "present: root must have none", bad, source(call))
	} else {
		c.add("root-keys", "none", neutral, source(call))
	}
	switch password, told := summary["AccountPasswordPresent"]; {
	case mfa > 0:
		c.add("root-mfa", "on", neutral, source(call))
	case keys == 0 && told && password == 0: // as in member accounts with central root access
		c.add("root-mfa", "off; root has neither a password nor a key", neutral, source(call))
	default:
		c.add("root-mfa", "off", bad, source(call))
	}
}

package assessment

import (
	"context"
	"strings"

	"github.com/stanch-dev/stanch/verifier/operator"
)

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
	c.exposed = &exposedKeys{words: map[string]string{}, source: source(call)}
	for _, f := range out.Result.Flagged {
		// Key id, user, fraud type, case id, time, location, deadline, usage.
		if len(f.Metadata) > 0 {
			c.exposed.words[f.Metadata[0]] = strings.Join(f.Metadata[1:], ", ")
		}
	}
}

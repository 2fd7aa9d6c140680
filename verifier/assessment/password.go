package assessment

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// goodPassword is the shortest length that AWS's own benchmark accepts (CIS AWS Foundations
// 1.8).
const goodPassword = 14

// passwordPolicy reads what the account demands of passwords.
func (c *account) passwordPolicy(ctx context.Context) {
	const name = "password-policy"
	var out struct {
		Length  int  `xml:"GetAccountPasswordPolicyResult>PasswordPolicy>MinimumPasswordLength"`
		Symbols bool `xml:"GetAccountPasswordPolicyResult>PasswordPolicy>RequireSymbols"`
		Numbers bool `xml:"GetAccountPasswordPolicyResult>PasswordPolicy>RequireNumbers"`
		MaxAge  int  `xml:"GetAccountPasswordPolicyResult>PasswordPolicy>MaxPasswordAge"`
		Reuse   int  `xml:"GetAccountPasswordPolicyResult>PasswordPolicy>PasswordReusePrevention"`
	}
	call := c.iam("GetAccountPasswordPolicy")
	err := c.session.Do(ctx, call, &out)
	switch {
	case errors.Is(err, operator.ErrNotFound):
		c.add(name, "none: IAM's default of 8 characters applies", bad, source(call))
		return
	case err != nil:
		c.unknown(name, call, err)
		return
	}
	parts, risk := []string{fmt.Sprintf("at least %d characters", out.Length)}, neutral
	if out.Length < goodPassword {
		risk = notable
	}
	if out.Symbols && out.Numbers {
		parts = append(parts, "with symbols and numbers")
	}
	if out.MaxAge > 0 {
		parts = append(parts, fmt.Sprintf("to be changed after %d days", out.MaxAge))
	}
	if out.Reuse > 0 {
		parts = append(parts, fmt.Sprintf("not one of the last %d", out.Reuse))
	}
	c.add(name, strings.Join(parts, ", "), risk, source(call))
}

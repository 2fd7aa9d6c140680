package assessment

import (
	"context"
	"fmt"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// serviceCredentials lists the user's service-specific credentials.
func (p *principal) serviceCredentials(ctx context.Context) {
	c := p.iam("ListServiceSpecificCredentials")
	list, err := p.account.serviceCredentials(ctx, p.name)
	if err != nil {
		p.unknown("service-credentials", c, err)
		return
	}
	for _, s := range list {
		risk := neutral
		if s.Status == "Active" {
			risk = notable
		}
		p.add("service-credentials", fmt.Sprintf("%s of %s, %s", s.ID, s.Service, s.Status), risk, source(c))
	}
	if len(list) == 0 {
		p.add("service-credentials", "none", neutral, source(c))
	}
}

// serviceCredentials returns those of a user. If several keys are to be assessed, IAM is
// asked once about all users.
func (c *account) serviceCredentials(ctx context.Context, user string) ([]operator.ServiceCredential, error) {
	if c.credentials == nil && len(c.keys) > 1 {
		all, err := c.session.ServiceCredentials(ctx, "")
		c.credentials = map[string][]operator.ServiceCredential{}
		for _, s := range all {
			c.credentials[s.User] = append(c.credentials[s.User], s)
		}
		c.eachUser = err != nil
	}
	if c.credentials == nil || c.eachUser {
		return c.session.ServiceCredentials(ctx, user)
	}
	return c.credentials[user], nil
}

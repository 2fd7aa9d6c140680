package assessment

import (
	"context"
	"errors"
	"strings"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// securityContact reads whom AWS tells when it finds a leak. Without a security contact
// the mail goes to the address of the root user alone.
func (c *account) securityContact(ctx context.Context) {
	const name = "security-contact"
	var out struct {
		AlternateContact struct{ Name, EmailAddress string }
	}
	call := operator.Call{Service: "account", Action: "GetAlternateContact", Method: "POST", Path: "/getAlternateContact",
		Body: map[string]string{"AlternateContactType": "SECURITY"}}
	err := c.session.Do(ctx, call, &out)
	switch contact := out.AlternateContact; {
	case errors.Is(err, operator.ErrNotFound):
		c.add(name, "none: AWS writes to the root user's address alone", notable, source(call))
	case err != nil:
		c.unknown(name, call, err)
	default:
		c.add(name, strings.TrimSpace(contact.Name+", "+strings.TrimSpace(contact.EmailAddress)), neutral, source(call))
	}
}

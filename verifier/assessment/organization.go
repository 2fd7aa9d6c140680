package assessment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// organization names the account, as the management account or a delegated
// administrator sees it: with the operator's own identity.
func (c *account) organization(ctx context.Context) {
	var out struct {
		Account struct{ Name, Email, Status, State string } // State is to replace Status
	}
	call := operator.Call{Service: "organizations", Action: "DescribeAccount", Body: map[string]string{"AccountId": c.id}}
	if err := c.Operator.Own().Do(ctx, call, &out); err != nil {
		c.unknown("account-name", call, err)
		var e *operator.Error
		if errors.As(err, &e) && e.Denied() { // the tags may be allowed all the same
			c.owner(ctx)
		}
		return
	}
	text := fmt.Sprintf("%s, %s", out.Account.Name, out.Account.Email)
	if state := cmp.Or(out.Account.State, out.Account.Status, "ACTIVE"); state != "ACTIVE" {
		text += ", " + state
	}
	c.add("account-name", text, neutral, source(call))
	c.owner(ctx)
}

// owner reads the tags that usually name the people behind the account.
func (c *account) owner(ctx context.Context) {
	body := map[string]string{"ResourceId": c.id}
	call := operator.Call{Service: "organizations", Action: "ListTagsForResource", Body: body}
	var owners []string
	err := eachPage(func() (bool, error) {
		var page struct {
			Tags      []struct{ Key, Value string }
			NextToken string
		}
		if err := c.Operator.Own().Do(ctx, call, &page); err != nil {
			return false, err
		}
		for _, t := range page.Tags {
			switch strings.ToLower(t.Key) {
			case "owner", "team", "contact", "email", "environment", "env":
				owners = append(owners, t.Key+" "+t.Value)
			}
		}
		body["NextToken"] = page.NextToken
		return page.NextToken != "", nil
	})
	if err != nil {
		c.unknown("account-owner", call, err)
		return
	}
	c.add("account-owner", orNone(strings.Join(owners, ", ")), neutral, source(call))
}

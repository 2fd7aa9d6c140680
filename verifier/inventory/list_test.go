package inventory_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/verifier/inventory"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestFetch: a user who is deleted while users are asked about is left out, and any other
// missing answer is an error.
func TestFetch(t *testing.T) {
	const account = "111122223333"
	for _, tt := range []struct {
		name   string
		answer verifiertest.Response // about the first of two users
		fails  string
	}{
		{"deleted meanwhile", verifiertest.Failure(http.StatusNotFound, "NoSuchEntity", "The user with name alice cannot be found."), ""},
		{"denied", verifiertest.Failure(http.StatusForbidden, "AccessDenied", "not authorized"), "keys of user"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			aws := verifiertest.NewAWS(t)
			aws.Change(account, func(a *verifiertest.Account) {
				verifiertest.SignAs(t, a.User("alice", 1).Keys[0].Credential)
				a.User("bob", 2)
				a.Answers["iam:ListUsers"] = "<ListUsersResponse><ListUsersResult><Users><member><UserName>alice</UserName></member>" +
					"<member><UserName>bob</UserName></member></Users></ListUsersResult></ListUsersResponse>"
			})
			aws.Next("iam:ListAccessKeys", tt.answer)
			op, err := operator.New(t.Context(), operator.Config{Endpoint: aws.URL, Wait: time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			list, err := inventory.Fetch(t.Context(), op, now)
			switch {
			case tt.fails != "":
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("%v, want …%s…", err, tt.fails)
				}
			case err != nil || len(list.Keys) != 1:
				t.Errorf("%v: %d keys", err, len(list.Keys))
			}
		})
	}
}

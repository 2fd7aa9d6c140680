package operator

import "context"

// InlinePolicies lists the names of the inline policies of a user.
func (s *Session) InlinePolicies(ctx context.Context, user string) ([]string, error) {
	var out struct {
		Names []string `xml:"ListUserPoliciesResult>PolicyNames>member"`
	}
	err := s.All(ctx, Call{Service: "iam", Action: "ListUserPolicies", Params: map[string]string{"UserName": user}}, &out)
	return out.Names, err
}

package verifiertest

import (
	"encoding/json"
	"slices"
	"strings"
)

// Trusts reports whether a trust policy lets a principal make a call, with the condition keys
// that the request has. kind is that of the principal: AWS, with its ARN, or Federated, with
// the ARN of its provider. The ARN of an account's root in the policy is everybody in the
// account, and that of a role is its sessions. It knows the operators Bool and StringEquals;
// a key that the request does not have fulfils neither.
func Trusts(policy, action, kind, principal string, keys map[string]string) bool {
	var p struct {
		Statement []struct {
			Effect    string
			Action    []string
			Principal map[string]string
			Condition map[string]map[string]string
		}
	}
	if json.Unmarshal([]byte(policy), &p) != nil {
		return false
	}
	for _, s := range p.Statement {
		if s.Effect == "Allow" && slices.Contains(s.Action, action) && isPrincipal(s.Principal[kind], principal) && holds(s.Condition, keys) {
			return true
		}
	}
	return false
}

func isPrincipal(trusted, arn string) bool {
	account, isRoot := strings.CutSuffix(trusted, ":root")
	switch {
	case isRoot:
		return strings.HasPrefix(strings.Replace(arn, ":sts:", ":iam:", 1), account+":")
	case strings.Contains(trusted, ":role/"):
		sessions := strings.Replace(strings.Replace(trusted, ":iam:", ":sts:", 1), ":role/", ":assumed-role/", 1)
		return strings.HasPrefix(arn, sessions+"/")
	}
	return trusted != "" && arn == trusted
}

func holds(condition map[string]map[string]string, keys map[string]string) bool {
	for operator, wants := range condition {
		for key, want := range wants {
			got, there := keys[key]
			if !there || got != want || operator != "Bool" && operator != "StringEquals" {
				return false
			}
		}
	}
	return true
}

package response

import (
	"encoding/json"
	"time"
)

// DeniedUntil reads a policy that the step DenySessions puts: sessions that were issued
// before t are denied everything. ok is false for any other policy, such as one that
// somebody has edited.
func DeniedUntil(document string) (t time.Time, ok bool) {
	t, err := time.Parse(time.RFC3339, deniedIf(document, "DateLessThan"))
	return t, err == nil
}

// DeniesConsole reports whether a policy is one that the step DenyConsole puts: every session
// is denied everything.
func DeniesConsole(document string) bool { return deniedIf(document, "Null") == "false" }

// deniedIf returns the value that operator compares aws:TokenIssueTime with, in a policy that
// denies everything under this condition alone. It is "" for any other policy.
func deniedIf(document, operator string) string {
	var p struct {
		Statement []struct {
			Effect           string
			Action, Resource []string
			Condition        map[string]map[string]string
		}
	}
	if json.Unmarshal([]byte(document), &p) != nil || len(p.Statement) != 1 {
		return ""
	}
	s := p.Statement[0]
	everything := func(list []string) bool { return len(list) == 1 && list[0] == "*" }
	if s.Effect != "Deny" || !everything(s.Action) || !everything(s.Resource) || len(s.Condition) != 1 || len(s.Condition[operator]) != 1 {
		return ""
	}
	return s.Condition[operator]["aws:TokenIssueTime"]
}

// LeavesWork reports whether the plan leaves alone a key for which something is still to do.
func (p Plan) LeavesWork() bool {
	for _, r := range p.Refused {
		if r.Gate != GateContained {
			return true
		}
	}
	return false
}

package response

import (
	"encoding/json"
	"time"
)

// DeniedUntil reads a policy that the step DenySessions puts: sessions that were issued
// before t are denied everything. ok is false for any other policy, such as one that
// somebody has edited.
func DeniedUntil(document string) (t time.Time, ok bool) {
	var p struct {
		Statement []struct {
			Effect           string
			Action, Resource []string
			Condition        map[string]map[string]string
		}
	}
	if json.Unmarshal([]byte(document), &p) != nil || len(p.Statement) != 1 {
		return time.Time{}, false
	}
	s := p.Statement[0]
	everything := func(list []string) bool { return len(list) == 1 && list[0] == "*" }
	if s.Effect != "Deny" || !everything(s.Action) || !everything(s.Resource) || len(s.Condition) != 1 || len(s.Condition["DateLessThan"]) != 1 {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, s.Condition["DateLessThan"]["aws:TokenIssueTime"])
	return t, err == nil
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

// Package assessment finds out how dangerous a leaked key is: its owner, its rights, its use
// since it leaked, and how well its account would have noticed. It asks with the operator's
// identity and only reads; the leaked key is not used.
//
// Each answer is a verifier.Fact with the call that it comes from. If a question cannot be
// asked, there is a fact that says why: "not known: needs iam:ListAccessKeys". One missing
// permission never costs another fact.
//
// It is public for the commands of stanch, and no contract.
package assessment

import (
	"time"

	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/activity"
	"github.com/stanch-dev/stanch/verifier/operator"
)

// An Assessor assesses keys. It keeps the facts about accounts and users that it has read,
// so it is for one run, and used by one goroutine.
type Assessor struct {
	Operator *operator.Operator
	Now      func() time.Time // nil means time.Now
	// Pace is the time between two questions to CloudTrail in one region, which
	// allows two a second; 0 means a little more than half a second, less than 0 none.
	Pace time.Duration

	log      activity.Reader
	services map[string][]verifier.Fact // by ARN: the services that a user or role used
	accounts map[string]*account
}

func (a *Assessor) now() time.Time {
	if a.Now == nil {
		return time.Now()
	}
	return a.Now()
}

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
	"errors"
	"fmt"
	"time"

	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/activity"
	"github.com/stanch-dev/stanch/verifier/operator"
)

// An Assessor assesses keys. It is used by one goroutine.
type Assessor struct {
	Operator *operator.Operator
	Now      func() time.Time // nil means time.Now
	// Pace is the time between two questions to CloudTrail in one region, which
	// allows two a second; 0 means a little more than half a second, less than 0 none.
	Pace time.Duration

	log      activity.Reader
	services map[string][]verifier.Fact // by ARN: the services that a user or role used
}

// Risks of facts.
const (
	neutral = iota
	notable
	bad
	act
)

// unknownPrefix begins the value of a fact that could not be found out.
const unknownPrefix = "not known: "

func source(c operator.Call) string { return (&operator.Error{Call: c}).Permission() }

// Why says in a few words why AWS gave no answer.
func Why(err error) string {
	var e *operator.Error
	switch {
	case !errors.As(err, &e):
		return err.Error()
	case e.Denied():
		return e.Reason()
	case e.Code == "SubscriptionRequiredException":
		return "the account has no support plan that shows it"
	case e.Code == "AWSOrganizationsNotInUseException":
		return "the account is in no organization"
	case e.Status >= 500:
		return fmt.Sprintf("AWS has trouble (HTTP %d)", e.Status)
	case e.Busy():
		return "AWS was too busy (" + e.Code + ")"
	case e.Skew != 0:
		return e.Error()
	case e.Message != "":
		return e.Code + ": " + e.Message
	}
	return e.Code
}

func (a *Assessor) now() time.Time {
	if a.Now == nil {
		return time.Now()
	}
	return a.Now()
}

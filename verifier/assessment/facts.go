package assessment

import (
	"context"
	"errors"
	"fmt"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier/operator"
)

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
	case errors.Is(err, context.Canceled), !errors.As(err, &e):
		return finding.Why(err)
	case e.Denied():
		return e.Reason()
	case e.Code == "SubscriptionRequiredException":
		return "the account has no support plan that shows it"
	case e.Code == "AWSOrganizationsNotInUseException":
		return "your account is in no organization"
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

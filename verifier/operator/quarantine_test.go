package operator_test

import (
	"testing"

	"github.com/stanch-dev/stanch/verifier/operator"
)

func TestIsQuarantine(t *testing.T) {
	for name, want := range map[string]bool{
		"AWSCompromisedKeyQuarantine": true, "AWSCompromisedKeyQuarantineV3": true, "AWSExposedCredentialPolicy_DO_NOT_REMOVE": true,
		"arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV2": true, "arn:aws-cn:iam::aws:policy/AWSCompromisedKeyQuarantineV3": true,
		"arn:aws:iam::111122223333:policy/AWSCompromisedKeyQuarantineV3": false,
		"AWSExposedCredentialPolicy":                                     false, "AdministratorAccess": false, "": false,
	} {
		if got := operator.IsQuarantine(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

package operator_test

import (
	"testing"

	"github.com/stanch-dev/stanch/verifier/operator"
)

func TestIsQuarantine(t *testing.T) {
	for name, want := range map[string]bool{
		"AWSCompromisedKeyQuarantine": true, "AWSCompromisedKeyQuarantineV3": true, "AWSExposedCredentialPolicy_DO_NOT_REMOVE": true,
		"AWSExposedCredentialPolicy": false, "AdministratorAccess": false, "": false,
	} {
		if got := operator.IsQuarantine(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

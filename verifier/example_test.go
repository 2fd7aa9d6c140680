package verifier_test

import (
	"context"
	"fmt"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/verifier"
)

// inventory is a Verifier that asks nobody: it knows the keys that work.
type inventory map[string]string // owner by key id

// Verify implements verifier.Verifier.
func (inv inventory) Verify(_ context.Context, c detectors.Credential) verifier.Verdict {
	owner, ok := inv[c.ID]
	if !ok {
		return verifier.Verdict{State: verifier.Invalid, At: time.Now()}
	}
	return verifier.Verdict{State: verifier.Live, At: time.Now(), Identity: verifier.Identity{Kind: "user", Name: owner}}
}

// A program implements Verifier for its own provider, and puts Limited and Cached around
// it: each credential is asked about once, at a pace that the provider allows.
func Example() {
	v := &verifier.Cached{Verifier: &verifier.Limited{Verifier: inventory{"key-1": "alice"}, PerSecond: 1}}
	for _, id := range []string{"key-1", "key-2"} {
		verdict := v.Verify(context.Background(), detectors.Credential{ID: id, Secret: detectors.NewSecret("a secret")})
		fmt.Println(id, verdict.State, verdict.Identity.Name)
	}
	// Output:
	// key-1 live alice
	// key-2 invalid
}

// Package verifier finds out whether a credential works, and who owns it. It only reads:
// nothing here changes anything at a provider.
//
// This package and its Verifier interface are the contract: a program that uses stanch as a
// library implements Verifier for its own provider, or asks AWS with awsverifier. Cached,
// Stored and Limited are verifiers around another one. The packages below, except for
// awsverifier, serve the commands of stanch and may change.
package verifier

import (
	"context"
	"errors"
	"time"

	"github.com/stanch-dev/stanch/detectors"
)

// A Verifier reports the state of credentials.
type Verifier interface {
	// Verify reports the state of c. Failure to get an answer is not an error
	// of the scan: it is a Verdict whose State is Unknown. Concurrent calls are
	// allowed. The secrets of c are not retained beyond the call, except as a
	// hash.
	Verify(ctx context.Context, c detectors.Credential) Verdict
}

// State says whether a credential works, as far as it is known. The strings are part of the
// JSON contract.
type State string

const (
	// Live: the provider authenticated the credential.
	Live State = "live"
	// IDActive: the key id exists and is active, but this secret is not its
	// secret. The right one may be nearby.
	IDActive State = "id-active-secret-mismatch"
	// Invalid: the provider does not know the key id. It may have been
	// deleted or deactivated, or never have existed: the answer is the same.
	Invalid State = "invalid"
	// Expired: a temporary credential whose time is over.
	Expired State = "expired"
	// CanarySuspected: the key belongs to an account that plants keys to catch intruders.
	// Nothing was sent, unless Verdict.At is set: then only the answer gave it away.
	CanarySuspected State = "canary-suspected"
	// Skipped: the provider was not asked, by policy or because a part is missing;
	// Verdict.Reason says which.
	Skipped State = "skipped"
	// NotVerifiable: the only way to ask the provider is to use the credential for its
	// purpose, or the credential is another provider's; Verdict.Reason says which. It may
	// well be live.
	NotVerifiable State = "not-verifiable"
	// Unknown: asked, and no answer that can be trusted came back;
	// Verdict.Reason says why. Unknown is not clean.
	Unknown State = "unknown"
)

// MayBeLive reports whether a credential in this state works, or may do so for all that is known.
// A state of a later version counts as Unknown.
func (s State) MayBeLive() bool {
	switch s {
	case Invalid, Expired, CanarySuspected:
		return false
	case Live, IDActive, Skipped, NotVerifiable, Unknown:
	}
	return true
}

// NotAsked is the Reason of Skipped for a key that could have been asked about, in a scan that
// sends nothing.
const NotAsked = "AWS was not asked (--verify does)"

var (
	// ErrNoAnswer is wrapped by Verdict.Err if the provider itself did not answer: the
	// network failed, or a proxy replied.
	ErrNoAnswer = errors.New("no answer from the provider")
	// ErrBusy is wrapped by Verdict.Err if the provider asked to come back
	// later.
	ErrBusy = errors.New("the provider is busy")
)

// A Verdict is the answer of a Verifier. It holds no secret.
type Verdict struct {
	State  State
	Reason string // for Skipped, NotVerifiable and Unknown: why, in a few words
	// At is when the provider was asked; zero if it was not.
	At       time.Time
	Identity Identity
	Facts    []Fact
	// Err is the cause of Unknown, for logs.
	Err error
}

// An Identity is the owner of a credential. Fields that are not known are empty; Account
// may be known offline, from the key id alone.
type Identity struct {
	Account string // twelve digits
	ARN     string
	UserID  string
	Kind    string // root, user, role, federated
	Name    string // of the user or the role
}

// A Fact is one thing known about a credential.
type Fact = detectors.Fact

// cancelled is the verdict of a call whose context ended before the answer.
func cancelled(err error) Verdict {
	return Verdict{State: Unknown, Reason: "interrupted", Err: err}
}

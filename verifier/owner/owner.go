// Package owner asks IAM about leaked keys, as the owner of the account that they belong to.
// IAM knows two things that STS does not tell: whether a key id without its secret is
// active, and the last use of a key. The last use has to be asked for first: a question to
// STS is a use of the key.
//
// It is public for the commands of stanch, and no contract.
package owner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/assessment"
	"github.com/stanch-dev/stanch/verifier/operator"
)

// An STS is a verifier that knows in advance whether it will ask, as awsverifier.Client
// does.
type STS interface {
	verifier.Verifier
	// Asks reports whether Verify would send a request about c.
	Asks(ctx context.Context, c detectors.Credential) bool
}

// A Verifier asks IAM before it lets STS ask about a long-term key, and in place of STS
// about a key id that has no secret. Concurrent calls are allowed.
type Verifier struct {
	STS      STS
	Operator *operator.Operator
	// Accounts, if not empty, are the only ones whose key ids without a secret are looked
	// up.
	Accounts []string

	mu     sync.Mutex
	before map[string]verifier.Fact // by key id: its first last use
}

// Verify implements verifier.Verifier.
func (o *Verifier) Verify(ctx context.Context, c detectors.Credential) verifier.Verdict {
	if !operator.IsLongTermKeyID(c.ID) {
		return o.STS.Verify(ctx, c)
	}
	if c.Secret.IsZero() {
		v := o.STS.Verify(ctx, c)
		if v.State == verifier.Skipped { // else the id alone told, as that of a canary does
			o.lookUp(ctx, c.ID, &v)
		}
		return v
	}
	if !o.STS.Asks(ctx, c) {
		return o.STS.Verify(ctx, c)
	}
	before := o.lastUsed(ctx, c.ID)
	v := o.STS.Verify(ctx, c)
	v.Facts = append(v.Facts, before)
	return v
}

// lastUsed returns the last use that IAM told when it was first asked about a key: later
// ones may be our own questions to STS. If IAM gave no answer, the fact says why.
func (o *Verifier) lastUsed(ctx context.Context, id string) verifier.Fact {
	o.mu.Lock()
	fact, ok := o.before[id]
	o.mu.Unlock()
	if ok {
		return fact
	}
	fact = UsedBefore(ctx, o.Operator, id)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.before == nil {
		o.before = map[string]verifier.Fact{}
	}
	o.before[id] = fact
	return fact
}

// UsedBefore asks IAM for the last use of a key, before STS is asked about it. If IAM gives
// no answer, the fact says why.
func UsedBefore(ctx context.Context, op *operator.Operator, id string) verifier.Fact {
	fact := verifier.Fact{Name: operator.UsedBefore, Source: "iam:GetAccessKeyLastUsed"}
	used, err := lastUsed(ctx, op, id)
	fact.Value = used.String()
	if err != nil {
		fact.Value = "not known: " + assessment.Why(err)
	}
	return fact
}

func lastUsed(ctx context.Context, op *operator.Operator, id string) (operator.LastUsed, error) {
	account, err := AccountOf(ctx, op, id)
	if err != nil {
		return operator.LastUsed{}, err
	}
	s, err := op.In(ctx, account, purpose, "")
	if err != nil {
		return operator.LastUsed{}, err
	}
	return s.LastUsed(ctx, id)
}

// lookUp completes the verdict on a key id that has no secret.
func (o *Verifier) lookUp(ctx context.Context, id string, v *verifier.Verdict) {
	account, err := AccountOf(ctx, o.Operator, id)
	if err != nil {
		v.Facts = append(v.Facts, assessment.UnknownAccount(err))
		return
	}
	v.Identity.Account = account
	if len(o.Accounts) > 0 && !slices.Contains(o.Accounts, account) {
		return
	}
	key, err := Find(ctx, o.Operator, account, id)
	v.Facts = append(v.Facts, key.Fact(err))
	if err == nil {
		v.At = time.Now()
		v.State, v.Reason = key.State()
		v.Identity.Kind, v.Identity.Name = "user", key.User
	}
}

// AccountOf returns the account of a key id. Newer ids hold it; for an older id it asks
// AWS, which the owner of the key does not see.
func AccountOf(ctx context.Context, op *operator.Operator, id string) (string, error) {
	if account, ok := awskeys.Account(id); ok {
		return account, nil
	}
	return op.Own().AccountOf(ctx, id)
}

// MayBeOf reports whether a key id may be of an account. It is false if the id holds another;
// older ids hold none.
func MayBeOf(account, id string) bool {
	of, ok := awskeys.Account(id)
	return !ok || of == account
}

const (
	// KeyStatus is the name of the fact that tells the status of a key.
	KeyStatus = "key-status"
	// Active is the status of a key that works.
	Active = "Active"

	// purpose is in the names of the sessions, which CloudTrail shows.
	purpose = "verify"
)

// A Key is the user and the status that IAM knows of a key id.
type Key struct {
	User   string
	Status string // Active, Inactive, Expired or deleted
}

// Find asks IAM of an account about a key id.
func Find(ctx context.Context, op *operator.Operator, account, id string) (Key, error) {
	s, err := op.In(ctx, account, purpose, "")
	if err != nil {
		return Key{}, err
	}
	used, err := s.LastUsed(ctx, id)
	if err != nil {
		return Key{}, err
	}
	if used.User == "" { // AccessKeys would list the keys of the caller
		return Key{}, errors.New("IAM does not say whose it is")
	}
	keys, err := s.AccessKeys(ctx, used.User)
	if err != nil {
		return Key{}, err
	}
	for _, k := range keys {
		switch {
		case k.ID != id:
		case !slices.Contains([]string{Active, "Inactive", "Expired"}, k.Status):
			return Key{}, fmt.Errorf("IAM says of its status: %q", k.Status)
		default:
			return Key{User: used.User, Status: k.Status}, nil
		}
	}
	return Key{User: used.User, Status: "deleted"}, nil
}

// Fact returns the status of k as a fact, or with the error of Find why it is not known.
func (k Key) Fact(err error) verifier.Fact {
	f := verifier.Fact{Name: KeyStatus, Value: k.Status, Source: "iam:ListAccessKeys"}
	if err != nil {
		f.Value = "not known: " + assessment.Why(err)
	}
	return f
}

// State returns the state of a key id that is known without its secret: IDActive says that
// anybody with the secret can use it.
func (k Key) State() (verifier.State, string) {
	if k.Status == Active {
		return verifier.IDActive, "IAM says that it is Active"
	}
	return verifier.Invalid, "IAM says that it is " + k.Status
}

// ARN asks IAM for the ARN of a user; it returns "" if IAM does not say.
func ARN(ctx context.Context, op *operator.Operator, account, user string) string {
	s, err := op.In(ctx, account, purpose, "")
	if err != nil {
		return ""
	}
	arn, _ := s.UserARN(ctx, user)
	return arn
}

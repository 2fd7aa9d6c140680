package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/assessment"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
	"github.com/stanch-dev/stanch/verifier/operator"
)

// ownerFlags are those of scans that ask AWS with the operator's own identity as well.
type ownerFlags struct {
	cli.OperatorFlags
	assess bool
	wanted bool // by something else: --deactivate
}

func (f *ownerFlags) add(cmd *cobra.Command) {
	f.OperatorFlags.Add(cmd)
	cmd.Flags().BoolVar(&f.assess, "assess", false, "ask AWS with your own identity how dangerous the live keys are, and about ids without a secret (see \"stanch assess\")")
}

// check refuses flags that do not go together.
func (f *ownerFlags) check(verifies bool) error {
	if f.assess && !verifies {
		return errors.New("--assess is about live keys: it needs verification (--verify, not --no-verify)")
	}
	return nil
}

// asOwner asks IAM as the owner of the account, around what STS is asked: what a
// long-term key was last used for, before STS is asked about it, and for ids without a
// secret, which STS cannot be asked about, whether they are active.
type asOwner struct {
	*awsverifier.Client
	op       *operator.Operator
	accounts []string // if any, nothing is asked about others

	mu     sync.Mutex
	before map[string]verifier.Fact // by key id: what it was last used for at first
}

// Verify implements verifier.Verifier.
func (o *asOwner) Verify(ctx context.Context, c detectors.Credential) verifier.Verdict {
	longTerm := keyID().MatchString(c.ID) && strings.HasPrefix(c.ID, "AKIA")
	switch {
	case longTerm && c.Secret.IsZero():
		v := o.Client.Verify(ctx, c)
		if v.State == verifier.Skipped { // else it is known without asking: a canary
			o.lone(ctx, c.ID, &v)
		}
		return v
	case longTerm && o.Client.Asks(ctx, c):
		before := o.lastUsed(ctx, c.ID)
		v := o.Client.Verify(ctx, c)
		v.Facts = append(v.Facts, before)
		return v
	}
	return o.Client.Verify(ctx, c)
}

// lastUsed returns what the key was last used for when this was first called for it. The
// fact says if that is not known.
func (o *asOwner) lastUsed(ctx context.Context, id string) verifier.Fact {
	o.mu.Lock()
	fact, ok := o.before[id]
	o.mu.Unlock()
	if ok { // what is true by now is our own doing
		return fact
	}
	fact = verifier.Fact{Name: operator.UsedBefore, Source: "iam:GetAccessKeyLastUsed"}
	used, err := o.askLastUsed(ctx, id)
	fact.Value = used.String()
	if err != nil {
		fact.Value = "not known: " + assessment.Why(err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.before == nil {
		o.before = map[string]verifier.Fact{}
	}
	o.before[id] = fact
	return fact
}

func (o *asOwner) askLastUsed(ctx context.Context, id string) (operator.LastUsed, error) {
	account, err := accountFor(ctx, o.op, id)
	if err != nil {
		return operator.LastUsed{}, err
	}
	s, err := o.op.In(ctx, account, "verify", "")
	if err != nil {
		return operator.LastUsed{}, err
	}
	return s.LastUsed(ctx, id)
}

// lone fills in what IAM says of an id that has no secret.
func (o *asOwner) lone(ctx context.Context, id string, v *verifier.Verdict) {
	account, err := accountFor(ctx, o.op, id)
	if err != nil {
		v.Facts = append(v.Facts, verifier.Fact{Name: "account", Value: "not known: " + assessment.Why(err), Source: "sts:GetAccessKeyInfo"})
		return
	}
	v.Identity.Account = account
	if len(o.accounts) > 0 && !slices.Contains(o.accounts, account) {
		return
	}
	owner, err := ownerOf(ctx, o.op, account, id)
	v.Facts = append(v.Facts, owner.fact(err))
	if err == nil {
		v.At = time.Now()
		v.State, v.Reason = owner.state()
		v.Identity.Kind, v.Identity.Name = "user", owner.user
	}
}

// accountFor returns the account of a key id: what the id says or, of an old one, what
// AWS says. Its owner does not see the question.
func accountFor(ctx context.Context, op *operator.Operator, id string) (string, error) {
	if account, ok := awskeys.Account(id); ok {
		return account, nil
	}
	return op.Own().AccountOf(ctx, id)
}

const (
	keyStatus = "key-status" // a fact
	active    = "Active"
)

// ownership is what IAM of its account says of a key id.
type ownership struct{ user, status string }

// ownerOf asks IAM of account about a key id.
func ownerOf(ctx context.Context, op *operator.Operator, account, id string) (ownership, error) {
	s, err := op.In(ctx, account, "verify", "")
	if err != nil {
		return ownership{}, err
	}
	used, err := s.LastUsed(ctx, id)
	if err != nil {
		return ownership{}, err
	}
	if used.User == "" { // AccessKeys would list those of the caller
		return ownership{}, errors.New("IAM does not say whose it is")
	}
	keys, err := s.AccessKeys(ctx, used.User)
	for _, k := range keys {
		if k.ID == id && !slices.Contains([]string{active, "Inactive", "Expired"}, k.Status) {
			return ownership{}, fmt.Errorf("IAM says of its status: %q", k.Status)
		}
		if k.ID == id {
			return ownership{used.User, k.Status}, err
		}
	}
	return ownership{used.User, "deleted"}, err
}

func (o ownership) fact(err error) verifier.Fact {
	f := verifier.Fact{Name: keyStatus, Value: o.status, Source: "iam:ListAccessKeys"}
	if err != nil {
		f.Value = "not known: " + assessment.Why(err)
	}
	return f
}

// state is of an id alone. It is active: whoever has its secret can use it.
func (o ownership) state() (verifier.State, string) {
	if o.status == active {
		return verifier.IDActive, "IAM says that it is Active"
	}
	return verifier.Invalid, "IAM says that it is " + o.status
}

// asOwner returns who is asked about credentials.
func (j *job) asOwner() verifier.Verifier {
	if j.op == nil {
		return j.verifier
	}
	return &asOwner{Client: j.verifier, op: j.op, accounts: j.flags.accounts}
}

// openOwner opens the operator's identity, if the scan is to ask with it. That is
// before anything is scanned: the key that leaked may be waiting.
func (j *job) openOwner(ctx context.Context) (err error) {
	if o := &j.flags.owner; o.assess || o.wanted {
		j.op, err = o.Open(ctx, j.streams.Version)
		j.assessing.Operator = j.op
	}
	if err != nil {
		return fmt.Errorf("nothing was scanned: %w", err)
	}
	return nil
}

// An assessor is a scanner.Sink that adds to what is live how dangerous it is.
type assessor struct {
	scanner.Sink
	ctx context.Context // of the scan, which the sink does not outlive
	job *job
}

// Finding implements scanner.Sink.
func (a assessor) Finding(f *scanner.Finding) error {
	v, id := &f.Verdict, f.Match.Credential.ID
	active := v.State == verifier.Live || v.State == verifier.IDActive
	if f.Ignored == "" && active && a.ctx.Err() == nil && keyID().MatchString(id) && v.Identity.Account != "" {
		leak := a.job.leak
		for i := range f.Locations {
			addPlace(&leak, f.Locations[i].Time, f.Locations[i].AtHead, f.Locations[i].Refs)
		}
		v.Facts = append(v.Facts, a.job.assessing.Assess(a.ctx, assessment.Subject{
			KeyID: id, Identity: v.Identity, Leak: leak, Used: usedBefore(v.Facts),
		})...)
	}
	return a.Sink.Finding(f)
}

// addPlace adds to leak what one place of it says.
func addPlace(leak *assessment.Leak, at time.Time, atHead bool, refs []string) {
	if !at.IsZero() && (leak.Since.IsZero() || at.Before(leak.Since)) {
		leak.Since = at
	}
	leak.AtHead = leak.AtHead || atHead
	for _, ref := range refs {
		if strings.HasPrefix(ref, "refs/remotes/") && leak.Remote == "" {
			leak.Remote = ref
		}
	}
}

// usedBefore returns what facts say of the last use before STS was asked, nil if they
// do not say.
func usedBefore(facts []verifier.Fact) *operator.LastUsed {
	for _, f := range facts {
		if f.Name != operator.UsedBefore {
			continue
		}
		if used, ok := operator.ParseLastUsed(f.Value); ok {
			return &used
		}
	}
	return nil
}

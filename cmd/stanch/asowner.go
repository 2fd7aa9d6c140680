package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/assessment"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/owner"
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

// asOwner returns the verifier of the scan: STS, and IAM if the scan has the operator's
// identity.
func (j *job) asOwner() verifier.Verifier {
	if j.op == nil {
		return j.verifier
	}
	return &owner.Verifier{STS: j.verifier, Operator: j.op, Accounts: j.flags.accounts}
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

// usedBefore returns the last use before STS was asked, as facts tell it; nil if they do
// not.
func usedBefore(facts []verifier.Fact) *operator.LastUsed {
	if used, ok := operator.FindUsedBefore(facts); ok {
		return &used
	}
	return nil
}

package respond

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/awsverifier"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/owner"
)

// OwnerFlags are the flags of scans that also ask AWS with the operator's own identity.
type OwnerFlags struct {
	cli.OperatorFlags
	Assess      bool
	deactivates bool // so the identity is needed without --assess
}

// Add adds the flags to a command.
func (f *OwnerFlags) Add(cmd *cobra.Command) {
	f.OperatorFlags.Add(cmd)
	cmd.Flags().BoolVar(&f.Assess, "assess", false, "ask AWS, as yourself, how dangerous live keys are, and about ids without a secret")
	cli.Needs(cmd, []string{"profile"}, "assess", "deactivate", "notify")
	cli.Needs(cmd, []string{"role", "external-id"}, "assess", "deactivate")
}

// Check refuses flags that do not go together.
func (f *OwnerFlags) Check(verifies bool) error {
	if f.Assess && !verifies {
		return errors.New("--assess is about live keys: it needs verification (--verify, not --no-verify)")
	}
	return nil
}

// Open signs in as the operator, if the scan needs that: nil if it does not. It is called
// before anything is scanned, since the key that leaked may be waiting.
func (f *OwnerFlags) Open(ctx context.Context, s *cli.Streams) (*operator.Operator, error) {
	if !f.Assess && !f.deactivates {
		return nil, nil
	}
	op, err := openOperator(ctx, s, f.OperatorFlags)
	if err != nil {
		return nil, fmt.Errorf("nothing was scanned: %w", err)
	}
	return op, nil
}

// SignIn signs in as the operator, for what is no part of the scan.
func (f *OwnerFlags) SignIn(ctx context.Context, s *cli.Streams) (*operator.Operator, error) {
	return openOperator(ctx, s, f.OperatorFlags)
}

// Verifier returns the verifier of a scan: STS, and IAM too if op is not nil.
func Verifier(sts *awsverifier.Client, op *operator.Operator, accounts []string) verifier.Verifier {
	if op == nil {
		return sts
	}
	return &owner.Verifier{STS: sts, Operator: op, Accounts: accounts}
}

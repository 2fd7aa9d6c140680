package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// OperatorFlags say with which identity AWS is asked: the operator's own.
type OperatorFlags struct {
	Profile, Role, ExternalID string
	ProfileFrom, RoleFrom     string // where these two are from, if not flags
	Endpoint                  string
}

// Add adds the flags to a command.
func (f *OperatorFlags) Add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.Profile, "profile", "", "use your `PROFILE` of ~/.aws (default: as the AWS CLI chooses)")
	flags.StringVar(&f.Role, "role", "", "assume `ROLE` in accounts other than your own: its name, or an ARN")
	flags.StringVar(&f.ExternalID, "external-id", "", "the external `ID` that goes with --role")
	AddEndpoint(cmd, &f.Endpoint)
}

// AddEndpoint adds the hidden flag by which tests ask another server than AWS.
func AddEndpoint(cmd *cobra.Command, endpoint *string) {
	cmd.Flags().StringVar(endpoint, "aws-endpoint", "", "ask this loopback URL instead of AWS, for tests")
	_ = cmd.Flags().MarkHidden("aws-endpoint")
}

// Config returns the configuration of the operator.
func (f *OperatorFlags) Config(s *Streams) operator.Config {
	cfg := operator.Config{
		Profile: f.Profile, Role: f.Role, RoleFrom: f.RoleFrom, ExternalID: f.ExternalID, MFA: s.askMFA, Version: s.Version, Endpoint: f.Endpoint,
	}
	if f.Endpoint != "" {
		cfg.Wait = time.Millisecond // a test server has no answer later that it does not have now
	}
	return cfg
}

// Open signs in as the operator.
func (f *OperatorFlags) Open(ctx context.Context, s *Streams) (o *operator.Operator, err error) {
	err = s.Line.During(func() string { return "asking AWS who you are" }, func() error {
		o, err = operator.New(ctx, f.Config(s))
		return err
	})
	if err != nil && f.ProfileFrom != "" {
		err = fmt.Errorf("with your %s: %w", f.ProfileFrom, err)
	}
	if err != nil {
		return nil, Failed(err)
	}
	return o, nil
}

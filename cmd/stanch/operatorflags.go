package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// operatorFlags say who the operator is.
type operatorFlags struct {
	profile, role, externalID string
	endpoint                  string
}

func (f *operatorFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.profile, "profile", "", "your profile of ~/.aws (default: as the AWS CLI chooses)")
	flags.StringVar(&f.role, "role", "", "name of the role to assume in accounts other than your own")
	flags.StringVar(&f.externalID, "external-id", "", "external id that goes with --role")
	addEndpoint(cmd, &f.endpoint)
}

func addEndpoint(cmd *cobra.Command, endpoint *string) {
	cmd.Flags().StringVar(endpoint, "aws-endpoint", "", "ask this loopback URL instead of AWS, for tests")
	_ = cmd.Flags().MarkHidden("aws-endpoint")
}

func (f *operatorFlags) config(version string) operator.Config {
	cfg := operator.Config{Profile: f.profile, Role: f.role, ExternalID: f.externalID, Version: version, Endpoint: f.endpoint}
	if f.endpoint != "" {
		cfg.Wait = time.Millisecond // what a test does not know it does not know later either
	}
	return cfg
}

func (f *operatorFlags) open(ctx context.Context, version string) (*operator.Operator, error) {
	o, err := operator.New(ctx, f.config(version))
	if err != nil {
		return nil, unfinished(err)
	}
	return o, nil
}

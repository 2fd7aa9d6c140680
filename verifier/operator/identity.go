package operator

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/smithy-go/logging"

	"github.com/stanch-dev/stanch/verifier/internal/partition"
)

// load reads the AWS configuration of a profile, "" for the one that the AWS CLI would choose.
// ask, which may be nil, gets the code of an MFA device from a person. Only the SDK can do
// single sign-on, credential processes, web identities and instance roles.
func load(ctx context.Context, profile string, ask func(ctx context.Context, serial string) (string, error)) (aws.Config, error) {
	if ask == nil {
		ask = func(context.Context, string) (string, error) { return "", errors.New("nobody is there to ask") }
	}
	loaded, err := config.LoadDefaultConfig(ctx, config.WithSharedConfigProfile(profile),
		config.WithLogger(logging.Nop{}),                    // it would write lines of its own to standard error
		config.WithDefaultRegion(partition.Default().Home),  // as the AWS CLI: STS needs one for roles
		config.WithHTTPClient(awshttp.NewBuildableClient()), // the SDK adds AWS_CA_BUNDLE to it
		config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) {
			o.TokenProvider = func() (string, error) {
				serial := aws.ToString(o.SerialNumber)
				code, err := ask(ctx, serial)
				if err != nil {
					return "", fmt.Errorf("asking for the code of the MFA device %s: %w", serial, err)
				}
				return code, nil
			}
		}))
	if err != nil {
		return aws.Config{}, fmt.Errorf("reading the AWS configuration: %w", err)
	}
	if err := partition.Check(loaded.Region); err != nil {
		return aws.Config{}, fmt.Errorf("your AWS configuration: %w", err)
	}
	return loaded, nil
}

// signIn gets the credentials of the operator's own identity. They are kept for as long as they
// are valid, so a person is asked for one code.
func signIn(ctx context.Context, loaded aws.Config) error {
	_, err := loaded.Credentials.Retrieve(ctx)
	if err == nil {
		return nil
	}
	how, wantsInstance := "--profile, AWS_PROFILE, aws sso login", false
	for _, source := range loaded.ConfigSources {
		if profile, ok := source.(config.SharedConfig); ok {
			how = renewal(profile, how)
			wantsInstance = wantsInstance || namesInstance(profile)
		}
	}
	if ctx.Err() == nil && !wantsInstance && strings.Contains(err.Error(), noInstanceRole) {
		err = errNoSource
	}
	return fmt.Errorf("no identity of your own to ask AWS with (%s): %w", how, err)
}

// noInstanceRole is in the SDK's error if the metadata service of an instance has no role. The SDK
// asks that service last, if nothing else is configured: on most machines there is none.
const noInstanceRole = "no EC2 IMDS role found"

var errNoSource = errors.New("neither the environment, nor your AWS configuration, nor a role of this machine has one")

// namesInstance reports whether a profile, or one that it takes its role with, names the instance
// as the source of its credentials.
func namesInstance(profile config.SharedConfig) bool {
	for p := &profile; p != nil; p = p.Source {
		if p.CredentialSource != "" {
			return true
		}
	}
	return false
}

// renewal returns the command that gets a profile new credentials, or otherwise if it is not
// known how the profile gets them.
func renewal(profile config.SharedConfig, otherwise string) string {
	for p := &profile; p != nil; p = p.Source {
		switch {
		case p.SSOSession != nil, p.SSOStartURL != "":
			return "aws sso login --profile " + p.Profile
		case p.LoginSession != "":
			return "aws login --profile " + p.Profile
		case p.MFASerial != "":
			// The AWS CLI asks for the code, and prints the session as variables.
			otherwise = `without a terminal: eval "$(aws configure export-credentials --profile ` + p.Profile + ` --format env)" where there is one`
		}
	}
	return otherwise
}

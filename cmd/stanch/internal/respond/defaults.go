package respond

import (
	"context"
	"errors"
	"os"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/cmd/stanch/internal/settings"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response/advice"
)

// complete gives the flags that were not typed the values of the environment and of the
// operator's own file. It keeps those that were typed, for the next command.
func (f *respondFlags) complete(ctx context.Context) error {
	if f.self && (f.Role != "" || f.ExternalID != "" || f.Profile != "") {
		return errors.New("--self uses the leaked key alone: with --role, --external-id or --profile, leave it out and plan with your own identity")
	}
	f.typed = advice.Flags{
		Accounts: f.accounts, Profile: f.Profile, Role: f.Role, ExternalID: f.ExternalID,
		BreakGlass: f.breakGlass, Journal: f.journal, Findings: f.findings, Self: f.self, Proxy: f.proxy.Typed(),
	}
	var err error
	if f.leakedProxy, err = f.proxy.URL(); err != nil {
		return err
	}
	s, err := settings.Read(os.Getenv)
	if err != nil {
		return err
	}
	identify(&f.OperatorFlags, s)
	f.breakGlassFrom = "--break-glass"
	if f.breakGlass == "" {
		f.breakGlass, f.breakGlassFrom = s.BreakGlass.Text, s.BreakGlass.From
	}
	if f.journal == "" {
		f.journal = s.Journal.Text
	}
	if len(f.accounts) == 0 {
		f.accounts, f.accountsFrom = s.Accounts, s.AccountsFrom
	}
	if len(f.accounts) > 0 || f.self {
		return nil
	}
	if account := operator.ProfileAccount(ctx, f.Profile); account != "" {
		f.accounts, f.accountsFrom = []string{account}, "the role_arn of your profile"
	}
	return nil
}

// identify gives f the role, the external id and the profile of s, unless they were typed.
func identify(f *cli.OperatorFlags, s settings.Settings) {
	if f.Role == "" {
		f.Role, f.RoleFrom = s.Role.Text, s.Role.From
	}
	if f.ExternalID == "" {
		f.ExternalID = s.ExternalID.Text
	}
	if f.Profile == "" {
		f.Profile, f.ProfileFrom = s.Profile.Text, s.Profile.From
	}
}

// openOperator signs in as the operator, by the flags, the environment and the operator's
// own file.
func openOperator(ctx context.Context, s *cli.Streams, f cli.OperatorFlags) (*operator.Operator, error) {
	own, err := settings.Read(os.Getenv)
	if err != nil {
		return nil, err
	}
	identify(&f, own)
	return f.Open(ctx, s)
}

package respond

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/verifier/assessment"
	"github.com/stanch-dev/stanch/verifier/response/permissions"
)

// policyFlags say which policy is printed.
type policyFlags struct {
	trust, assess, own    bool
	partition, role       string
	principal, externalID string
	noMFA                 bool
	oidc, subject         string
	audience              string
}

func newPolicy(s *cli.Streams) *cobra.Command {
	f := &policyFlags{}
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Print the least that a role needs to respond",
		Long: `Print a policy for IAM: the permissions of the responder's role or, with --assess, of
"stanch assess"; with --own, those of your own identity; with --trust, who may assume
the role.

--trust asks for MFA, unless the principal is a role, whose sessions never have it, or
--no-mfa is given. --oidc is for a job with a token of OpenID Connect.`,
		Example: `  stanch respond policy                                                                                                 # permissions of the role
  stanch respond policy --trust --principal arn:aws:iam::111122223333:root                                              # who may assume it
  stanch respond policy --trust --oidc token.actions.githubusercontent.com --subject repo:acme/ops:ref:refs/heads/main  # a job of GitHub
  stanch respond policy --own                                                                                           # your own permissions`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := f.policy(cmd.Flags().Changed)
			if err != nil {
				return err
			}
			var indented bytes.Buffer
			if err := json.Indent(&indented, []byte(text), "", "  "); err != nil {
				return err
			}
			if f.trust && f.oidc == "" && f.isRole() && !f.noMFA {
				fmt.Fprintln(s.Stderr, "stanch: the policy does not ask for MFA, since the session of a role never has it: ask for it where that role is assumed")
			}
			_, err = fmt.Fprintln(s.Stdout, indented.String())
			return err
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.assess, "assess", false, "print the policy that \"stanch assess\" needs")
	flags.BoolVar(&f.own, "own", false, "print the policy that your own identity needs, to assume --role and for --notify")
	flags.StringVar(&f.role, "role", "stanch-respond", "with --own, the `ROLE`: its name, or an ARN")
	flags.BoolVar(&f.trust, "trust", false, "print the trust policy of the role, in place of its permissions")
	flags.StringVar(&f.partition, "partition", "aws", "the `PARTITION` of the account: aws, aws-cn, aws-us-gov or aws-eusc")
	_ = cmd.RegisterFlagCompletionFunc("partition", cobra.FixedCompletions([]string{"aws", "aws-cn", "aws-us-gov", "aws-eusc"}, cobra.ShellCompDirectiveNoFileComp))
	flags.StringVar(&f.principal, "principal", "", "with --trust, the `ARN` of the user, role or account that may assume the role (default: a placeholder)")
	flags.StringVar(&f.externalID, "external-id", "", "with --trust, the external `ID` that has to be given with the role")
	flags.BoolVar(&f.noMFA, "no-mfa", false, "with --trust, do not ask for MFA")
	flags.StringVar(&f.oidc, "oidc", "", "with --trust, trust the tokens of this OpenID Connect `ISSUER`: its host, or the ARN of the provider in IAM")
	flags.StringVar(&f.subject, "subject", "", "with --oidc, the one `SUBJECT` that may assume the role: repo:acme/ops:ref:refs/heads/main")
	flags.StringVar(&f.audience, "audience", permissions.Audience, "with --oidc, the `AUDIENCE` of the tokens")
	return cmd
}

// policy returns the policy as compact JSON. typed reports whether a flag was typed.
func (f *policyFlags) policy(typed func(name string) bool) (string, error) {
	if f.own && (f.assess || f.trust) || f.assess && f.trust {
		return "", errors.New("--own, --assess and --trust print three policies: give one of them")
	}
	if err := f.check(typed); err != nil {
		return "", err
	}
	switch {
	case f.oidc != "":
		return f.trustOIDC()
	case f.trust:
		principal := f.principal
		if !typed("principal") {
			principal = "arn:" + f.partition + ":iam::ACCOUNT:user/NAME"
		}
		return permissions.Trust(principal, f.externalID, !f.noMFA && !f.isRole()), nil
	case f.own:
		return permissions.Operator(f.partition, f.role), nil
	case f.assess:
		return assessment.Permissions(), nil
	}
	return permissions.Responder(f.partition), nil
}

// isRole reports whether the principal is a role, or a session of one. At AWS its sessions
// never have MFA, also if it was assumed with MFA.
func (f *policyFlags) isRole() bool {
	return strings.Contains(f.principal, ":role/") || strings.Contains(f.principal, ":assumed-role/")
}

// check refuses flags that the policy would not heed, and trust in everybody.
func (f *policyFlags) check(typed func(name string) bool) error {
	partitions := []string{"aws", "aws-cn", "aws-us-gov", "aws-eusc"}
	ofTrust := []string{"no-mfa", "oidc", "subject", "audience", "principal", "external-id"}
	switch {
	case !slices.Contains(partitions, f.partition):
		return fmt.Errorf("--partition %s: %s", f.partition, strings.Join(partitions, ", "))
	case !f.trust && slices.ContainsFunc(ofTrust, typed):
		return errors.New("--no-mfa, --oidc, --subject, --audience, --principal and --external-id are about --trust")
	case !f.own && typed("role"):
		return errors.New("--role is about --own")
	case f.oidc == "" && (f.subject != "" || typed("audience")):
		return errors.New("--subject and --audience: name the issuer of the tokens, too (--oidc)")
	case f.oidc != "" && (typed("principal") || f.externalID != "" || f.noMFA):
		return errors.New("--oidc: a token has no principal, external id or MFA; leave out --principal, --external-id and --no-mfa")
	case strings.Contains(f.principal, "*"):
		return fmt.Errorf("--principal %s: name one: everybody at AWS could assume the role", f.principal)
	}
	return nil
}

func (f *policyFlags) trustOIDC() (string, error) {
	if f.subject == "" || strings.ContainsAny(f.subject, "*?") {
		return "", fmt.Errorf("--subject %q: name one subject, without wildcards: the issuer gives tokens to everybody's jobs", f.subject)
	}
	provider := f.oidc
	if !strings.Contains(provider, ":oidc-provider/") {
		host := strings.TrimSuffix(strings.TrimPrefix(provider, "https://"), "/")
		provider = "arn:" + f.partition + ":iam::ACCOUNT:oidc-provider/" + host
	}
	return permissions.TrustOIDC(provider, f.audience, f.subject), nil
}

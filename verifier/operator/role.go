package operator

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/config"
)

var roleName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([\w+=,.@-]+/)*[\w+=,.@-]{1,64}$`) })

// checkRole returns an error if c.Role is neither a name of a role nor an ARN of one.
func (c Config) checkRole() error {
	if name := c.Role[strings.LastIndexByte(c.Role, ':')+1:]; c.Role == "" || roleName().MatchString(name) && (name == c.Role || roleAccount(c.Role) != "") {
		return nil
	}
	return fmt.Errorf("%s: %q is not a role: give its name, path/name, or its ARN (arn:aws:iam::ACCOUNT:role/NAME)", c.roleFrom(), c.Role)
}

// roleIn returns the ARN of the role to assume in account. If Role is the ARN of a role in
// another account, the error wraps ErrOtherAccount.
func (c Config) roleIn(partition, account string) (string, error) {
	switch of := roleAccount(c.Role); of {
	case "":
		return "arn:" + partition + ":iam::" + account + ":role/" + c.Role, nil
	case account:
		return c.Role, nil
	default:
		return "", fmt.Errorf("%w: %s names the role %s of account %s, the key is of %s: give the name of a role that both accounts have, or --role",
			ErrOtherAccount, c.roleFrom(), c.Role, of, account)
	}
}

func (c Config) roleFrom() string { return cmp.Or(c.RoleFrom, "--role") }

// roleAccount returns the account in the ARN of a role, "" if arn is none.
func roleAccount(arn string) string {
	if f := strings.Split(arn, ":"); len(f) == 6 && f[0] == "arn" && f[2] == "iam" && strings.HasPrefix(f[5], "role/") {
		return AccountOfARN(arn)
	}
	return ""
}

// ProfileAccount returns the account of the role that a profile of the AWS configuration
// assumes (role_arn), "" if it assumes none or is not there. With "" for profile it is that of
// AWS_PROFILE or the default one, and "" if the environment has a key. It reads files only.
func ProfileAccount(ctx context.Context, profile string) string {
	if profile == "" && os.Getenv("AWS_ACCESS_KEY_ID") != "" { // as for the SDK and the CLI
		return ""
	}
	profile = cmp.Or(profile, os.Getenv("AWS_PROFILE"), os.Getenv("AWS_DEFAULT_PROFILE"), "default")
	cfg, err := config.LoadSharedConfigProfile(ctx, profile, func(o *config.LoadSharedConfigOptions) {
		if name := os.Getenv("AWS_CONFIG_FILE"); name != "" {
			o.ConfigFiles = []string{name}
		}
		if name := os.Getenv("AWS_SHARED_CREDENTIALS_FILE"); name != "" {
			o.CredentialsFiles = []string{name}
		}
	})
	if err != nil { // New reads the same profile, and says so
		return ""
	}
	return roleAccount(cfg.RoleARN)
}

package verifiertest

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// User returns a key of the IAM user name in account, made from seed.
func User(account, name string, seed uint64) Key {
	return Key{
		Credential: LongTerm(account, seed),
		ARN:        "arn:aws:iam::" + account + ":user/" + name,
		UserID:     detectorstest.KeyID("AIDA", account, seed) + "A",
	}
}

// Root returns a key of the root user of account, made from seed.
func Root(account string, seed uint64) Key {
	return Key{Credential: LongTerm(account, seed), ARN: "arn:aws:iam::" + account + ":root", UserID: account}
}

// Role returns the key of a session of the role name in account, issued now at
// us-east-1 and made from seed.
func Role(account, name string, seed uint64) Key {
	return Key{
		Credential: Session(account, "us-east-1", time.Now(), seed),
		ARN:        "arn:aws:sts::" + account + ":assumed-role/" + name + "/session",
		UserID:     detectorstest.KeyID("AROA", account, seed) + "A:session",
	}
}

// LongTerm returns an id and a secret for account, made from seed.
func LongTerm(account string, seed uint64) detectors.Credential {
	return detectors.Credential{
		ID:     detectorstest.KeyID("AKIA", account, seed),
		Secret: detectors.NewSecret(detectorstest.SecretKey(seed)),
	}
}

// Session returns an id, a secret and a token for account, made from seed.
func Session(account, region string, issued time.Time, seed uint64) detectors.Credential {
	return detectors.Credential{
		ID:     detectorstest.KeyID("ASIA", account, seed),
		Secret: detectors.NewSecret(detectorstest.SecretKey(seed)),
		Token:  detectors.NewSecret(detectorstest.Token(account, region, issued, seed)),
	}
}

// accountOf returns the fifth field of arn.
func accountOf(arn string) string {
	if f := strings.Split(arn, ":"); len(f) > 4 {
		return f[4]
	}
	return ""
}

// SignAs makes c the identity that the AWS configuration names, for the rest of a test.
func SignAs(t testing.TB, c detectors.Credential) {
	t.Helper()
	for name, value := range Environment(c) {
		t.Setenv(name, value)
	}
}

// Environment returns the variables that make c the identity that the AWS configuration
// names.
func Environment(c detectors.Credential) map[string]string {
	return map[string]string{
		"AWS_ACCESS_KEY_ID": c.ID, "AWS_SECRET_ACCESS_KEY": c.Secret.Reveal(), "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_REGION": "us-east-1",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true", "AWS_CA_BUNDLE": "",
	}
}

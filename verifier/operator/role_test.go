package operator

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestRoleIn: a name is a role of every account, an ARN one of its own account alone.
func TestRoleIn(t *testing.T) {
	for _, tt := range []struct{ role, partition, account, want string }{
		{"stanch", "aws", "222233334444", "arn:aws:iam::222233334444:role/stanch"},
		{"team/stanch", "aws-cn", "222233334444", "arn:aws-cn:iam::222233334444:role/team/stanch"},
		{"arn:aws:iam::222233334444:role/team/stanch", "aws", "222233334444", "arn:aws:iam::222233334444:role/team/stanch"},
		{"arn:aws:iam::222233334444:role/stanch", "aws", "333344445555", ""},
	} {
		c := Config{Role: tt.role, RoleFrom: "STANCH_ROLE"}
		if err := c.checkRole(); err != nil {
			t.Error(err)
		}
		got, err := c.roleIn(tt.partition, tt.account)
		if got != tt.want || errors.Is(err, ErrOtherAccount) != (tt.want == "") {
			t.Errorf("%s in %s: %q, %v", tt.role, tt.account, got, err)
		}
	}
}

// TestNoAccount: a report names the account whose role is assumed, and may name anything.
func TestNoAccount(t *testing.T) {
	aws, s := open(t)
	s.op.cfg.Role = "stanch"
	before := len(aws.Requests())
	for _, account := range []string{"", "222233334444:role/other", "*", "2222333344445"} {
		if _, err := s.op.In(t.Context(), account, "test", ""); !errors.Is(err, ErrNoRole) {
			t.Errorf("%q: %v", account, err)
		}
	}
	if n := len(aws.Requests()) - before; n != 0 {
		t.Errorf("%d requests", n)
	}
}

// TestProfileAccount: of the profile that is named, or of the environment's, or the default
// one.
func TestProfileAccount(t *testing.T) {
	name := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(name, []byte(`
[default]
credential_process = true
[profile prod]
role_arn = arn:aws:iam::222233334444:role/team/admin
source_profile = default
[profile broken]
role_arn = admin
source_profile = default
`), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", name)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_PROFILE", "")
	t.Setenv("AWS_DEFAULT_PROFILE", "")
	for profile, want := range map[string]string{"prod": "222233334444", "": "", "broken": "", "none": ""} {
		if got := ProfileAccount(t.Context(), profile); got != want {
			t.Errorf("profile %q: account %q, want %q", profile, got, want)
		}
	}
	t.Setenv("AWS_PROFILE", "prod")
	if got := ProfileAccount(t.Context(), ""); got != "222233334444" {
		t.Errorf("AWS_PROFILE: account %q", got)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "a key")
	if got := ProfileAccount(t.Context(), ""); got != "" {
		t.Errorf("AWS_PROFILE and a key in the environment, which comes first: account %q", got)
	}
}

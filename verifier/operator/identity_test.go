package operator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestMFA: a profile that takes an MFA device asks for one code, and signs the whole run with
// the session that it gets.
func TestMFA(t *testing.T) {
	const ops, device, code = "111122223333", "arn:aws:iam::111122223333:mfa/olga", "123456"
	for _, tt := range []struct {
		name string
		ask  func() (string, error) // nil: nobody is there
		want string                 // in the error, "" for none
	}{
		{"right code", func() (string, error) { return code, nil }, ""},
		{"wrong code", func() (string, error) { return "654321", nil }, "AccessDenied"},
		{"no terminal", func() (string, error) { return "", errors.New("no terminal") },
			`without a terminal: eval "$(aws configure export-credentials --profile mfa --format env)"`},
		{"nobody", nil, "the MFA device " + device + ": nobody is there to ask"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			aws := verifiertest.NewAWS(t)
			var config string
			aws.Change(ops, func(a *verifiertest.Account) {
				c := a.User("olga", 1).Keys[0].Credential
				a.Role("ops", "").Code = code
				config = fmt.Sprintf("[profile base]\naws_access_key_id = %s\naws_secret_access_key = %s\n[profile mfa]\n"+
					"role_arn = arn:aws:iam::%s:role/ops\nsource_profile = base\nmfa_serial = %s\n", c.ID, c.Secret.Reveal(), ops, device)
			})
			aws.Change("222233334444", func(a *verifiertest.Account) { a.Role("reader", "") })
			identify(t, "", "")
			t.Setenv("AWS_CONFIG_FILE", write(t, config))
			t.Setenv("AWS_ENDPOINT_URL", aws.URL)
			t.Setenv("AWS_ENDPOINT_URL_STS", aws.URL) // without it, the SDK assumes roles of profiles at AWS
			var asked []string
			cfg := Config{Profile: "mfa", Role: "reader"}
			if tt.ask != nil {
				cfg.MFA = func(_ context.Context, serial string) (string, error) {
					asked = append(asked, serial)
					return tt.ask()
				}
			}
			o, err := New(t.Context(), cfg)
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%v, want %s", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := o.In(t.Context(), "222233334444", "", ""); err != nil {
				t.Error(err)
			}
			if len(asked) != 1 || asked[0] != device {
				t.Errorf("asked for %q", asked)
			}
		})
	}
}

// TestSignInAgain: where a sign-in has run out, the error says which command renews it.
func TestSignInAgain(t *testing.T) {
	for _, tt := range []struct{ name, config, want string }{
		{"single sign-on", "[profile x]\nsso_start_url = https://example.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 111122223333\nsso_role_name = r\n",
			"(aws sso login --profile x)"},
		{"its session", "[profile x]\nsso_session = s\nsso_account_id = 111122223333\nsso_role_name = r\n[sso-session s]\nsso_region = us-east-1\nsso_start_url = https://example.awsapps.com/start\n",
			"(aws sso login --profile x)"},
		{"below a role", "[profile x]\nrole_arn = arn:aws:iam::111122223333:role/r\nsource_profile = y\n" +
			"[profile y]\nsso_start_url = https://example.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 111122223333\nsso_role_name = r\n",
			"(aws sso login --profile y)"},
		{"below a role with MFA", "[profile x]\nrole_arn = arn:aws:iam::111122223333:role/r\nsource_profile = y\nmfa_serial = arn:aws:iam::111122223333:mfa/olga\n" +
			"[profile y]\nsso_start_url = https://example.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 111122223333\nsso_role_name = r\n",
			"(aws sso login --profile y)"},
		{"aws login", "[profile x]\nlogin_session = arn:aws:iam::111122223333:user/olga\nregion = us-east-1\n", "(aws login --profile x)"},
		{"nothing", "[profile x]\nregion = us-east-1\n", "(--profile, AWS_PROFILE, aws sso login)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			home := t.TempDir() // without the files of a sign-in
			t.Setenv("HOME", home)
			t.Setenv("USERPROFILE", home)
			identify(t, "", "")
			t.Setenv("AWS_CONFIG_FILE", write(t, tt.config))
			t.Setenv("AWS_LOGIN_CACHE_DIRECTORY", filepath.Join(home, "none"))
			if _, err := New(t.Context(), Config{Profile: "x"}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

// TestNoSource: where nothing has credentials, the error stops after the hint. A cause that says
// more than that stays.
func TestNoSource(t *testing.T) {
	for _, tt := range []struct{ name, config, disabled, want, not string }{
		{"the metadata service refuses", "", "false", "aws sso login): neither the environment, nor", "IMDS"},
		{"nobody asks it", "", "true", "aws sso login): neither the environment, nor", "IMDS"},
		{"a profile without credentials", "[profile x]\nregion = us-east-1\n", "false", "neither the environment, nor", "IMDS"},
		{"a profile that does not exist", "[profile y]\n", "false", "failed to get shared config profile, x", "neither"},
		{"the profile names the instance", "[profile x]\nrole_arn = arn:aws:iam::111122223333:role/r\ncredential_source = Ec2InstanceMetadata\n", "false",
			"StatusCode: 403", "neither"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			metadata := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
			defer metadata.Close()
			home := t.TempDir() // without the files of a sign-in
			t.Setenv("HOME", home)
			t.Setenv("USERPROFILE", home)
			identify(t, "", "")
			t.Setenv("AWS_EC2_METADATA_DISABLED", tt.disabled)
			t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.URL)
			profile := ""
			if tt.config != "" {
				t.Setenv("AWS_CONFIG_FILE", write(t, tt.config))
				profile = "x"
			}
			_, err := New(t.Context(), Config{Profile: profile})
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), tt.not) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

// TestSDKIsQuiet: if a metadata service refuses, the SDK writes nothing of its own to standard
// error.
func TestSDKIsQuiet(t *testing.T) {
	asked := false
	metadata := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked = true
		w.WriteHeader(http.StatusForbidden)
	}))
	defer metadata.Close()
	identify(t, "", "")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.URL)
	said, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	stderr := os.Stderr
	os.Stderr = said
	_, err = New(t.Context(), Config{})
	os.Stderr = stderr
	text, readErr := os.ReadFile(said.Name())
	if err == nil || readErr != nil || !asked || len(text) > 0 {
		t.Errorf("asked the service: %t; %v, %v; standard error:\n%s", asked, err, readErr, text)
	}
}

package operator

import (
	"encoding/pem"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// olga makes a user of account 111122223333 the identity of the environment, and returns the
// AWS that knows her.
func olga(t *testing.T) *verifiertest.AWS {
	t.Helper()
	aws := verifiertest.NewAWS(t)
	aws.Change("111122223333", func(a *verifiertest.Account) {
		c := a.User("olga", 1).Keys[0].Credential
		identify(t, c.ID, c.Secret.Reveal())
	})
	return aws
}

// write makes a file of a new folder, and returns its name.
func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestEndpoints: the endpoints that the operator has set are asked, in the order of the AWS
// CLI: the environment, then the profile, and in each the service's own first.
func TestEndpoints(t *testing.T) {
	const profile = "[default]\nservices = mine\n" + "endpoint_url = https://all.example.com\n[services mine]\niam =\n  endpoint_url = https://iam.example.com/path/\n" +
		"cloudwatch_logs =\n  endpoint_url = https://logs.example.com\n"
	for _, tt := range []struct {
		name    string
		config  string
		env     map[string]string
		service string
		want    string
	}{
		{"none", "", nil, "iam", "https://iam.amazonaws.com"},
		{"profile", profile, nil, "sns", "https://all.example.com"},
		{"services section", profile, nil, "iam", "https://iam.example.com/path"},
		{"a name of two words", profile, nil, "logs", "https://logs.example.com"},
		{"variable", profile, map[string]string{"AWS_ENDPOINT_URL": "https://env.example.com"}, "sns", "https://env.example.com"},
		{"variable before a services section", profile, map[string]string{"AWS_ENDPOINT_URL": "https://env.example.com"}, "iam", "https://env.example.com"},
		{"variable of the service", profile, map[string]string{"AWS_ENDPOINT_URL": "https://env.example.com", "AWS_ENDPOINT_URL_IAM": "https://vpce.example.com"}, "iam", "https://vpce.example.com"},
		{"variable of a name of two words", "", map[string]string{"AWS_ENDPOINT_URL_COST_EXPLORER": "https://ce.example.com"}, "ce", "https://ce.example.com"},
		{"of another service", "", map[string]string{"AWS_ENDPOINT_URL_IAM": "https://vpce.example.com"}, "sns", "https://sns.eu-west-1.amazonaws.com"},
		{"all ignored", profile, map[string]string{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, "iam", "https://iam.amazonaws.com"},
		{"ignored in the profile", strings.Replace(profile, "services", "ignore_configured_endpoint_urls = true\nservices", 1), nil, "sns", "https://sns.eu-west-1.amazonaws.com"},
		{"fips", "", map[string]string{"AWS_USE_FIPS_ENDPOINT": "true"}, "sns", "https://sns-fips.eu-west-1.amazonaws.com"},
		{"fips in the profile", "[default]\nuse_fips_endpoint = true\n", nil, "iam", "https://iam-fips.amazonaws.com"},
		{"no fips before the profile", "[default]\nuse_fips_endpoint = true\n", map[string]string{"AWS_USE_FIPS_ENDPOINT": "false"}, "iam", "https://iam.amazonaws.com"},
		{"fips, and an endpoint", profile, map[string]string{"AWS_USE_FIPS_ENDPOINT": "true"}, "iam", "https://iam.example.com/path"},
		{"sts in the region", "", nil, "sts", "https://sts.eu-west-1.amazonaws.com"},
		{"sts in the region, whatever older tools do", "", map[string]string{"AWS_STS_REGIONAL_ENDPOINTS": "legacy"}, "sts", "https://sts.eu-west-1.amazonaws.com"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			olga(t)
			t.Setenv("AWS_CONFIG_FILE", write(t, tt.config))
			t.Setenv("AWS_REGION", "eu-west-1")
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			loaded, err := load(t.Context(), "", nil)
			if err != nil {
				t.Fatal(err)
			}
			set, err := readSettings(t.Context(), loaded)
			if err != nil {
				t.Fatal(err)
			}
			s := &Session{op: &Operator{settings: set}, region: loaded.Region}
			s.partition.Name, s.partition.Home, s.partition.Suffix = "aws", "us-east-1", "amazonaws.com"
			region := ""
			if tt.service == "sns" {
				region = "eu-west-1"
			}
			if got, _ := s.endpoint(Call{Service: tt.service, Region: region}); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// TestRefusedEndpoints: before anything is sent.
func TestRefusedEndpoints(t *testing.T) {
	aws := olga(t)
	for _, tt := range []struct{ variable, value, want string }{
		{"AWS_ENDPOINT_URL", "http://iam.example.com", "use https"},
		{"AWS_ENDPOINT_URL_IAM", "http://10.0.0.1:80", "the endpoint of iam"},
		{"AWS_ENDPOINT_URL_IAM", "iam.example.com", "want https://HOST"},
		{"AWS_ENDPOINT_URL_STS", "https://a:hunter2@\x7f", "not a URL"},
		{"AWS_USE_FIPS_ENDPOINT", "perhaps", "AWS configuration"},
		{"AWS_REGION", "example.com/", `"example.com/" is not a region`},
		{"AWS_REGION", "us-iso-east-1", "stanch knows aws, aws-cn, aws-us-gov and aws-eusc"},
		{"AWS_CA_BUNDLE", "no-such-file", "AWS configuration"},
	} {
		t.Run(tt.variable+"="+tt.value, func(t *testing.T) {
			t.Setenv(tt.variable, tt.value)
			if _, err := New(t.Context(), Config{Endpoint: aws.URL}); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
	if n := len(aws.Requests()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// TestCABundle: the operator's certificates count, and no others then.
func TestCABundle(t *testing.T) {
	aws := olga(t)
	tls := httptest.NewUnstartedServer(aws)
	tls.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0) // it logs the handshake
	tls.StartTLS()
	t.Cleanup(tls.Close)
	bundle := write(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: tls.Certificate().Raw})))
	t.Setenv("AWS_ENDPOINT_URL", tls.URL)
	for _, tt := range []struct{ name, variable, config, want string }{
		{"variable", bundle, "", ""},
		{"profile", "", "[default]\nca_bundle = " + bundle + "\n", ""},
		{"none", "", "", "name its certificates with AWS_CA_BUNDLE"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("AWS_CA_BUNDLE", tt.variable)
			t.Setenv("AWS_CONFIG_FILE", write(t, tt.config))
			o, err := New(t.Context(), Config{Wait: time.Hour}) // a second attempt would take it
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%v, want %s", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := o.Own().Tags(t.Context(), "user", "olga"); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestLeakedReadsNoSettings: a leaked key goes to AWS's own host, whatever the operator has set.
func TestLeakedReadsNoSettings(t *testing.T) {
	trap := olga(t)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": trap.URL, "AWS_ENDPOINT_URL_STS": trap.URL, "AWS_ENDPOINT_URL_IAM": trap.URL, "AWS_USE_FIPS_ENDPOINT": "true",
		"AWS_CONFIG_FILE": write(t, "[default]\nendpoint_url = "+trap.URL+"\n"), "AWS_CA_BUNDLE": "no-such-file", "AWS_REGION": "eu-west-1",
	} {
		t.Setenv(name, value)
	}
	s, err := Leaked(Config{}, verifiertest.LongTerm("111122223333", 2), "arn:aws:iam::111122223333:user/x")
	if err != nil {
		t.Fatal(err)
	}
	for service, want := range map[string]string{"sts": "https://sts.us-east-1.amazonaws.com", "iam": "https://iam.amazonaws.com"} {
		if got, _ := s.endpoint(Call{Service: service}); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if tr := s.op.http.Transport.(*http.Transport); tr.Proxy != nil || tr.TLSClientConfig != nil {
		t.Error("the transport has a proxy, or certificates of its own")
	}
}

// TestNoFIPSHost: AWS has FIPS endpoints in few regions, and the error says how to go on.
func TestNoFIPSHost(t *testing.T) {
	missing := &net.DNSError{Err: "no such host", Name: "logs-fips.eu-west-1.amazonaws.com", IsNotFound: true}
	if err := (settings{fips: true}).explain("logs", "eu-west-1", missing); !strings.Contains(err.Error(), "no FIPS endpoint of logs in eu-west-1: set AWS_ENDPOINT_URL_CLOUDWATCH_LOGS") {
		t.Error(err)
	}
	if err := (settings{}).explain("logs", "eu-west-1", missing); !errors.Is(err, missing) || errors.As(err, new(*settingsError)) {
		t.Errorf("without FIPS: %v", err)
	}
}

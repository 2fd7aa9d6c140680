package operator

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

func identify(t *testing.T, id, secret string) {
	t.Helper()
	verifiertest.SignAs(t, detectors.Credential{ID: id, Secret: detectors.NewSecret(secret)})
	t.Setenv("AWS_REGION", "")
}

// TestErrorBodies: in the form of each service, and what is none.
func TestErrorBodies(t *testing.T) {
	for _, tt := range []struct {
		service, header, body string
		status                int
		want                  string
	}{
		{"iam", "", `<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>no</Message></Error></ErrorResponse>`, 404, "NoSuchEntity"},
		{"ec2", "", `<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>`, 403, "UnauthorizedOperation"},
		{"cloudtrail", "", `{"__type":"com.amazonaws.cloudtrail#AccessDeniedException","Message":"no"}`, 400, "AccessDeniedException"},
		{"guardduty", "BadRequestException:http://internal/", `{"message":"no"}`, 400, "BadRequestException"},
		{"iam", "", "<html>", 503, "no code"},
		{"iam", "", "<html>", 403, "other than AWS"},
		{"cloudtrail", "", "", 302, "other than AWS"},
		{"iam", "", `<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature expired: x is now earlier than y</Message></Error></ErrorResponse>`,
			403, "the clock of this machine is wrong by 1h0m"},
	} {
		resp := &http.Response{StatusCode: tt.status, Header: http.Header{"X-Amzn-Errortype": {tt.header},
			"Date": {time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)}}}
		if err := newError(Call{Service: tt.service, Action: "X"}, resp, []byte(tt.body)); !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %d %s: %v, want %s", tt.service, tt.status, tt.body, err, tt.want)
		}
	}
}

// TestRefusedConfig: before anything is sent.
func TestRefusedConfig(t *testing.T) {
	aws := verifiertest.NewAWS(t)
	identify(t, detectorstest.KeyID("AKIA", detectorstest.Account, 1), detectorstest.SecretKey(1))
	for _, tt := range []struct {
		cfg  Config
		want string
	}{
		{Config{Endpoint: "https://example.com"}, "loopback"},
		{Config{Endpoint: "http://10.0.0.1:80"}, "loopback"},
		{Config{Endpoint: "http://127.0.0.1:80/x"}, "loopback"},
		{Config{Endpoint: aws.URL, Role: "arn:aws:iam::123456789012:user/x"}, `--role: "arn:aws:iam::123456789012:user/x" is not a role`},
		{Config{Endpoint: aws.URL, Role: "arn:aws:iam::*:role/x", RoleFrom: "STANCH_ROLE"}, "STANCH_ROLE: "},
		{Config{Endpoint: aws.URL, Role: "a b"}, "is not a role"},
		{Config{Endpoint: aws.URL, Profile: "none"}, "AWS configuration"},
		{Config{Endpoint: aws.URL}, "InvalidClientTokenId"}, // nobody's key
	} {
		if _, err := New(t.Context(), tt.cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %s", tt.cfg, err, tt.want)
		}
	}
	if n := len(aws.Requests()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// TestSession: a role is assumed once, with its external id, under a name that
// AWS takes, and the session's account is what AWS says.
func TestSession(t *testing.T) {
	aws := verifiertest.NewAWS(t)
	const ops, prod = "111122223333", "222233334444"
	aws.Change(ops, func(a *verifiertest.Account) {
		c := a.User("olga", 1).Keys[0].Credential
		identify(t, c.ID, c.Secret.Reveal())
	})
	aws.Change(prod, func(a *verifiertest.Account) { a.Role("reader", "x") })
	o, err := New(t.Context(), Config{Endpoint: aws.URL, Role: "team/reader", ExternalID: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if own, err := o.In(t.Context(), ops, "", ""); err != nil || own != o.Own() {
		t.Errorf("own account: %v", err)
	}
	for range 2 {
		s, err := o.In(t.Context(), prod, "a b/"+strings.Repeat("c", 99), "")
		if err != nil || s.Account != prod || !strings.Contains(s.ARN, ":assumed-role/reader/stanch-a-b-ccc") {
			t.Fatalf("%+v, %v", s, err)
		}
		if name := s.ARN[strings.LastIndexByte(s.ARN, '/')+1:]; len(name) != 64 {
			t.Errorf("session name %s", name)
		}
	}
	var actions []string
	for _, r := range aws.Requests() {
		actions = append(actions, r.Action)
	}
	if want := []string{"GetCallerIdentity", "AssumeRole", "GetCallerIdentity"}; !slices.Equal(actions, want) {
		t.Errorf("requests %q, want %q", actions, want)
	}
}

package operator_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/verifier/assessment"
	"github.com/stanch-dev/stanch/verifier/operator"
	"github.com/stanch-dev/stanch/verifier/response/permissions"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// signedAs has the services whose permissions have another prefix than their signatures.
var signedAs = map[string]string{"cloudwatch": "monitoring"}

// operations returns every call that stanch makes with the operator's identity. The policies
// that stanch writes for it name them all: other tests hold the requests against the
// policies. Only inventory and GetCallerIdentity are in none.
func operations() (calls []operator.Call) {
	names := slices.Concat(
		verifiertest.Actions(assessment.Permissions()),
		verifiertest.Actions(permissions.Responder("aws")),
		verifiertest.Actions(permissions.Operator("aws", "x")),
		[]string{"iam:ListUsers", "sts:GetCallerIdentity"},
	)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		service, action, _ := strings.Cut(name, ":")
		if other := signedAs[service]; other != "" {
			service = other
		}
		calls = append(calls, operator.Call{Service: service, Action: action})
	}
	return calls
}

// TestStrangersAnswer: no operation takes for AWS's what a proxy answers with the status 200,
// and none is sent again.
func TestStrangersAnswer(t *testing.T) {
	const account = "111122223333"
	var says atomic.Value // the body of every answer but the first
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = io.WriteString(w, says.Load().(string))
	}))
	defer server.Close()
	says.Store("<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::" + account +
		":user/olga</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>")
	verifiertest.SignAs(t, detectors.Credential{
		ID: detectorstest.KeyID("AKIA", account, 1), Secret: detectors.NewSecret(detectorstest.SecretKey(1)),
	})
	o, err := operator.New(t.Context(), operator.Config{Endpoint: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	s := o.Own()
	xml := map[string]bool{"iam": true, "sts": true, "ec2": true, "monitoring": true, "sns": true}
	calls := operations()
	if len(calls) < 50 {
		t.Fatalf("%d operations", len(calls))
	}
	for _, tt := range []struct {
		name, body string
		json       bool // could be AWS's, of a service that answers in JSON
	}{
		{name: "HTML", body: "<!DOCTYPE html><html><head><meta charset=utf-8><title>Sign in</title></head><body>Blocked<br></body></html>"},
		{name: "XHTML", body: "<html><head><title>Blocked</title></head><body>Ask your administrator</body></html>"},
		{name: "empty", body: ""},
		{name: "text", body: "blocked by policy"},
		{name: "the answer to another operation", body: "<GetBlockPageResponse><GetBlockPageResult/></GetBlockPageResponse>"},
		{name: "half of an answer", body: "<"},
		{name: "empty object", body: "{}", json: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			says.Store(tt.body)
			for _, c := range calls {
				if tt.json && !xml[c.Service] {
					continue
				}
				ways := map[string]func() error{
					"with the answer dropped": func() error { return s.Do(t.Context(), c, nil) },
					"with the answer read":    func() error { return s.Do(t.Context(), c, &struct{}{}) },
				}
				if c.Service == "iam" {
					ways["as a list"] = func() error { return s.All(t.Context(), c, &struct{}{}) }
				}
				for way, do := range ways {
					before := asked.Load()
					err := do()
					var refused *operator.Error
					if err == nil || errors.As(err, &refused) || !strings.Contains(err.Error(), "something other than AWS replied") {
						t.Errorf("%s:%s %s: %v", c.Service, c.Action, way, err)
					}
					if n := asked.Load() - before; n != 1 {
						t.Errorf("%s:%s %s: %d requests", c.Service, c.Action, way, n)
					}
				}
			}
		})
	}
}

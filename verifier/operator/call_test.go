package operator

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

const block = "<html><head><title>blocked</title></head><body>Ask your administrator</body></html>"

func says(body string) verifiertest.Response {
	return verifiertest.Response{Status: http.StatusOK, Body: body, Header: http.Header{"Content-Type": {"text/html"}}}
}

func open(t *testing.T) (*verifiertest.AWS, *Session) {
	t.Helper()
	return openAt(t, func(*verifiertest.AWS) {})
}

// openAt is open at an AWS that set has changed.
func openAt(t *testing.T, set func(*verifiertest.AWS)) (*verifiertest.AWS, *Session) {
	t.Helper()
	aws := verifiertest.NewAWS(t)
	set(aws)
	aws.Change("111122223333", func(a *verifiertest.Account) {
		u := a.User("olga", 1)
		u.Tags["last"] = "true"
		identify(t, u.Keys[0].Credential.ID, u.Keys[0].Credential.Secret.Reveal())
	})
	o, err := New(t.Context(), Config{Endpoint: aws.URL})
	if err != nil {
		t.Fatal(err)
	}
	return aws, o.Own()
}

// TestForeignRegion: a region makes the name of a host, and a report may name it. Nothing is
// sent to a host that is not AWS's.
func TestForeignRegion(t *testing.T) {
	aws, s := open(t)
	before := len(aws.Requests())
	for _, region := range []string{"example.com/", "example.com#", "a@example.com:1/", "N/A", "a.b"} {
		if err := s.Do(t.Context(), Call{Service: "ec2", Action: "DescribeInstances", Region: region}, nil); err == nil || !strings.Contains(err.Error(), "is not a region") {
			t.Errorf("%s: %v", region, err)
		}
	}
	if n := len(aws.Requests()) - before; n != 0 {
		t.Errorf("%d requests", n)
	}
}

// TestProxyPage: what a proxy says with 200 and good XML is not an answer: no tag, no
// key, and no policy that is put.
func TestProxyPage(t *testing.T) {
	aws, s := open(t)
	put := Call{Service: "iam", Action: "PutUserPolicy", Params: map[string]string{"UserName": "olga"}}
	for permission, do := range map[string]func() error{
		"iam:ListUserTags":   func() error { _, err := s.Tags(t.Context(), "user", "olga"); return err },
		"iam:ListAccessKeys": func() error { _, err := s.AccessKeys(t.Context(), "olga"); return err },
		"iam:GetUserPolicy":  func() error { _, err := s.InlinePolicy(t.Context(), "user", "olga", "x"); return err },
		"iam:PutUserPolicy":  func() error { return s.Do(t.Context(), put, nil) },
	} {
		for _, body := range []string{block, ""} {
			aws.Next(permission, says(body))
			if err := do(); !errors.Is(err, errUnreadable) {
				t.Errorf("%s, %q: %v", permission, body, err)
			}
		}
	}
	aws.Next("events:PutEvents", says(block))
	if err := s.Do(t.Context(), Call{Service: "events", Action: "PutEvents", Body: struct{}{}}, nil); !errors.Is(err, errUnreadable) {
		t.Errorf("events:PutEvents: %v", err)
	}
}

// TestPages: IAM may end a page early, and a tag on the next one may protect a user.
func TestPages(t *testing.T) {
	aws, s := open(t)
	cut := func(tags, marker string) verifiertest.Response {
		return says("<ListUserTagsResponse><ListUserTagsResult><Tags>" + tags + "</Tags><IsTruncated>true</IsTruncated><Marker>" + marker +
			"</Marker></ListUserTagsResult><ResponseMetadata><RequestId>x</RequestId></ResponseMetadata></ListUserTagsResponse>")
	}
	aws.Next("iam:ListUserTags", cut("<member><Key>a</Key><Value>1</Value></member>", "m1"), cut("", "m2"))
	tags, err := s.Tags(t.Context(), "user", "olga")
	if err != nil || len(tags) != 2 || tags["a"] != "1" || tags["last"] != "true" {
		t.Errorf("%v, %v", tags, err)
	}
	aws.Next("iam:ListUserTags", cut("", "m"), cut("", "m"))
	if _, err := s.Tags(t.Context(), "user", "olga"); err == nil || !strings.Contains(err.Error(), "again") {
		t.Errorf("a list without end: %v", err)
	}
}

// TestQuotedToken: AWS quotes the headers of a request whose signature does not match.
func TestQuotedToken(t *testing.T) {
	fake := verifiertest.NewAWS(t)
	const ops, prod = "111122223333", "222233334444"
	fake.Change(ops, func(a *verifiertest.Account) {
		c := a.User("olga", 1).Keys[0].Credential
		identify(t, c.ID, c.Secret.Reveal())
	})
	fake.Change(prod, func(a *verifiertest.Account) { a.Role("reader", "") })
	o, err := New(t.Context(), Config{Endpoint: fake.URL, Role: "reader"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := o.In(t.Context(), prod, "", "")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := s.keys.Retrieve(t.Context())
	if err != nil || keys.SessionToken == "" {
		t.Fatal(err)
	}
	for _, text := range []string{
		"The request signature we calculated does not match.\n\nThe Canonical String for this request should have been\n'POST\n/\nx-amz-security-token:" + keys.SessionToken,
		"it was x-amz-security-token:" + keys.SessionToken + " and so on",
	} {
		fake.Next("iam:ListUserTags", verifiertest.Failure(http.StatusForbidden, "SignatureDoesNotMatch", text))
		_, err := s.Tags(t.Context(), "user", "x")
		if err == nil || !strings.Contains(err.Error(), "SignatureDoesNotMatch") || strings.Contains(err.Error(), keys.SessionToken) || strings.Contains(err.Error(), "Canonical") {
			t.Errorf("%v", err)
		}
	}
}

// TestRefusal: a call that was denied is told with the permission and with AWS's own
// reason, without the signer's secret, and not longer than can be read.
func TestRefusal(t *testing.T) {
	const who = "User: arn:aws:iam::111122223333:user/olga is not authorized to perform: iam:ListUserTags on resource: user olga"
	for _, tt := range []struct{ said, refusal, reason string }{
		{"", "needs iam:ListUserTags", "needs iam:ListUserTags"},
		{"no", "needs iam:ListUserTags; AWS says: no", "needs iam:ListUserTags"},
		{who + " because no identity-based policy allows the iam:ListUserTags action",
			"needs iam:ListUserTags; AWS says: " + who + " because no identity-based policy allows the iam:ListUserTags action", "needs iam:ListUserTags"},
		{who + " because no permissions boundary allows the iam:ListUserTags action", "needs iam:ListUserTags; AWS says: " + who,
			"needs iam:ListUserTags, because no permissions boundary allows the iam:ListUserTags action"},
		{who + " with an explicit deny in a service control policy",
			"iam:ListUserTags is denied; AWS says: " + who + " with an explicit deny in a service control policy",
			"iam:ListUserTags is denied with an explicit deny in a service control policy"},
		{"explicit deny", "iam:ListUserTags is denied; AWS says: explicit deny", "iam:ListUserTags is denied by a policy"},
		{"it was signed with {secret}, and so on", "needs iam:ListUserTags; AWS says: it was signed with [redacted], and so on", "needs iam:ListUserTags"},
		{strings.Repeat("x", 985) + "{secret}", "needs iam:ListUserTags; AWS says: " + strings.Repeat("x", 985) + "[redacted]", "needs iam:ListUserTags"},
		{"long" + strings.Repeat("x", 5000), "needs iam:ListUserTags; AWS says: long" + strings.Repeat("x", 996) + "…", "needs iam:ListUserTags"},
	} {
		aws, s := open(t)
		keys, err := s.keys.Retrieve(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		aws.Next("iam:ListUserTags", verifiertest.Failure(http.StatusForbidden, "AccessDenied", strings.ReplaceAll(tt.said, "{secret}", keys.SecretAccessKey)))
		_, err = s.Tags(t.Context(), "user", "olga")
		var e *Error
		if !errors.As(err, &e) || !strings.HasPrefix(e.Refusal(), tt.refusal) || e.Reason() != tt.reason {
			t.Errorf("%q: %v\n%s\n%s", tt.said, err, e.Refusal(), e.Reason())
		}
	}
}

// TestBusy: all the names that AWS has for "too many requests".
func TestBusy(t *testing.T) {
	for code, want := range map[string]bool{
		"Throttling": true, "ThrottlingException": true, "ThrottledException": true, "RequestThrottled": true, "RequestThrottledException": true,
		"KMSThrottling": true, "KMSThrottlingException": true, "RequestLimitExceeded": true, "TooManyRequestsException": true, "SlowDown": true,
		"LimitExceeded": false, "AccessDenied": false,
	} {
		if got := (&Error{Status: http.StatusBadRequest, Code: code}).Busy(); got != want {
			t.Errorf("%s: %v", code, got)
		}
	}
}

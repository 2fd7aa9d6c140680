package operator

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/stanch-dev/stanch/verifier/internal/partition"
)

// A service says how its requests look: query and XML if it has a version, else
// JSON, with a target header or with paths (REST).
type service struct {
	version string
	target  string
	global  bool   // one host for a partition, in its home region
	prefix  string // of permissions, if it is not the name that is signed
}

var services = map[string]service{
	"iam":           {version: "2010-05-08", global: true},
	"sts":           {version: "2011-06-15"},
	"ec2":           {version: "2016-11-15"},
	"monitoring":    {version: "2010-08-01", prefix: "cloudwatch"},
	"logs":          {target: "Logs_20140328"},
	"cloudtrail":    {target: "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101"},
	"organizations": {target: "AWSOrganizationsV20161128", global: true},
	"support":       {target: "AWSSupport_20130415", global: true},
	"health":        {target: "AWSHealth_20160804", global: true},
	"ce":            {target: "AWSInsightsIndexService", global: true},
	"account":       {global: true},
	"guardduty":     {},
	"securityhub":   {},
	"events":        {target: "AWSEvents"},
	"sns":           {version: "2010-03-31"},
}

// host returns where a service is asked, after the endpoint rules of botocore.
// The region "" is the home region.
func host(name string, p partition.Partition, region string) string {
	if region == "" || services[name].global {
		region = p.Home
	}
	switch {
	case name == "iam" && p.Name == "aws":
		return "iam.amazonaws.com"
	case name == "iam" && p.Name == "aws-us-gov":
		return "iam.us-gov.amazonaws.com"
	}
	return name + "." + region + "." + p.Suffix
}

// permission returns the name of the IAM action that a call needs.
func permission(c Call) string {
	name := c.Service
	if p := services[name].prefix; p != "" {
		name = p
	}
	return name + ":" + c.Action
}

// newHTTPClient returns the client for the operator's calls. Unlike the client
// for leaked keys it uses the proxy that the environment names.
func newHTTPClient(endpoint string) (*http.Client, error) {
	t := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true,
		IdleConnTimeout:     10 * time.Second,
	}
	if endpoint != "" {
		if err := checkEndpoint(endpoint); err != nil {
			return nil, err
		}
		t.Proxy = nil
	}
	return &http.Client{
		Timeout: 30 * time.Second, Transport: t,
		// AWS does not redirect these calls, and the signature is for one host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

func checkEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil {
		return errors.New("endpoint: not a URL")
	}
	a, err := netip.ParseAddr(u.Hostname())
	if (err != nil || !a.IsLoopback()) || u.Path != "" || u.Scheme != "http" {
		return fmt.Errorf("endpoint %s: want http:// and a loopback address with a port", u.Redacted())
	}
	if _, _, err := net.SplitHostPort(u.Host); err != nil {
		return fmt.Errorf("endpoint %s: %w", u.Redacted(), err)
	}
	return nil
}

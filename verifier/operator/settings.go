package operator

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
)

// settings say where the operator's requests go, as the AWS CLI reads it from the environment
// and from ~/.aws. The zero settings are AWS's own hosts. A leaked key never has others.
type settings struct {
	fips      bool
	endpoints map[string]string // base URLs by service, in place of AWS's hosts
}

// readSettings reads them from what the SDK has loaded.
func readSettings(ctx context.Context, loaded aws.Config) (settings, error) {
	s := settings{endpoints: map[string]string{}}
	for _, source := range loaded.ConfigSources {
		if f, ok := source.(interface {
			GetUseFIPSEndpoint(ctx context.Context) (aws.FIPSEndpointState, bool, error)
		}); ok {
			state, found, err := f.GetUseFIPSEndpoint(ctx)
			if err != nil {
				return settings{}, fmt.Errorf("reading use_fips_endpoint: %w", err)
			}
			if found {
				s.fips = state == aws.FIPSEndpointStateEnabled
				break
			}
		}
	}
	if ignoresEndpoints(ctx, loaded) {
		return s, nil
	}
	for name, service := range services {
		endpoint, err := configuredEndpoint(ctx, loaded, service.id)
		if err == nil && endpoint != "" {
			err = checkEndpoint(endpoint)
		}
		if err != nil {
			return settings{}, fmt.Errorf("the endpoint of %s in your AWS configuration (AWS_ENDPOINT_URL, endpoint_url): %w", name, err)
		}
		if endpoint != "" {
			s.endpoints[name] = strings.TrimRight(endpoint, "/")
		}
	}
	return s, nil
}

// ignoresEndpoints reports whether the operator has switched all set endpoints off
// (AWS_IGNORE_CONFIGURED_ENDPOINT_URLS).
func ignoresEndpoints(ctx context.Context, loaded aws.Config) bool {
	for _, source := range loaded.ConfigSources {
		if i, ok := source.(interface {
			GetIgnoreConfiguredEndpoints(ctx context.Context) (bool, bool, error)
		}); ok {
			if ignore, found, err := i.GetIgnoreConfiguredEndpoints(ctx); found && err == nil {
				return ignore
			}
		}
	}
	return false
}

// configuredEndpoint returns the endpoint that is set for a service, "" for none. The
// environment is before the profile, and in each the service's own before that of all services
// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html).
func configuredEndpoint(ctx context.Context, loaded aws.Config, id string) (string, error) {
	for _, source := range loaded.ConfigSources {
		own, ofAll := "", ""
		if e, ok := source.(interface {
			GetServiceBaseEndpoint(ctx context.Context, id string) (string, bool, error)
		}); ok {
			var err error
			if own, _, err = e.GetServiceBaseEndpoint(ctx, id); err != nil {
				return "", err
			}
		}
		switch s := source.(type) {
		case config.EnvConfig:
			ofAll = s.BaseEndpoint
		case config.SharedConfig:
			ofAll = s.BaseEndpoint
		}
		if endpoint := cmp.Or(own, ofAll); endpoint != "" {
			return endpoint, nil
		}
	}
	return "", nil
}

// A settingsError is a failure that another setting mends, and no other attempt.
type settingsError struct {
	err    error
	remedy string
}

// Error implements error.
func (e *settingsError) Error() string { return e.err.Error() + ": " + e.remedy }

// Unwrap returns the failure itself.
func (e *settingsError) Unwrap() error { return e.err }

// explain returns err, the failure of a request to a service in a region, as a *settingsError
// if the operator's settings are the reason.
func (s settings) explain(service, region string, err error) error {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case s.fips && errors.As(err, &dns) && dns.IsNotFound:
		return &settingsError{err, fmt.Sprintf("AWS seems to have no FIPS endpoint of %s in %s: set AWS_ENDPOINT_URL_%s to one that you may use, or leave out AWS_USE_FIPS_ENDPOINT and use_fips_endpoint",
			service, region, strings.ReplaceAll(strings.ToUpper(services[service].id), " ", "_"))}
	case errors.As(err, &certificate):
		return &settingsError{err, "if a proxy of your network opens TLS, name its certificates with AWS_CA_BUNDLE or ca_bundle"}
	}
	return err
}

// checkEndpoint refuses http to other machines: requests are signed and hold no secret, but
// the token of a session would be sent in the clear, and a forged answer could call a key shut
// off that is not.
func checkEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return errors.New("not a URL")
	case u.Scheme == "https" && u.Host != "", u.Scheme == "http" && isLoopback(u):
		return nil
	case u.Scheme == "http":
		return fmt.Errorf("%s: http would show your session token to the network, and its answers can be forged: use https", u.Redacted())
	}
	return fmt.Errorf("%s: want https://HOST", u.Redacted())
}

// checkTestEndpoint refuses a Config.Endpoint that is not on this machine.
func checkTestEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil {
		return errors.New("endpoint: not a URL")
	}
	if !isLoopback(u) || u.Path != "" || u.Scheme != "http" {
		return fmt.Errorf("endpoint %s: want http:// and a loopback address with a port", u.Redacted())
	}
	if _, _, err := net.SplitHostPort(u.Host); err != nil {
		return fmt.Errorf("endpoint %s: %w", u.Redacted(), err)
	}
	return nil
}

func isLoopback(u *url.URL) bool {
	a, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && a.IsLoopback()
}

// newTransport returns the way to AWS: with the certificates that the operator has set
// (AWS_CA_BUNDLE, ca_bundle), and through the proxy that the environment names.
func newTransport(loaded aws.Config) (*http.Transport, error) {
	client, ok := loaded.HTTPClient.(*awshttp.BuildableClient)
	if !ok {
		return nil, fmt.Errorf("the SDK made a client of type %T, which stanch does not know", loaded.HTTPClient)
	}
	return client.GetTransport(), nil
}

// newHTTPClient returns the client of a session. If endpoint is not "", that URL is asked in
// place of AWS.
func newHTTPClient(t http.RoundTripper, endpoint string) (*http.Client, error) {
	if endpoint != "" {
		if err := checkTestEndpoint(endpoint); err != nil {
			return nil, err
		}
	}
	return &http.Client{
		Timeout: 30 * time.Second, Transport: t,
		// AWS does not redirect these calls, and the signature is for one host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// Package awsverifier asks AWS whether a leaked key works.
//
// A key tells some things by itself, and Offline reads them: its account, that a session is
// over, that it is a canary. If the key may still be live, Client sends one request,
// sts:GetCallerIdentity, which needs no permission and changes nothing.
//
// This package signs with leaked keys, so it is strict about where requests go. It reads no
// profile, no environment and no metadata service, uses no proxy but Config.Proxy, follows no
// redirect, and checks the host right before it dials. Only STS itself changes a verdict: an answer is
// judged by its error code, never by its HTTP status. So the reply of a proxy or a captive
// portal makes a key unknown, never invalid.
//
// The package is public, as the Verifier for AWS; New and Offline are the contract.
package awsverifier

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/internal/partition"
)

// Config configures a Client. The zero Config asks AWS about keys of any account, except
// those that are known to be canaries.
type Config struct {
	// Version of stanch. The owner of a key sees it in CloudTrail, as app/stanch-VERSION
	// in the user agent.
	Version string
	// Offline sends nothing.
	Offline bool
	// Accounts, if not empty, are the only ones whose keys are asked about.
	// Keys that do not tell their account are not asked about either.
	Accounts []string
	// CanaryAccounts are treated as the built-in list of canary accounts:
	// nothing is sent.
	CanaryAccounts []string
	// Partitions are asked as well, one after the other, about a key that does not tell its
	// partition and that the first partition does not know: aws-cn, aws-us-gov, aws-eusc.
	Partitions []string
	// Cache is the folder where verdicts are kept from one run to the next
	// (verifier.Stored); "" keeps none.
	Cache string
	// Refresh asks although Cache holds a verdict, and puts the new one in its place.
	Refresh bool
	// Endpoint replaces the hosts of AWS, for tests. Only http and https URLs
	// of the loopback interface are accepted.
	Endpoint string
	// Proxy is the URL of a proxy, http or https, through which AWS is asked; it may hold a
	// user and a password. The zero Secret is no proxy, whatever the environment says.
	Proxy detectors.Secret

	PerSecond float64       // questions a second, at most; 0 means 20
	Backoff   time.Duration // the first pause when AWS is busy; 0 means a second
	Reask     time.Duration // how long STS may be wrong after another secret of the same id; 0 means 6 s

	Now func() time.Time // nil means time.Now
}

// A Client is a verifier.Verifier for AWS keys. It remembers its verdicts.
type Client struct {
	offline  Offline
	accounts []string
	online   verifier.Verifier // nil: never ask
	sent     *requestCount
}

// New returns a Client. Its error names the field of cfg that is wrong.
func New(cfg Config) (*Client, error) {
	for _, a := range slices.Concat(cfg.Accounts, cfg.CanaryAccounts) {
		if !accountNumber().MatchString(a) {
			return nil, fmt.Errorf("account %q: not twelve digits", a)
		}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	c := &Client{
		offline:  Offline{CanaryAccounts: cfg.CanaryAccounts, Now: cfg.Now},
		accounts: cfg.Accounts,
		sent:     &requestCount{},
	}
	client, err := newSTSClient(cfg, c.sent)
	if err != nil {
		return nil, err
	}
	if !cfg.Offline {
		c.online = &verifier.Limited{Verifier: client, PerSecond: cfg.PerSecond, Backoff: cfg.Backoff}
		if cfg.Cache != "" {
			// Answers of a test server do not count for AWS.
			c.online = &verifier.Stored{Verifier: c.online, Dir: cfg.Cache, Refresh: cfg.Refresh, Scope: client.endpoint, Now: cfg.Now}
		}
		c.online = &verifier.Cached{Verifier: c.online, Now: cfg.Now}
	}
	return c, nil
}

// Fresh returns a Client that remembers no verdict of c, other than those in cfg.Cache. It
// shares the connections, the pace and the count of requests: those of both are in Sent.
func (c *Client) Fresh() *Client {
	fresh := *c
	if cached, ok := c.online.(*verifier.Cached); ok {
		fresh.online = &verifier.Cached{Verifier: cached.Verifier, Now: cached.Now}
	}
	return &fresh
}

// Forget removes the verdicts on a key id from cfg.Cache, because the key has changed.
func Forget(cfg Config, id string) error {
	base, _, err := checkEndpoint(cfg.Endpoint)
	if err != nil || cfg.Cache == "" {
		return err
	}
	return (&verifier.Stored{Dir: cfg.Cache, Scope: base}).Forget(id)
}

// Verify implements verifier.Verifier. Candidates for the secret of one key id are asked
// about in the order of the calls: begin with the best one.
func (c *Client) Verify(ctx context.Context, cred detectors.Credential) verifier.Verdict {
	if !strings.HasPrefix(cred.ID, session) {
		// Only session keys have tokens. One that was paired with a long-term
		// key would make STS refuse the pair.
		cred.Token = detectors.Secret{}
	}
	off := c.offline.Verify(ctx, cred)
	if off.State != verifier.Skipped || c.online == nil || missing(cred) != "" {
		return off
	}
	if off.Reason = c.whyNotAsked(cred, off.Identity.Account); off.Reason != "" {
		return off
	}
	v := c.online.Verify(ctx, cred)
	v.Facts = slices.Concat(off.Facts, v.Facts)
	if v.Identity.Account == "" {
		v.Identity.Account = off.Identity.Account
	}
	return v
}

// Asks reports whether Verify would ask AWS about cred: it is complete, its account is among
// those to ask about, and it is not known to be dead or a canary.
func (c *Client) Asks(ctx context.Context, cred detectors.Credential) bool {
	if !strings.HasPrefix(cred.ID, session) {
		cred.Token = detectors.Secret{}
	}
	off := c.offline.Verify(ctx, cred)
	return off.State == verifier.Skipped && c.online != nil && missing(cred) == "" && c.whyNotAsked(cred, off.Identity.Account) == ""
}

// whyNotAsked returns why nobody is asked about cred, a key of account, or "".
func (c *Client) whyNotAsked(cred detectors.Credential, account string) string {
	token, _ := awskeys.ParseToken(cred.Token.Reveal())
	unknown := partition.Check(token.Region)
	switch {
	case unknown != nil:
		return unknown.Error()
	case len(c.accounts) == 0 || slices.Contains(c.accounts, account):
		return ""
	case account == "":
		return "the key does not say its account, and AWS is asked about listed accounts only"
	}
	return "account " + account + " is not among those to ask about"
}

// Sent is how many requests went to one host.
type Sent struct {
	Host     string // with the port, if it is not the usual one
	Requests int
}

// Sent returns the number of requests so far, by host. A request counts from the moment it
// is handed to the network, whether or not it arrived.
func (c *Client) Sent() []Sent { return c.sent.list() }

var accountNumber = pattern(`^[0-9]{12}$`)

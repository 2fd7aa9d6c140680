package awsverifier

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/internal/partition"
)

// An stsClient asks STS about complete credentials. Its callers decide which, how fast, and
// how long to remember. Calls for one key id must come one after the other.
type stsClient struct {
	app      string // user agent
	endpoint string // base URL instead of AWS's, or ""
	http     *http.Client
	regions  []string // of further partitions
	reask    time.Duration
	now      func() time.Time

	mu    sync.Mutex
	asked map[string]map[string]time.Time // key id → hash of the secret → when it was last asked
}

func newSTSClient(cfg Config, sent *requestCount) (*stsClient, error) {
	base, host, err := checkEndpoint(cfg.Endpoint)
	if err != nil {
		return nil, err
	}
	client, err := newHTTPClient(host, cfg.Proxy, sent)
	if err != nil {
		return nil, err
	}
	var regions []string
	for _, name := range cfg.Partitions {
		p, ok := partition.Named(name)
		if !ok {
			return nil, fmt.Errorf("partition %q: known are aws, aws-cn, aws-us-gov and aws-eusc", name)
		}
		regions = append(regions, p.Home)
	}
	return &stsClient{
		app:      strings.TrimSuffix("stanch-"+cfg.Version, "-"),
		endpoint: base,
		http:     client,
		regions:  regions,
		reask:    cmp.Or(cfg.Reask, 6*time.Second),
		now:      cfg.Now,
		asked:    map[string]map[string]time.Time{},
	}, nil
}

// Verify implements verifier.Verifier.
//
// For some seconds after a wrong secret STS may call the right secret of the same id wrong
// as well (trufflehog#1563). So Verify does not trust a mismatch in that time: it asks once
// more when the time is over.
func (a *stsClient) Verify(ctx context.Context, c detectors.Credential) verifier.Verdict {
	before := a.lastOtherSecret(c)
	v := a.ask(ctx, c)
	wait := time.Until(before.Add(a.reask))
	if v.State != verifier.IDActive || before.IsZero() || wait <= 0 {
		return v
	}
	select {
	case <-time.After(wait):
		return a.ask(ctx, c)
	case <-ctx.Done():
		return verifier.Verdict{
			State: verifier.Unknown, Reason: "interrupted", At: v.At, Facts: v.Facts, Err: ctx.Err(),
		}
	}
}

// lastOtherSecret returns when another secret of the same id was last asked about.
func (a *stsClient) lastOtherSecret(c detectors.Credential) (last time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for secret, at := range a.asked[c.ID] {
		if secret != c.Secret.SHA256() && at.After(last) {
			last = at
		}
	}
	return last
}

func (a *stsClient) remember(c detectors.Credential) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asked[c.ID] == nil {
		a.asked[c.ID] = map[string]time.Time{}
	}
	a.asked[c.ID][c.Secret.SHA256()] = time.Now()
}

// ask sends one request, and one more for each further partition as long as none knows the
// key: in the wrong partition a key looks as if it did not exist.
func (a *stsClient) ask(ctx context.Context, c detectors.Credential) (v verifier.Verdict) {
	at := a.now()
	for _, region := range a.regionsFor(c) {
		if v = a.askIn(ctx, c, region); v.State != verifier.Invalid {
			break
		}
	}
	v.At = at
	return v
}

// regionsFor returns the regions in which to ask about c, in order. If the token of c names
// a region, that is the only one. Else the partition is guessed: first the one that the
// text around c names, then aws, then Config.Partitions.
func (a *stsClient) regionsFor(c detectors.Credential) []string {
	token, _ := awskeys.ParseToken(c.Token.Reveal())
	if token.Region != "" {
		return []string{partition.OfRegion(token.Region).Home}
	}
	near, _ := partition.Named(c.Partition)
	var list []string
	for _, region := range append([]string{near.Home, partition.Default().Home}, a.regions...) {
		if region != "" && !slices.Contains(list, region) {
			list = append(list, region)
		}
	}
	return list
}

func (a *stsClient) askIn(ctx context.Context, c detectors.Credential, region string) verifier.Verdict {
	base := "https://sts." + region + "." + partition.OfRegion(region).Suffix
	if a.endpoint != "" {
		base = a.endpoint
	}
	out, err := a.sdkClient(c, region, base).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	a.remember(c)
	if ctx.Err() != nil {
		return verifier.Verdict{State: verifier.Unknown, Reason: "interrupted", Err: ctx.Err()}
	}
	decoded, _ := awskeys.Account(c.ID)
	ans := newAnswer(strings.SplitAfter(base, "://")[1], out, err)
	v := ans.verdict(decoded)
	v.Facts = append(v.Facts, ans.facts()...)
	return v
}

// sdkClient makes a client for one credential. sts.New reads, unlike
// config.LoadDefaultConfig and sts.NewFromConfig, no endpoint from the
// environment and no profile.
func (a *stsClient) sdkClient(c detectors.Credential, region, base string) *sts.Client {
	keys := aws.Credentials{
		AccessKeyID: c.ID, SecretAccessKey: c.Secret.Reveal(), SessionToken: c.Token.Reveal(), Source: "stanch",
	}
	return sts.New(sts.Options{
		AppID:        a.app,
		Region:       region,
		BaseEndpoint: aws.String(base),
		HTTPClient:   a.http,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return keys, nil
		}),
		Retryer: aws.NopRetryer{},
		// The correction would sign with the time of an answer that may not be AWS's.
		DisableClockSkewCorrection: true,
	})
}

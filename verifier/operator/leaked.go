package operator

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/verifier/internal/partition"
	"github.com/stanch-dev/stanch/verifier/internal/proxy"
)

// Leaked returns a session of a leaked long-term key, for "stanch respond --self". It can do
// two things: ask who it is, and set itself to Inactive. Any other call is an error, and
// nothing is sent. arn is the owner, as STS named it.
//
// Requests that are signed with a leaked key go to AWS itself: no endpoint, certificate or
// proxy of the operator's configuration is used, only cfg.LeakedProxy.
func Leaked(cfg Config, c detectors.Credential, arn string) (*Session, error) {
	way, err := proxy.Through(&http.Transport{TLSHandshakeTimeout: 10 * time.Second, ForceAttemptHTTP2: true}, cfg.LeakedProxy)
	if err != nil {
		return nil, err
	}
	client, err := newHTTPClient(way, cfg.Endpoint)
	if err != nil {
		return nil, err
	}
	keys := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: c.ID, SecretAccessKey: c.Secret.Reveal(), Source: "leaked"}, nil
	})
	o := &Operator{cfg: cfg, http: client, opened: map[string]*Session{}}
	o.own = &Session{Account: AccountOfARN(arn), ARN: arn, op: o, keys: keys, partition: partition.OfARN(arn), leaked: c.ID}
	return o.own, nil
}

// mayDo refuses every call of a leaked key but those that switch it off.
func (s *Session) mayDo(c Call) error {
	off := map[string]string{"AccessKeyId": s.leaked, "Status": "Inactive"}
	switch {
	case s.leaked == "", c.Service == "sts" && c.Action == "GetCallerIdentity":
		return nil
	case c.Service == "iam" && c.Action == "UpdateAccessKey" && maps.Equal(c.Params, off):
		return nil
	}
	return fmt.Errorf("%s:%s: a leaked key is not used for this", c.Service, c.Action)
}

// Root returns a session of the root user of a member account, in which its
// credentials can be looked at and nothing can be changed (sts:AssumeRoot with
// the task policy IAMAuditRootUserCredentials). It takes the management account,
// or one that it delegated this to, and centralized root access.
//
// There is no such session in which a key can be set to Inactive: the one task
// policy that is about keys, IAMDeleteRootUserCredentials, denies
// iam:UpdateAccessKey and allows iam:DeleteAccessKey.
func (o *Operator) Root(ctx context.Context, account string) (*Session, error) {
	provider := &assumeRoot{by: o.own, account: account}
	s := &Session{op: o, keys: aws.NewCredentialsCache(provider), partition: o.own.partition, region: o.own.region}
	arn, err := s.whoAmI(ctx)
	if err != nil {
		return nil, fmt.Errorf("sts:AssumeRoot into account %s: %w", account, err)
	}
	if s.ARN, s.Account = arn, AccountOfARN(arn); s.Account != account {
		return nil, fmt.Errorf("%w: asked for the root user of %s, got account %q", ErrOtherAccount, account, s.Account)
	}
	return s, nil
}

// assumeRoot is an aws.CredentialsProvider.
type assumeRoot struct {
	by      *Session
	account string
}

// Retrieve implements aws.CredentialsProvider.
func (a *assumeRoot) Retrieve(ctx context.Context) (aws.Credentials, error) {
	// AssumeRoot is not at the global endpoint: host names the region.
	return a.by.temporary(ctx, "AssumeRoot", map[string]string{
		"TargetPrincipal":   a.account,
		"TaskPolicyArn.arn": "arn:" + a.by.partition.Name + ":iam::aws:policy/root-task/IAMAuditRootUserCredentials",
		"DurationSeconds":   "900", // the most
	})
}

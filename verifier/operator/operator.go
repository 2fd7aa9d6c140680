// Package operator calls AWS as the person who runs stanch: with the identity of their
// profile, or with a role that it may assume in the account concerned.
//
// Packages awsverifier and operator are kept apart. The former signs with leaked keys and
// reads nothing of the operator's; the latter reads the operator's configuration and never
// sees a leaked key, except for Leaked, which lets one switch itself off.
//
// Requests are made here and signed with the SDK's signer, without a service package of the
// SDK for each service. ARCHITECTURE.md has the reasons and the figures, under "Why requests
// to IAM are made by hand".
//
// It is public for the commands of stanch, and no contract.
package operator

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/verifier/internal/partition"
)

// Config names the operator's identity. The zero Config is the identity that the AWS CLI
// would use.
type Config struct {
	Profile string // of ~/.aws; "" is the default one
	// Role is assumed in accounts other than the operator's own: a name, or the ARN of a
	// role, which is for its account alone. ExternalID goes with it.
	Role, ExternalID string
	RoleFrom         string // where Role is from, for errors; "" is --role
	// MFA asks the person for the code of an MFA device, for a profile with mfa_serial. nil
	// is nobody to ask: such a profile is an error.
	MFA     func(ctx context.Context, serial string) (code string, err error)
	Version string // of stanch, for the user agent
	// LeakedProxy is the URL of the proxy for the requests of Leaked, and for no others. The
	// zero Secret is none.
	LeakedProxy detectors.Secret
	// Endpoint replaces all hosts of AWS, for tests. Only URLs of the loopback
	// interface are accepted.
	Endpoint string
	// Wait is how long to wait before the second attempt when AWS is busy or
	// does not answer; 0 means half a second. It doubles with each attempt.
	Wait time.Duration
}

// An Operator opens sessions in accounts. Concurrent calls are allowed.
type Operator struct {
	cfg      Config
	settings settings
	own      *Session
	http     *http.Client

	mu     sync.Mutex
	opened map[string]*Session // by account and policy
}

// New reads the AWS configuration and asks STS once who the operator is. Without an
// identity, the error tells how to get one.
func New(ctx context.Context, cfg Config) (*Operator, error) {
	if err := cfg.checkRole(); err != nil {
		return nil, err
	}
	loaded, err := load(ctx, cfg.Profile, cfg.MFA)
	if err != nil {
		return nil, err
	}
	set, err := readSettings(ctx, loaded)
	if err != nil {
		return nil, err
	}
	transport, err := newTransport(loaded)
	if err != nil {
		return nil, err
	}
	if cfg.Endpoint != "" {
		transport.Proxy = nil // it is on this machine
	}
	client, err := newHTTPClient(transport, cfg.Endpoint)
	if err != nil {
		return nil, err
	}
	if err := signIn(ctx, loaded); err != nil {
		return nil, err
	}
	o := &Operator{cfg: cfg, settings: set, http: client, opened: map[string]*Session{}}
	o.own = &Session{op: o, keys: loaded.Credentials, partition: partition.OfRegion(loaded.Region), region: loaded.Region}
	if o.own.ARN, err = o.own.whoAmI(ctx); err != nil {
		return nil, fmt.Errorf("asking AWS who you are: %w", err)
	}
	o.own.Account = AccountOfARN(o.own.ARN)
	return o, nil
}

// Own returns the session of the operator's own identity.
func (o *Operator) Own() *Session { return o.own }

// In returns a session in account: the operator's own if it belongs to that account, else a
// session of Config.Role. policy, if not "", narrows what the role may do (a session
// policy); purpose is part of the session's name, which CloudTrail shows. An account number
// that AWS does not confirm is an error.
func (o *Operator) In(ctx context.Context, account, purpose, policy string) (*Session, error) {
	if account == o.own.Account {
		return o.own, nil
	}
	if !accountNumber().MatchString(account) { // of a report, and part of the role's ARN
		return nil, fmt.Errorf("%w: %q is not the number of an account", ErrNoRole, account)
	}
	if o.cfg.Role == "" {
		return nil, fmt.Errorf("%w: you are in account %s, the key is of %s: name a role to assume there (--role)",
			ErrNoRole, o.own.Account, account)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	name := account + "\n" + policy
	if s := o.opened[name]; s != nil {
		return s, nil
	}
	role, err := o.cfg.roleIn(o.own.partition.Name, account)
	if err != nil {
		return nil, err
	}
	provider := &assumeRole{by: o.own, role: role, externalID: o.cfg.ExternalID, policy: policy,
		session: sessionName(purpose)}
	s := &Session{op: o, keys: aws.NewCredentialsCache(provider), partition: o.own.partition, region: o.own.region}
	arn, err := s.whoAmI(ctx)
	if err != nil {
		return nil, fmt.Errorf("assuming %s (%s): %w", role, o.cfg.roleFrom(), err)
	}
	// The account in the answer counts, not the one in the role's ARN.
	s.ARN, s.Account = arn, AccountOfARN(arn)
	if s.Account != account {
		return nil, fmt.Errorf("%w: %s belongs to account %q, the key to %s", ErrOtherAccount, role, s.Account, account)
	}
	o.opened[name] = s
	return s, nil
}

var (
	// ErrNoRole is wrapped by the error of In for a foreign account if no role is
	// configured.
	ErrNoRole = errors.New("no way into the account")
	// ErrOtherAccount is wrapped by the error of In if the session turned out to belong to
	// another account than the one asked for.
	ErrOtherAccount = errors.New("the responder is in another account")
)

// A Session is one identity in one account.
type Session struct {
	Account, ARN string

	op        *Operator
	keys      aws.CredentialsProvider
	partition partition.Partition
	region    string // where the operator works, "" for the home region
	leaked    string // the id of the leaked key that signs, see Leaked
	clock     clock
}

// Region returns where the operator's own resources are, after their AWS
// configuration; the home region if it does not say.
func (s *Session) Region() string { return cmp.Or(s.region, s.partition.Home) }

// Partition returns the partition of the session: aws, aws-cn, aws-us-gov, aws-eusc.
func (s *Session) Partition() string { return s.partition.Name }

// Covers reports whether region is in the session's partition.
func (s *Session) Covers(region string) bool { return partition.OfRegion(region) == s.partition }

// HomeRegion returns the region where the partition's global services are.
func (s *Session) HomeRegion() string { return s.partition.Home }

func (s *Session) whoAmI(ctx context.Context) (arn string, err error) {
	var out struct {
		ARN string `xml:"GetCallerIdentityResult>Arn"`
	}
	if err := s.Do(ctx, Call{Service: "sts", Action: "GetCallerIdentity"}, &out); err != nil {
		return "", err
	}
	if AccountOfARN(out.ARN) == "" {
		return "", errors.New("sts:GetCallerIdentity: the answer names no account")
	}
	return out.ARN, nil
}

// assumeRole is an aws.CredentialsProvider.
type assumeRole struct {
	by                                *Session
	role, externalID, policy, session string
}

// Retrieve implements aws.CredentialsProvider.
func (a *assumeRole) Retrieve(ctx context.Context) (aws.Credentials, error) {
	params := map[string]string{"RoleArn": a.role, "RoleSessionName": a.session}
	if a.externalID != "" {
		params["ExternalId"] = a.externalID
	}
	if a.policy != "" {
		params["Policy"] = a.policy
	}
	return a.by.temporary(ctx, "AssumeRole", params)
}

// temporary makes a call of STS that returns credentials.
func (s *Session) temporary(ctx context.Context, action string, params map[string]string) (aws.Credentials, error) {
	type keys struct {
		ID      string    `xml:"AccessKeyId"`
		Secret  string    `xml:"SecretAccessKey"`
		Token   string    `xml:"SessionToken"`
		Expires time.Time `xml:"Expiration"`
	}
	var out struct {
		Role *keys `xml:"AssumeRoleResult>Credentials"`
		Root *keys `xml:"AssumeRootResult>Credentials"`
	}
	if err := s.Do(ctx, Call{Service: "sts", Action: action, Params: params}, &out); err != nil {
		return aws.Credentials{}, err
	}
	k := cmp.Or(out.Role, out.Root)
	if k == nil {
		return aws.Credentials{}, fmt.Errorf("sts:%s: the answer holds no credentials", action)
	}
	return aws.Credentials{
		AccessKeyID: k.ID, SecretAccessKey: k.Secret, SessionToken: k.Token,
		CanExpire: true, Expires: k.Expires, Source: "stanch",
	}, nil
}

// sessionName returns a name that sts:AssumeRole accepts.
func sessionName(purpose string) string {
	name := "stanch-" + regexp.MustCompile(`[^\w+=,.@-]`).ReplaceAllString(purpose, "-")
	return name[:min(len(name), 64)]
}

// AccountOfARN returns the account in arn, or "".
func AccountOfARN(arn string) string {
	if f := strings.Split(arn, ":"); len(f) > 5 && accountNumber().MatchString(f[4]) {
		return f[4]
	}
	return ""
}

var accountNumber = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9]{12}$`) })

// Policy writes an IAM policy document. It has one form for equal statements,
// so that a document can be recognised.
func Policy(statements ...Statement) string {
	b, err := json.Marshal(struct {
		Version   string
		Statement []Statement
	}{"2012-10-17", statements})
	if err != nil {
		panic(err) // strings and maps of strings always marshal
	}
	return string(b)
}

// A Statement of an IAM policy.
type Statement struct {
	Sid       string                       `json:",omitempty"`
	Effect    string                       // Allow, Deny
	Action    []string                     `json:",omitempty"`
	Resource  []string                     `json:",omitempty"`
	Principal map[string]string            `json:",omitempty"`
	Condition map[string]map[string]string `json:",omitempty"`
}

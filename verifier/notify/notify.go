// Package notify tells other systems of leaked keys: how a response to one went (Send), and which
// are new or live (SendAlert). The systems are AWS Security Hub, Amazon EventBridge, Amazon SNS,
// Slack, other webhooks, and mail servers.
//
// A notice or an alert names a key by its id and a secret by its hash; the package is given no secret.
// It tells AWS with the operator's own identity, never with the role that shuts keys off,
// which may do nothing else, and never with a leaked key.
//
// It is public for the commands of stanch, and no contract but for the JSON of Notice.
package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/verifier/operator"
)

// Schema is the schema of notices sent as JSON. A reader may ignore fields that it does not
// know.
const Schema = "stanch-notice/v1"

// A Notice tells of one key.
type Notice struct {
	Schema string `json:"schema"`
	// Text says all of it for people, in one line. Slack and its kin show it.
	Text    string    `json:"text"`
	Time    time.Time `json:"time"`
	Planned time.Time `json:"planned"`
	Result  string    `json:"result"`           // as "stanch respond" prints it
	Why     []string  `json:"why"`              // why not better
	Off     bool      `json:"off"`              // the key does not work any more
	Status  string    `json:"status,omitempty"` // as last read: Active, Inactive, absent
	finding.Subject
	Created time.Time `json:"created,omitzero"` // the key
	Plan    string    `json:"plan"`             // its hash
}

// A Target is a system that gets notices.
type Target struct {
	kind, to string
	region   string // "" is the operator's
	name     string // for people; of a webhook not its URL, which is a secret
	argument string // as it was given; "" if it holds a secret
	mail     mailServer
}

// Name names the target for ever, without its secret: it is the argument that it was given by,
// or its kind and host if the argument holds the URL of a webhook.
func (t Target) Name() string { return cmp.Or(t.argument, t.name) }

// String names the target without its secret: the URL of a webhook.
func (t Target) String() string { return t.name }

// AWS reports whether the operator's identity is needed to tell it.
func (t Target) AWS() bool {
	return t.kind == "securityhub" || t.kind == "eventbridge" || t.kind == "sns"
}

var (
	topicARN = pattern(`^arn:aws[a-z-]*:sns:([a-z0-9-]+):[0-9]{12}:[\w.-]+$`)
	busARN   = pattern(`^arn:aws[a-z-]*:events:([a-z0-9-]+):[0-9]{12}:event-bus/[\w./-]+$`)
	busName  = pattern(`^[\w./-]{1,256}$`)
)

// pattern compiles a regexp when it is first needed, so that other commands, hooks above
// all, do not wait for it.
func pattern(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// Targets is how people write the targets that ParseTarget reads.
const Targets = "slack:URL, webhook:URL, mailto:ADDRESS, securityhub, eventbridge[:BUS], sns:ARN"

// ErrUnknown says that text is not of any kind of target.
var ErrUnknown = errors.New("want one of " + Targets + "; env:VARIABLE in place of a URL")

// ParseTarget reads "securityhub", "eventbridge", "eventbridge:BUS" (a name or an
// ARN), "sns:TOPIC-ARN", "mailto:ADDRESS", and "webhook:URL" or "slack:URL", with "env:VARIABLE"
// in place of the URL. getenv looks the variable up, and STANCH_SMTP_URL for mail. No error
// holds the URL of a webhook or of a mail server; that of another kind is ErrUnknown.
func ParseTarget(s string, getenv func(string) string) (Target, error) {
	kind, to, given := strings.Cut(s, ":")
	t := Target{kind: kind, to: to, name: s, argument: s}
	switch {
	case kind == "securityhub" && !given:
		return t, nil
	case kind == "eventbridge" && !given:
		t.to = "default"
		return t, nil
	case kind == "eventbridge":
		if m := busARN().FindStringSubmatch(to); m != nil {
			t.region = m[1]
		} else if !busName().MatchString(to) {
			return Target{}, fmt.Errorf("eventbridge: %q is neither the name nor the ARN of an event bus", to)
		}
		return t, nil
	case kind == "sns":
		m := topicARN().FindStringSubmatch(to)
		if m == nil {
			return Target{}, fmt.Errorf("sns: %q is not the ARN of a topic", to)
		}
		t.region = m[1]
		return t, nil
	case kind == "webhook", kind == "slack":
		return t.webhook(getenv)
	case kind == "mailto":
		return t.mailTo(getenv)
	}
	return Target{}, ErrUnknown
}

func (t Target) webhook(getenv func(string) string) (Target, error) {
	if name, ok := strings.CutPrefix(t.to, "env:"); ok {
		if t.to = getenv(name); t.to == "" {
			return Target{}, fmt.Errorf("%s: the variable %s is not set", t.kind, name)
		}
	} else {
		t.argument = ""
	}
	u, err := url.Parse(t.to)
	if err != nil || u.Host == "" {
		return Target{}, errors.New(t.kind + ": not a URL")
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return Target{}, errors.New(t.kind + ": want https")
	}
	t.name = t.kind + " at " + u.Host
	return t, nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// A Notifier sends notices. The zero Notifier reaches webhooks only.
type Notifier struct {
	// Operator signs for AWS, in its own account.
	Operator *operator.Session
	Version  string        // of stanch, for the user agent
	Wait     time.Duration // before the second attempt at a webhook; 0 is a second
}

// Send sends all notices to all targets. If one target fails, the others still get the
// notices; the error names each that failed.
func (n *Notifier) Send(ctx context.Context, targets []Target, notices []Notice) error {
	if len(notices) == 0 {
		return nil
	}
	var errs []error
	for _, t := range targets {
		if err := n.sendTo(ctx, t, notices); err != nil {
			errs = append(errs, fmt.Errorf("telling %s: %w", t, err))
		}
	}
	return errors.Join(errs...)
}

func (n *Notifier) sendTo(ctx context.Context, t Target, notices []Notice) error {
	if t.AWS() && n.Operator == nil {
		return errors.New("no identity of your own to tell AWS with")
	}
	switch t.kind {
	case "securityhub":
		for part := range slices.Chunk(notices, 100) { // a call takes no more
			var findings []hubFinding
			for _, notice := range part {
				findings = append(findings, n.asff(notice))
			}
			if err := n.securityHub(ctx, findings); err != nil {
				return err
			}
		}
	case "eventbridge":
		for part := range slices.Chunk(notices, 10) { // a call takes no more
			var entries []eventEntry
			for _, notice := range part {
				entries = append(entries, eventEntry{"stanch", "Leaked AWS Key", encode(notice), t.to, []string{notice.ARN}})
			}
			if err := n.eventBridge(ctx, t, entries); err != nil {
				return err
			}
		}
	default:
		one := n.sns
		switch t.kind {
		case "webhook", "slack":
			one = n.post
		case "mailto":
			one = n.mailNotice
		}
		var errs []error
		for _, notice := range notices {
			errs = append(errs, one(ctx, t, notice))
		}
		return errors.Join(errs...)
	}
	return nil
}

// cut shortens s to n characters: services refuse longer text.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// Package healthevent reads the events of AWS Health that say that a key has leaked, as
// EventBridge sends them:
// https://docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html
//
// It is public for the commands of stanch, and no contract.
package healthevent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/stanch-dev/stanch/verifier/operator"
)

// An Event says that keys of an account have leaked. It holds no secret.
type Event struct {
	// Code is the kind of event: AWS_RISK_CREDENTIALS_EXPOSED.
	Code string
	// ARN names the event, and is the same each time that EventBridge sends it.
	ARN string
	// Account is the account of the keys, twelve digits. It is not always the account that
	// got the event: a delegated administrator gets those of its organization.
	Account string
	// KeyIDs are the ids of access keys, each once, at least one.
	KeyIDs []string
	// ExposedAt is the URL where AWS has found a key, "" if the event does not name it.
	ExposedAt string
}

// MaxSize is how many bytes Parse reads. EventBridge sends no event as large as that:
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html
const MaxSize = 1 << 20

// envelope is the part of an event that is read.
type envelope struct {
	Source, Account string
	Resources       []string
	Detail          struct {
		EventTypeCode, EventARN, AffectedAccount string
		EventMetadata                            struct{ PublicKey, ExposedURL string }
		AffectedEntities                         []struct{ EntityValue string }
	}
}

// Is reports whether object, a JSON object, is meant as an event of EventBridge, of whatever
// source. A record of a report is none.
func Is(object []byte) bool {
	var head struct {
		Source     *string
		DetailType *string `json:"detail-type"`
		Type       string
	}
	return json.Unmarshal(object, &head) == nil && head.Type == "" && (head.Source != nil || head.DetailType != nil)
}

// Parse reads one event. Its error says why the event is not about leaked keys.
func Parse(text []byte) (Event, error) {
	if len(text) > MaxSize {
		return Event{}, fmt.Errorf("no event of EventBridge is larger than %d bytes", MaxSize)
	}
	var in envelope
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&in); err != nil {
		return Event{}, fmt.Errorf("not an event of AWS Health: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Event{}, errors.New("something follows the event: give one event at a time")
	}
	e := Event{Code: in.Detail.EventTypeCode, ARN: in.Detail.EventARN, Account: in.Detail.AffectedAccount, ExposedAt: in.Detail.EventMetadata.ExposedURL}
	if e.Account == "" {
		e.Account = in.Account
	}
	switch {
	case in.Source != "aws.health":
		return Event{}, fmt.Errorf("the event is from %q, not from aws.health", in.Source)
	case !aboutKeys(e.Code):
		return Event{}, fmt.Errorf("the event %q is not about leaked credentials (AWS_RISK_CREDENTIALS_…, AWS_RISK_IAM_QUARANTINE)", e.Code)
	case !isAccount(e.Account):
		return Event{}, fmt.Errorf("the event %s names no account: %q", e.Code, e.Account)
	}
	if e.KeyIDs = in.keyIDs(); len(e.KeyIDs) == 0 {
		return Event{}, fmt.Errorf("the event %s of account %s names no access key: look at the support case that AWS has opened", e.Code, e.Account)
	}
	return e, nil
}

func isAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// aboutKeys reports whether events of a kind name leaked access keys. AWS publishes no list
// of these kinds. Known are AWS_RISK_CREDENTIALS_EXPOSED, …_EXPOSURE_SUSPECTED,
// …_COMPROMISED, …_COMPROMISE_SUSPECTED and AWS_RISK_IAM_QUARANTINE.
func aboutKeys(code string) bool {
	return strings.HasPrefix(code, "AWS_RISK_CREDENTIALS_") || strings.HasPrefix(code, "AWS_RISK_IAM_QUARANTINE")
}

// keyIDs returns the ids of keys in all fields that are known to hold them.
func (in *envelope) keyIDs() (ids []string) {
	values := append(slices.Clone(in.Resources), in.Detail.EventMetadata.PublicKey)
	for _, entity := range in.Detail.AffectedEntities {
		values = append(values, entity.EntityValue)
	}
	for _, value := range values {
		if operator.IsAccessKeyID(value) && !slices.Contains(ids, value) {
			ids = append(ids, value)
		}
	}
	return ids
}

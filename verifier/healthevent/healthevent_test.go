package healthevent_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/verifier/healthevent"
)

// event is an event as AWS sends it, with the placeholders of detectorstest.Fill.
const event = `{
  "version": "0", "id": "7f4fe5b2-4e09-4d2e-a5a3-3b5b4c2d4f00",
  "detail-type": "AWS Health Event", "source": "aws.health", "account": "123456789012",
  "time": "2026-03-14T02:00:00Z", "region": "us-east-1", "resources": ["{AKIA1}"],
  "detail": {
    "eventArn": "arn:aws:health:us-east-1::event/RISK/AWS_RISK_CREDENTIALS_EXPOSED/AWS_RISK_CREDENTIALS_EXPOSED-1",
    "service": "RISK", "eventTypeCode": "AWS_RISK_CREDENTIALS_EXPOSED", "eventTypeCategory": "issue",
    "eventScopeCode": "ACCOUNT_SPECIFIC", "startTime": "Sat, 14 Mar 2026 01:59:00 GMT", "statusCode": "open",
    "eventRegion": "us-east-1", "eventDescription": [{"language": "en_US", "latestDescription": "Your AWS account may be compromised!"}],
    "eventMetadata": {"publicKey": "{AKIA1}", "userName": "alice", "exposedUrl": "https://github.com/acme/app"},
    "affectedEntities": [{"entityValue": "{AKIA1}", "lastUpdatedTime": "Sat, 14 Mar 2026 01:59:00 GMT"}],
    "affectedAccount": "123456789012", "page": "1", "totalPages": "1"
  }
}`

// TestParse: the keys of an event, and the reasons why an event is none about keys.
func TestParse(t *testing.T) {
	edit := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(event) }
	noKey := edit(`"resources": ["{AKIA1}"]`, `"resources": []`, `"publicKey": "{AKIA1}"`, `"publicKey": ""`, `"entityValue": "{AKIA1}"`, `"entityValue": "alice"`)
	for _, tt := range []struct {
		name, text string
		keys       string // placeholders
		account    string
		fails      string
	}{
		{"as AWS sends it", event, "{AKIA1}", "123456789012", ""},
		{"the key in affectedEntities alone", edit(`"resources": ["{AKIA1}"]`, `"resources": []`, `"publicKey": "{AKIA1}", `, ""), "{AKIA1}", "123456789012", ""},
		{"two keys, one twice", edit(`"affectedEntities": [`, `"affectedEntities": [{"entityValue": "{AKIA5}"}, `), "{AKIA1} {AKIA5}", "123456789012", ""},
		{"suspected", edit("AWS_RISK_CREDENTIALS_EXPOSED", "AWS_RISK_CREDENTIALS_EXPOSURE_SUSPECTED"), "{AKIA1}", "123456789012", ""},
		{"compromised", edit("AWS_RISK_CREDENTIALS_EXPOSED", "AWS_RISK_CREDENTIALS_COMPROMISED"), "{AKIA1}", "123456789012", ""},
		{"quarantine", edit("AWS_RISK_CREDENTIALS_EXPOSED", "AWS_RISK_IAM_QUARANTINE"), "{AKIA1}", "123456789012", ""},
		{"abuse event", edit("AWS Health Event", "AWS Health Abuse Event"), "{AKIA1}", "123456789012", ""},
		{"received by a delegated administrator", edit(`"account": "123456789012"`, `"account": "210987654321"`), "{AKIA1}", "123456789012", ""},
		{"without affectedAccount", edit(`"affectedAccount": "123456789012", `, ""), "{AKIA1}", "123456789012", ""},
		{"on one line", strings.ReplaceAll(event, "\n", " "), "{AKIA1}", "123456789012", ""},
		{"another source", edit("aws.health", "acme.health"), "", "", `from "acme.health"`},
		{"another kind", edit("AWS_RISK_CREDENTIALS_EXPOSED", "AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED"), "", "", "is not about leaked credentials"},
		{"without a key", noKey, "", "", "names no access key"},
		{"without an account", edit("123456789012", ""), "", "", "names no account"},
		{"cut off", event[:len(event)/2], "", "", "not an event of AWS Health: unexpected EOF"},
		{"no JSON", "AWS Health", "", "", "not an event of AWS Health"},
		{"of other types", edit(`"account": "123456789012"`, `"account": 123456789012`), "", "", "cannot unmarshal"},
		{"two in one", event + "\n" + event, "", "", "one event at a time"},
		{"of 10 MB", edit("may be compromised", strings.Repeat("x", 10<<20)), "", "", "no event of EventBridge is larger"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := healthevent.Parse([]byte(detectorstest.Fill(tt.text)))
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("%v, want …%s…", err, tt.fails)
				}
				return
			}
			if want := strings.Fields(detectorstest.Fill(tt.keys)); err != nil || !slices.Equal(e.KeyIDs, want) || e.Account != tt.account {
				t.Errorf("%v: keys %q of account %s, want %q of %s", err, e.KeyIDs, e.Account, want, tt.account)
			}
		})
	}
}

// TestIs: an event is told apart from a report by its first object.
func TestIs(t *testing.T) {
	for object, want := range map[string]bool{
		event:                              true,
		`{"source":"aws.health"}`:          true,
		`{"detail-type":"x"}`:              true,
		`{"type":"scan","source":"git"}`:   false,
		`{"type":"finding","version":"1"}`: false,
		`{"schema":"stanch-plan/v1"}`:      false,
		`{`:                                false,
		`[]`:                               false,
	} {
		if got := healthevent.Is([]byte(object)); got != want {
			t.Errorf("%s: %v", object, got)
		}
	}
}

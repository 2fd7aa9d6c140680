package detectors_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// wholeValues are tokens and Bedrock keys with each padding that base64 has, and tokens of
// which nothing but the head can be read.
func wholeValues() map[string]string {
	values := map[string]string{}
	for i, region := range []string{"us-east-1", "eu-north-1", "ap-southeast-1"} {
		token := detectorstest.Token(detectorstest.Account, region, time.Unix(1_700_000_000, 0), 7)
		raw, err := base64.StdEncoding.DecodeString(token)
		if err != nil {
			panic(err)
		}
		for kind, value := range map[string]string{
			"token":   token,
			"bedrock": detectorstest.BedrockKey("alice"[:3+i], detectorstest.Account, 7),
			"unread":  base64.StdEncoding.EncodeToString(append([]byte("\x01\x0a\x03aws"), raw[30:330+i]...)),
		} {
			values[kind+value[len(strings.TrimRight(value, "=")):]] = value
		}
	}
	return values
}

// TestWholeValuesStay holds that a value ends where it ends, whatever follows.
func TestWholeValuesStay(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	values := wholeValues()
	if len(values) != 9 {
		t.Fatalf("%d values: not every padding is among them", len(values))
	}
	now := time.Unix(1_700_000_000, 0)
	for seed := range uint64(3) {
		values[fmt.Sprint("bedrock_session", seed)] = detectorstest.BedrockSession(now, []time.Duration{time.Hour, 10 * time.Hour, 100 * time.Hour}[seed], seed)
		values[fmt.Sprint("ecr", seed)] = detectorstest.ECRToken(now, seed)
		values[fmt.Sprint("eks", seed)] = detectorstest.EKSToken(now, seed)
		values[fmt.Sprint("sso", seed)] = detectorstest.SSOToken(seed)
	}
	for kind, value := range values {
		id := "{ASIA1}"
		if strings.HasPrefix(kind, "eks") || strings.HasPrefix(kind, "bedrock_session") {
			id = "{AKIA1}" // there are session tokens in these
		}
		for context, text := range detectorstest.Contexts() {
			text = detectorstest.InContext(text, id, "{secret1}", value)
			for _, end := range []string{"\n", "\r\n"} {
				text := strings.ReplaceAll(text, "\n", end)
				if err := checkWhole(set.Detect(nil, []byte(text)), value); err != nil {
					t.Errorf("%s, %s, %q: %v", kind, context, end, err)
				}
			}
		}
	}
}

// checkWhole returns an error if matches hold a secret or a token that the test did not
// write, or lack value.
func checkWhole(matches []detectors.Match, value string) error {
	known := detectorstest.Fill(" " + value + " {secret1} {secret2} ")
	found := false
	for _, m := range matches {
		for _, part := range []detectors.Secret{m.Credential.Secret, m.Credential.Token} {
			if part.IsZero() {
				continue
			}
			if !strings.Contains(known, " "+part.Reveal()+" ") {
				return fmt.Errorf("%s has %q", m.Rule.ID, part.Reveal())
			}
			found = found || part.Reveal() == value
		}
	}
	if !found {
		return fmt.Errorf("%q is not found", value)
	}
	return nil
}

// TestWrappedValues holds that a value which a terminal or an encoder wrapped is put
// together, whatever the width and the next line.
func TestWrappedValues(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	id := detectorstest.Fill("AWS_ACCESS_KEY_ID={ASIA1}\nAWS_SECRET_ACCESS_KEY={secret1}\n\n")
	for kind, value := range wholeValues() {
		for _, before := range []string{"", "export AWS_SESSION_TOKEN=", "$ export AWS_SESSION_TOKEN=", "aws_session_token = ", "X-Amz-Security-Token: "} {
			widths := []int{60, 64, 76, 80, 85, 93, 100, 101, 111, 114, 115, 120, 127, 132, 149}
			for width := 60; width < 150; width++ { // those that break the line in its padding
				if n := len(before + value); (n-1)%width == 0 || (n-2)%width == 0 {
					widths = append(widths, width)
				}
			}
			for _, width := range widths {
				for follow, after := range map[string]string{"end": "", "name": "\nAWS_REGION=x", "word": "\nEOF", "blank": "\n\nword", "prompt": "\n$ ls"} {
					for _, lines := range []string{wrapped(before+value, width), before + wrapped(value, width)} {
						text := id + lines + after + "\n"
						if err := checkWhole(set.Detect(nil, []byte(text)), value); err != nil {
							t.Errorf("%s, %q, %d columns, %s: %v", kind, before, width, follow, err)
						}
					}
				}
			}
		}
	}
}

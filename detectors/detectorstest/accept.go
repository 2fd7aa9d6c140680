package detectorstest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors"
)

// Account is the account of the ids that Fill makes.
const Account = "123456789012"

var blank = regexp.MustCompile(`\{(AKIA|ASIA|ABIA|ACCA|secret|token|bedrock|smtp|presigned|eks|mws)([0-9])\}`)

// Fill replaces {AKIA1}, {ASIA2}, {secret1}, {token1}, {bedrock1}, {smtp1}, {mws1} and
// their like in text by key-shaped strings made from the number; {presigned1} and
// {eks1} expired in 2023.
func Fill(text string) string {
	return blank.ReplaceAllStringFunc(text, func(s string) string {
		m := blank.FindStringSubmatch(s)
		seed, _ := strconv.ParseUint(m[2], 10, 64)
		issued := time.Unix(1_700_000_000, 0)
		switch m[1] {
		case "bedrock":
			return BedrockKey("alice", Account, seed)
		case "smtp":
			return SMTPPassword(seed)
		case "presigned":
			return Presigned("https://b.s3.eu-west-1.amazonaws.com/k?x=y", "s3", issued, time.Hour, seed)
		case "eks":
			return EKSToken(issued, seed)
		case "mws":
			return MWSToken(seed)
		case "secret":
			return SecretKey(seed)
		case "token":
			return Token(Account, "eu-west-1", issued, seed)
		}
		return KeyID(m[1], Account, seed)
	})
}

// Accept tests that d finds exactly want in text, both with the blanks of Fill.
// Each of want is "rule id secret token", "-" for a part that is missing; a
// candidate that is not the best ends in "#" and its rank, a match that NeedsID in "?".
func Accept(t *testing.T, d interface {
	Detect([]detectors.Match, []byte) []detectors.Match
}, text string, want ...string) {
	t.Helper()
	var got []string
	for _, m := range d.Detect(nil, []byte(Fill(text))) {
		line := []string{m.Rule.ID}
		for _, part := range []string{m.Credential.ID, m.Credential.Secret.Reveal(), m.Credential.Token.Reveal()} {
			if part == "" {
				part = "-"
			}
			line = append(line, part)
		}
		if m.Rank > 0 {
			line = append(line, fmt.Sprint("#", m.Rank))
		}
		if m.NeedsID {
			line = append(line, "?")
		}
		got = append(got, strings.Join(line, " "))
	}
	for i := range want {
		want[i] = Fill(want[i])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("in %q (-want +got):\n%s", Fill(text), diff)
	}
}

package keyformat

import (
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

func TestParseToken(t *testing.T) {
	issued := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	token := detectorstest.Token("123456789012", "eu-west-1", issued, 1)
	want := TokenInfo{33, "123456789012", "eu-west-1", issued}
	for _, s := range []string{token, strings.TrimRight(token, "=")} {
		if got, ok := ParseToken(s); got != want || !ok {
			t.Errorf("ParseToken = %+v, %v, want %+v", got, ok, want)
		}
	}
	for _, s := range []string{"", "IQoJ", token[:40], token[4:], "FQoGZXIvYXdzEBYaD" + token[20:200]} {
		if got, ok := ParseToken(s); ok {
			t.Errorf("ParseToken(%q) = %+v, want none", s, got)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add(detectorstest.Token("123456789012", "eu-west-1", time.Unix(1_700_000_000, 0), 1))
	f.Fuzz(func(t *testing.T, s string) {
		info, ok := ParseToken(s)
		if ok && (info.Issued.Year() < 2011 || len(info.Account) != 12 && info.Account != "") {
			t.Errorf("ParseToken(%q) = %+v", s, info)
		}
	})
}

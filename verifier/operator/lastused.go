package operator

import (
	"fmt"
	"strings"
	"time"

	"github.com/stanch-dev/stanch/detectors"
)

// UsedBefore names the fact that tells the last use of a key before STS was asked about it:
// the question is a use. Its value is the result of LastUsed.String.
const UsedBefore = "used-before-verifying"

// UsedBeforeAt names the fact that tells when STS was asked that time, if the key was
// verified again since.
const UsedBeforeAt = "used-before-verifying-at"

// String returns u as ParseLastUsed reads it. It does not name the user.
func (u LastUsed) String() string {
	if u.At.IsZero() {
		return "never"
	}
	return fmt.Sprintf("%s, %s in %s", u.At.UTC().Format(time.RFC3339), u.Service, u.Region)
}

// ParseLastUsed reads the result of String.
func ParseLastUsed(s string) (u LastUsed, ok bool) {
	if s == "never" {
		return u, true
	}
	at, rest, _ := strings.Cut(s, ", ")
	service, region, ok := strings.Cut(rest, " in ")
	t, err := time.Parse(time.RFC3339, at)
	if err != nil || !ok || service == "" {
		return LastUsed{}, false
	}
	return LastUsed{At: t, Service: service, Region: region}, true
}

// FindUsedBefore returns the value of the fact UsedBefore, if facts have one that can be
// read.
func FindUsedBefore(facts []detectors.Fact) (LastUsed, bool) {
	for _, f := range facts {
		if f.Name == UsedBefore {
			return ParseLastUsed(f.Value)
		}
	}
	return LastUsed{}, false
}

package finding

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

func TestScrubSpellings(t *testing.T) {
	secret := secretKey(0)
	clean := newScrubber([]detectors.Secret{detectors.NewSecret(secret), {}, detectors.NewSecret("abc")}, nil)
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "a/" + secret + "/b", "a/[redacted]/b"},
		{"twice", secret + " " + secret, "[redacted] [redacted]"},
		{"query", "?s=" + url.QueryEscape(secret), "?s=[redacted]"},
		{"path", "x/" + url.PathEscape(secret), "x/[redacted]"},
		{"slashes", strings.ReplaceAll(secret, "/", "%2F"), "[redacted]"},
		{"lower_hex", strings.ToLower("%2F") + strings.NewReplacer("%2F", "%2f", "%2B", "%2b").Replace(url.QueryEscape(secret)), "%2f[redacted]"},
		{"twice_escaped", strings.ReplaceAll(url.QueryEscape(secret), "%", "%25"), "[redacted]"},
		{"json_slash", strings.ReplaceAll(secret, "/", `\/`), "[redacted]"},
		{"json_unicode", strings.NewReplacer("/", `\u002f`, "+", `\u002b`).Replace(secret), "[redacted]"},
		{"part", secret[1:], secret[1:]},
		{"too_short", "abc", "abc"},
	} {
		got := tt.in
		clean.all(&got)
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// The longer of two secrets goes first, or a rest of it would stay.
func TestScrubPrefix(t *testing.T) {
	long := secretKey(0)
	got := "x " + long + " " + long[:30]
	newScrubber([]detectors.Secret{detectors.NewSecret(long[:30]), detectors.NewSecret(long)}, nil).all(&got)
	if want := "x [redacted] [redacted]"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A secret that was found nowhere else is removed from a path, with slashes in it or
// not, and whatever stands around it.
func TestScrubUndetected(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	for seed := range uint64(40) {
		secret, id := detectorstest.SecretKey(seed), detectorstest.KeyID("AKIA", detectorstest.Account, seed)
		for _, form := range []string{"refs/heads/fix/%s/%s", "a/b/%s/%s/c.env", "%s/%s", strings.Repeat("deep/", 30) + "%s/%s/x"} {
			got := fmt.Sprintf(form, id, secret)
			newScrubber(nil, set).all(&got)
			want, _, _ := strings.Cut(form, "/%s/%s")
			if secret[0] == '/' || secret[0] == '+' { // it may be read as a delimiter, and more be removed
				want = ""
			}
			if strings.Contains(got, secret[:8]) || strings.Contains(got, secret[32:]) || !strings.HasPrefix(got, strings.TrimSuffix(want, "%s/%s")) {
				t.Errorf("%q is left of %q", got, form)
			}
		}
	}
	hostile := strings.Repeat("AKIA/secret=", 1000)
	newScrubber(nil, set).all(&hostile)
}

// fill sets every string that v holds.
func fill(v reflect.Value, s string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), s)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), s)
			}
		}
	}
}

// dirty appends the names of the strings of v that still are s.
func dirty(v reflect.Value, name, s string, to []string) []string {
	switch {
	case v.Kind() == reflect.String && v.String() == s:
		return append(to, name)
	case v.Kind() == reflect.Slice:
		return dirty(v.Index(0), name, s, to)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				to = dirty(v.Field(i), strings.TrimPrefix(name+"."+f.Name, "."), s, to)
			}
		}
	}
	return to
}

// A field that is added to a record is scrubbed, or named here with a reason.
func TestScrubEveryField(t *testing.T) {
	secret := secretKey(0)
	clean := newScrubber([]detectors.Secret{detectors.NewSecret(secret)}, nil)
	var f record
	var s Scan
	var sum Summary
	for _, r := range []any{&f, &s, &sum} {
		fill(reflect.ValueOf(r).Elem(), secret)
	}
	clean.finding(&f)
	clean.scan(&s)
	clean.summary(&sum)
	want := []string{
		"Fingerprint", "SecretSHA256", // computed
		"Rule", "Title", "Confidence", "Grade", "State", "Skipped", "Locations.Kind", "Locations.Part", "Repositories.State", // our words
		"KeyID",                    // not a secret
		"Secret", "Token", "Value", // set only if asked for
		"Candidates.Fingerprint", "Candidates.SecretSHA256", "Candidates.Confidence", "Candidates.State", // the same of another secret
		"Candidates.Locations.Kind", "Candidates.Locations.Part", "Candidates.Secret",
	}
	got := dirty(reflect.ValueOf(f), "", secret, nil)
	got = dirty(reflect.ValueOf(s), "", secret, got)
	got = dirty(reflect.ValueOf(sum), "", secret, got)
	slices.Sort(want)
	slices.Sort(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("not scrubbed (-want +got):\n%s", d)
	}
}

// secretKey returns a secret of AWS's shape, made at run time so that no scanner finds
// this file.
func secretKey(n byte) string {
	return strings.Repeat(string(rune('a'+n))+"B3/", 5) + strings.Repeat("x+9"+string(rune('A'+n)), 5)
}

package awskeys_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// TestSignedUntil: an id that is a parameter of a presigned request, and has no secret,
// knows when that ends, however the request is written down.
func TestSignedUntil(t *testing.T) {
	signed := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	v4 := detectorstest.Presigned("https://b.s3.eu-west-1.amazonaws.com/k?x=y", "s3", signed, time.Hour, 1)
	v2 := "https://b.s3.amazonaws.com/k?AWSAccessKeyId={AKIA1}&Expires=1772370000&Signature=q3Zb8TtWfYx7mQp0Lk5Jh2Gd9Sa%3D"
	v2Last := "https://b.s3.amazonaws.com/k?Signature=q3Zb8TtWfYx7mQp0Lk5Jh2Gd9Sa%3D&Expires=1772370000&AWSAccessKeyId={AKIA1}"
	forms := map[string]func(url string) string{
		"alone":             func(u string) string { return u },
		"in_markdown":       func(u string) string { return "![](" + u + ")\n" },
		"for_html":          func(u string) string { return `<a href="` + strings.ReplaceAll(u, "&", "&amp;") + `">` },
		"in_json":           func(u string) string { return `{"u": "` + strings.ReplaceAll(u, "/", `\/`) + `"}` },
		"in_javascript":     func(u string) string { return `{"u": "` + strings.ReplaceAll(u, "&", `\u0026`) + `"}` },
		"in_a_query":        func(u string) string { return "https://x/?u=" + queryEscaped(u) + "&v=1" },
		"in_a_query_twice":  func(u string) string { return "https://x/?u=" + queryEscaped(queryEscaped(u)) + "&v=1" },
		"a_parameter_a_row": func(u string) string { return strings.ReplaceAll(u, "&", "\n  &") },
		"continued":         func(u string) string { return "curl '" + strings.ReplaceAll(u, "&", "&'\\\n  '") + "'" },
		"in_literals":       func(u string) string { return `"` + strings.ReplaceAll(u, "&", "&\" +\n  \"") + `"` },
		"wrapped":           func(u string) string { return wrapAt(u, 130) },
		"quoted_printable":  func(u string) string { return strings.ReplaceAll(strings.ReplaceAll(u, "=", "=3D"), "&", "&=\n") },
		"a_list":            func(u string) string { return listed(u, "{\"name\": \"", "\",\n \"value\": \"", "\"},\n") },
		"a_map":             func(u string) string { return listed(u, `"`, `": "`, "\",\n") },
		"yaml":              func(u string) string { return listed(u, "", ": ", "\n") },
	}
	set := detectors.NewSet(awskeys.Detector{})
	for request, url := range map[string]string{"v4": v4, "v2": v2, "v2_last": v2Last} {
		for form, write := range forms {
			text := write(detectorstest.Fill(url))
			ids := 0
			for _, m := range set.Detect(nil, []byte(text)) {
				if m.Credential.ID == "" && m.Credential.Token.IsZero() {
					continue
				}
				ids++
				if want := signed.Add(time.Hour); !m.SignedUntil.Equal(want) {
					t.Errorf("%s, %s: %s is signed until %v, want %v, in %q", request, form, m.Rule.ID, m.SignedUntil, want, text)
				}
			}
			if ids == 0 {
				t.Errorf("%s, %s: no id in %q", request, form, text)
			}
		}
	}
	for name, text := range map[string]string{
		"csv_of_the_console": "AWSAccessKeyId={AKIA1}\nExpires=never\n",
		"no_signature":       strings.ReplaceAll(v2, "Signature=", "Sig="),
		"no_end":             strings.ReplaceAll(v2, "Expires=", "Life="),
		"beside_it":          "key {AKIA1}\n" + v2[strings.Index(v2, "&"):],
		"header":             "Authorization: AWS4-HMAC-SHA256 Credential={AKIA1}/20260301/us-east-1/s3/aws4_request, Signature=" + detectorstest.Hex(64, 1) + "\nX-Amz-Date: 20260301T120000Z\n",
		"with_a_secret":      v2 + " secret={secret1}\n",
	} {
		found := set.Detect(nil, []byte(detectorstest.Fill(text)))
		if len(found) == 0 || !found[0].SignedUntil.IsZero() {
			t.Errorf("%s: %+v", name, found)
		}
	}
	// If two cannot be told apart, the last counts.
	two := listed(v4, "", ": ", "\n") + listed(strings.Replace(v4, "Z&X-Amz-Expires=3600", "Z&X-Amz-Expires=7200", 1), "", ": ", "\n")
	for _, m := range set.Detect(nil, []byte(two)) {
		if !m.SignedUntil.Equal(signed.Add(2 * time.Hour)) {
			t.Errorf("two lists: %v", m.SignedUntil)
		}
	}
}

// TestSignedUntilAnywhere: nor does it matter where in a long text the request stands, or
// how many others stand there.
func TestSignedUntilAnywhere(t *testing.T) {
	signed := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	request := func(seed uint64) string {
		return listed(detectorstest.Presigned("https://b.s3.eu-west-1.amazonaws.com/k?x=y", "s3", signed, time.Hour, seed), "", ": ", "\n")
	}
	set := detectors.NewSet(awskeys.Detector{})
	for before := 0; before < 10_000; before += 397 {
		text := strings.Repeat("x ", before/2) + "\n" + request(1) + strings.Repeat("x ", before/2)
		for _, m := range set.Detect(nil, []byte(text)) {
			if !m.SignedUntil.Equal(signed.Add(time.Hour)) {
				t.Errorf("behind %d bytes: %v", before, m.SignedUntil)
			}
		}
	}
	var many strings.Builder
	for seed := range uint64(100) {
		many.WriteString(request(seed))
	}
	found := set.Detect(nil, []byte(many.String()))
	for _, m := range found {
		if !m.SignedUntil.Equal(signed.Add(time.Hour)) {
			t.Errorf("%s among many: %v", m.Credential.ID, m.SignedUntil)
		}
	}
	if len(found) < 100 {
		t.Errorf("%d matches in 100 requests", len(found))
	}
}

// queryEscaped escapes s for the value of a parameter.
func queryEscaped(s string) string {
	return strings.NewReplacer("%", "%25", "&", "%26", "=", "%3D", "/", "%2F", "?", "%3F", ":", "%3A").Replace(s)
}

// listed writes the parameters of url one by one.
func listed(url, before, between, after string) string {
	var b strings.Builder
	_, query, _ := strings.Cut(url, "?")
	for parameter := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(parameter, "=")
		b.WriteString(before + name + between + value + after)
	}
	return b.String()
}

func wrapAt(s string, width int) string {
	var b strings.Builder
	for ; len(s) > width; s = s[width:] {
		b.WriteString(s[:width] + "\n")
	}
	return b.String() + s + "\n"
}

package detectors_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

const pair = "aws-access-key {AKIA1} {secret1} -"

func percent(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, "%%%02x", c)
	}
	return b.String()
}

func unicode(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, `\u%04X`, c)
	}
	return b.String()
}

// wrap breaks s into lines of width, each after indent.
func wrap(s string, width int, indent string) string {
	var b strings.Builder
	for len(s) > width {
		b.WriteString(indent + s[:width] + "\n")
		s = s[width:]
	}
	return b.String() + indent + s + "\n"
}

func html(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, "&#%d;", c)
	}
	return b.String()
}

func encodeUTF16(s string, bigEndian bool, bom string) string {
	out := []byte(bom)
	for _, u := range utf16.Encode([]rune(s)) {
		if bigEndian {
			out = append(out, byte(u>>8), byte(u))
		} else {
			out = append(out, byte(u), byte(u>>8))
		}
	}
	return string(out)
}

func TestViews(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	id, secret := detectorstest.Fill("{AKIA1}"), detectorstest.Fill("{secret1}")
	slashed := secret[:10] + "/" + secret[11:20] + "+" + secret[21:]
	ini := "[default]\naws_access_key_id = " + id + "\naws_secret_access_key = " + secret + "\n"
	b64 := base64.StdEncoding.EncodeToString
	wantSlashed := "aws-access-key {AKIA1} " + slashed + " -"
	for _, tt := range []struct{ name, text, want string }{
		{"percent_in_secret", "s3://" + id + ":" + strings.NewReplacer("/", "%2F", "+", "%2b").Replace(slashed) + "@b", wantSlashed},
		{"percent_everywhere", percent(ini), pair},
		{"json_slash", `{"id":"` + id + `","secret":"` + strings.ReplaceAll(slashed, "/", `\/`) + `"}`, wantSlashed},
		{"json_in_json", `{"x":"{\"id\":\"` + id + `\",\"secret\":\"` + strings.ReplaceAll(slashed, "/", `\\/`) + `\"}"}`, wantSlashed},
		{"unicode_in_secret", `{"id":"` + id + `","secret":"` + strings.NewReplacer("/", `\u002f`, "+", `\u002B`).Replace(slashed) + `"}`, wantSlashed},
		{"unicode_everywhere", unicode(ini), pair},
		{"hex_everywhere", strings.ReplaceAll(percent(ini), "%", `\x`), pair},
		{"html_everywhere", html(ini), pair},
		{"html_in_secret", `id="` + id + `" secret="` + strings.NewReplacer("/", "&#x2F;", "+", "&#43;").Replace(slashed) + `"`, wantSlashed},
		{"newlines_in_a_string", `"[default]\nid = ` + id + `\nsecret = ` + secret + `\n"`, pair},
		{"colours", "id=\x1b[33m" + id + "\x1b[0m\nsecret=\x1b[33m" + secret + "\x1b[0m", pair},
		{"base64", "data: " + b64([]byte(ini)), pair},
		{"base64_shifted_by_one", "data: " + b64([]byte("x"+ini)), pair},
		{"base64_shifted_by_two", "data: " + b64([]byte("xy"+ini)), pair},
		{"base64_wrapped_at_76", "data: |\n" + wrap(b64([]byte("# a comment in front, to fill a line\n"+ini+"# and one behind")), 76, "  "), pair},
		{"base64_wrapped_at_70", wrap(b64([]byte(strings.Repeat("# a comment\n", 9)+ini)), 70, ""), pair},
		{"base64_wrapped_at_64_crlf", strings.ReplaceAll(wrap(b64([]byte("xyz"+ini)), 64, ""), "\n", "\r\n"), pair},
		{"base64url_unpadded", "x=" + base64.RawURLEncoding.EncodeToString([]byte(ini)), pair},
		{"kubernetes_secret", "id: " + b64([]byte(id)) + "\nsecret: " + b64([]byte(secret)), pair},
		{"json_in_base64", b64([]byte(`{"id":"` + id + `","secret":"` + strings.ReplaceAll(slashed, "/", `\/`) + `"}`)), wantSlashed},
		{"utf16le", encodeUTF16(ini, false, ""), pair},
		{"utf16le_bom", encodeUTF16("é"+ini, false, "\xff\xfe"), pair},
		{"utf16be_bom", encodeUTF16(ini, true, "\xfe\xff"), pair},
		{"plain_beside_base64", ini + "\n\nblob: " + b64([]byte("just some text that is long enough")), pair},
	} {
		t.Run(tt.name, func(t *testing.T) { detectorstest.Accept(t, set, tt.text, tt.want) })
	}
}

// TestViewOffsets holds that what was found encoded is reported where it stands.
func TestViewOffsets(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	id := detectorstest.Fill("{AKIA1}")
	text := "first line\nsecond: " + base64.StdEncoding.EncodeToString([]byte("the id is "+id+", is it not?")) + "\nthird\n"
	got := set.Detect(nil, []byte(text))
	if len(got) != 1 {
		t.Fatalf("found %d", len(got))
	}
	if part := text[got[0].Start:got[0].End]; strings.Contains(part, "\n") || len(part) < 26 || len(part) > 28 {
		t.Errorf("the span holds %q", part)
	}
}

// FuzzSet holds that views and their offsets stay within the text, and that a
// plain id is found whatever stands around it.
func FuzzSet(f *testing.F) {
	id := detectorstest.Fill("{AKIA1}")
	f.Add([]byte("%41%4b \x01 \\u0041 \x1b[3m\x01 &#65; \xff\xfeA\x00K\x00I\x00A\x00"), []byte("QUtJQQ"))
	f.Add([]byte(percent(id)), []byte(unicode(id)))
	f.Add([]byte(base64.StdEncoding.EncodeToString([]byte("x: "+id))), []byte(encodeUTF16(id, false, "")))
	set := detectors.NewSet(awskeys.Detector{})
	f.Fuzz(func(t *testing.T, before, after []byte) {
		before, after = bytes.ReplaceAll(before, []byte{1}, []byte(id)), bytes.ReplaceAll(after, []byte{1}, []byte(id))
		text := []byte(string(before) + "\n\n" + id + "\n\n" + string(after))
		found := false
		for _, m := range set.Detect(nil, text) {
			for _, s := range []detectors.Span{m.Span, m.Secret, m.Token} {
				if s.Start < 0 || s.End > len(text) || s.Start > s.End {
					t.Fatalf("%q: span %v of %d bytes", text, s, len(text))
				}
			}
			found = found || m.Credential.ID == id
		}
		if !found {
			t.Errorf("%q: the id is not found", text)
		}
	})
}

func TestSecretDoesNotPrint(t *testing.T) {
	s := detectorstest.SecretKey(1)
	c := detectors.Credential{ID: "x", Secret: detectors.NewSecret(s), Token: detectors.NewSecret(s)}
	type wrapper struct{ hidden detectors.Credential }
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
		for _, v := range []any{c, &c, c.Secret, wrapper{c}, []detectors.Secret{c.Secret}} {
			if out := fmt.Sprintf(verb, v); strings.Contains(out, s) || strings.Contains(out, fmt.Sprintf("%x", s)) {
				t.Errorf("%s of %T prints the secret", verb, v)
			}
		}
	}
}

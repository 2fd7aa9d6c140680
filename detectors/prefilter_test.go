package detectors_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// plants are texts that hold a match, as their neighbours leave it alone.
func plants(seed uint64) map[string]string {
	id := detectorstest.KeyID("AKIA", detectorstest.Account, seed)
	secret := detectorstest.SecretKey(seed)
	slashed := "/" + secret[1:15] + "+/" + secret[17:39] + "/"
	token := detectorstest.Token(detectorstest.Account, "us-east-1", time.Unix(1_700_000_000, 0), seed)
	b64 := base64.StdEncoding.EncodeToString
	const name = "aws_secret_access_key"
	far := name + strings.Repeat(" ", 50)
	plants := map[string]string{
		"id":              " " + id + " ",
		"id_escaped_line": `\n` + id + `\n`,
		"id_percent":      "%3D" + id + "%26",
		"id_colour":       "\x1b[33;1m" + id + "\x1b[0m",
		"session":         "=" + strings.Replace(id, "AK", "AS", 1) + ",",
		"service":         "=" + strings.Replace(id, "AKI", "ACC", 1) + ",",
		"token":           " " + token + " ",
		"token_slashes":   `"` + strings.ReplaceAll(token, "/", `\/`) + `"`,
		"token_base64":    " " + b64([]byte(token)) + " ",
		"secret":          far + secret + " ",
		"secret_below":    "<name>" + name + "</name>\n<value>" + secret + "</value>",
		"secret_line":     name + `: \n` + secret + `\n`,
		"secret_json":     `{"` + name + `":"` + strings.ReplaceAll(slashed, "/", `\/`) + `"}`,
		"secret_json_2":   `{\"` + name + `\":\"` + strings.ReplaceAll(slashed, "/", `\\/`) + `\"}`,
		"secret_url":      "?" + name + "=" + strings.NewReplacer("/", "%2F", "+", "%2b").Replace(slashed) + "&",
		"secret_unicode":  `"` + name + `":"` + strings.NewReplacer("/", `\u002f`, "+", `\u002B`).Replace(slashed) + `"`,
		"secret_hex":      `"` + name + `":\x22` + strings.NewReplacer("/", `\x2f`, "+", `\x2B`).Replace(slashed) + `\x22`,
		"secret_octal":    name + `=$'` + strings.NewReplacer("/", `\057`, "+", `\053`).Replace(slashed) + `'`,
		"secret_entity":   name + `="` + strings.NewReplacer("/", "&sol;", "+", "&plus;").Replace(slashed) + `"`,
		"secret_comment":  name + "=" + secret + "//of the tests",
		"secret_html":     name + `="` + strings.NewReplacer("/", "&#x2F;", "+", "&#43;").Replace(slashed) + `"`,
		"id_utf16le":      encodeUTF16(" "+id+" ", false, ""),
		"id_utf16be":      encodeUTF16(" "+id+" ", true, ""),
		"secret_utf16":    encodeUTF16(far+secret+" ", false, ""),
		"id_base64url":    " " + base64.RawURLEncoding.EncodeToString([]byte(`{"k":"`+id+`"}??>>`)) + " ",
		"kubernetes":      " " + b64([]byte("kind: Secret\ndata:\n  id: "+b64([]byte(id))+"\n  x: y\n")) + " ",
	}
	for kind, plant := range services(seed) {
		plants[kind] = plant
	}
	for name, plant := range map[string]string{
		"id_utf32le":      encodeUTF32(" "+id+" ", false),
		"id_hex":          " " + hex.EncodeToString([]byte(id)) + " ",
		"id_hex_upper":    "0x" + strings.ToUpper(hex.EncodeToString([]byte("="+id))) + " ",
		"id_joined":       `"` + id[:8] + `" + "` + id[8:] + `"`,
		"id_in_three":     `'` + id[:7] + "' .\n\t\t\t'" + id[7:14] + "' .\n\t\t\t'" + id[14:] + `'`,
		"id_continued":    "=" + id[:13] + "\\\r\n    " + id[13:] + " ",
		"id_quoted":       "=3D" + id[:13] + "=\r\n" + id[13:] + " ",
		"id_escaped_once": `"` + id[:9] + fmt.Sprintf(`\x%02x`, id[9]) + id[10:] + `"`,
		"name_twice":      " " + b64([]byte(b64([]byte(name+"="+secret)))) + " ",
		"gzip":            " " + b64([]byte(gzipped(name+"="+secret))) + " ",
		"gzip_twice":      " " + b64([]byte(b64([]byte(gzipped(name+"="+secret))))) + " ",
	} {
		plants[name] = plant
	}
	for shift := range 4 {
		plants[fmt.Sprint("id_powershell_", shift)] = " " + b64([]byte(encodeUTF16("$xyz"[:shift]+"="+id+";", false, ""))) + " "
	}
	for shift := range 3 {
		pad := strings.Repeat("x", shift)
		plants[fmt.Sprint("id_base64_", shift)] = " " + b64([]byte(pad+":"+id+"\n")) + " "
		plants[fmt.Sprint("id_alone_base64_", shift)] = " " + b64([]byte("___"[:shift]+id+"___"[:2-shift])) + " "
		plants[fmt.Sprint("secret_base64_", shift)] = " " + b64([]byte(pad+name+" = "+secret+"\n")) + " "
		plants[fmt.Sprint("id_base64_wrapped_", shift)] = " \n" + wrap(b64([]byte(strings.Repeat("#", 40+shift)+"access_key="+id+"\n")), 76, " ")
	}
	for enc, encode := range map[string]func(string) string{"percent": percent, "unicode": unicode, "html": html, "octal": octal} {
		plants["id_"+enc+"_all"] = " " + encode(" "+id+" ") + " "
		plants["secret_"+enc+"_all"] = " " + encode(name+"="+secret+" ") + " "
	}
	return plants
}

// services are the plants of single services' credentials.
func services(seed uint64) map[string]string {
	now := time.Unix(1_700_000_000, 0)
	b64 := base64.StdEncoding.EncodeToString
	return map[string]string{
		"bedrock":            " " + detectorstest.BedrockKey("alice", detectorstest.Account, seed) + " ",
		"bedrock_session":    " " + detectorstest.BedrockSession(now, time.Hour, seed) + " ",
		"smtp":               "smtp_password=" + detectorstest.SMTPPassword(seed) + " ",
		"smtp_far":           "SMTP" + strings.Repeat(" ", 60) + detectorstest.SMTPPassword(seed) + " ",
		"service_password":   "alice-at-" + detectorstest.Account + "," + detectorstest.ServicePassword(seed),
		"service_password_2": " a-at-" + detectorstest.Account + strings.Repeat(" ", 40) + detectorstest.ServicePassword(seed),
		"codecommit":         " a-at-" + detectorstest.Account + ":" + percent(detectorstest.ServicePassword(seed)) + "@git-codecommit.x",
		"presigned":          detectorstest.Presigned("https://x/?y=z", "s3", now, time.Hour, seed) + " ",
		"ecr":                " " + detectorstest.ECRToken(now, seed) + " ",
		"ecr_auth":           ` "` + b64([]byte("AWS:"+detectorstest.ECRToken(now, seed))) + `"`,
		"eks":                " " + detectorstest.EKSToken(now, seed) + " ",
		"sso":                ` "` + detectorstest.SSOToken(seed) + `"`,
		"appsync":            "appsync-api " + detectorstest.AppSyncKey(seed) + " ",
		"mws":                "=" + detectorstest.MWSToken(seed) + " ",
		"mws_base64":         " " + b64([]byte("mws: "+detectorstest.MWSToken(seed)+"\n")) + " ",
		"cloudfront":         "=APKA" + detectorstest.KeyID("AKIA", detectorstest.Account, seed)[4:] + "\n" + detectorstest.PrivateKey(seed) + " ",
	}
}

// filler returns about n bytes that hold no match: words, code, base64 and
// numbers, by turns.
func filler(r *rand.Rand, n int) string {
	words := []string{
		"the ", "secret ", "AKIA", "\n", "\t", "return ", "foo_bar", "client_secret=", "CONSTANT_NAME ", `\n`, "%20", "&amp;", "/usr/local/", "github.com/x",
		"= ", "{", "}", `"`, "0123456789", "deadbeef", "JKXJQWTQ", "\x00", "é", "==", "a", "Q", "\\", "%", "; ",
	}
	var b strings.Builder
	for b.Len() < n {
		if n%2 == 0 && r.IntN(20) == 0 { // cut, it looks like a secret: not always
			raw := make([]byte, r.IntN(100))
			for i := range raw {
				raw[i] = byte(r.UintN(256))
			}
			b.WriteString(base64.StdEncoding.EncodeToString(raw))
			continue
		}
		b.WriteString(words[r.IntN(len(words))])
	}
	return b.String()
}

// TestProbeFinds holds that each plant is found, and so that the test below
// plants what it should.
func TestProbeFinds(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	for name, plant := range plants(1) {
		if len(set.Detect(nil, []byte(plant))) == 0 {
			t.Errorf("%s: nothing found in %q", name, plant)
		}
	}
}

// TestProbeIsLocal holds that where a text is cut into pieces, such that every
// window is in one, the probe sees in one of them what it sees in the whole.
func TestProbeIsLocal(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	for _, p := range []struct {
		name string
		in   func([]byte) bool
		span int
	}{{"hints", set.MayMatch, set.Window()}, {"holds", set.MayMatchNear, set.NearWindow()}} {
		r := rand.New(rand.NewPCG(1, 2))
		for seed := range uint64(100) {
			for name, plant := range plants(seed) {
				text := []byte(filler(r, r.IntN(600)) + "\n" + plant + "\n" + filler(r, r.IntN(600)))
				if !p.in(text) {
					t.Fatalf("%s, %s: not found in %q", p.name, name, text)
				}
				found, step := false, 1+r.IntN(p.span)
				for at := -r.IntN(step); at < len(text) && !found; at += step {
					found = p.in(text[max(0, at):min(len(text), at+step+p.span)])
				}
				if !found {
					t.Fatalf("%s, %s: true of no piece of %q", p.name, name, text)
				}
			}
		}
	}
}

// FuzzProbe holds that the probe loses nothing. Bytes 1 to 9 and 16 to 20 of the
// fuzzed text stand for things to find.
func FuzzProbe(f *testing.F) {
	id, secret := detectorstest.Fill("{AKIA1}"), detectorstest.Fill("{secret1}")
	token := detectorstest.Fill("{token1}")
	things := []string{
		id, secret, token, "aws_secret_access_key=", base64.StdEncoding.EncodeToString([]byte(id)), percent(id),
		base64.StdEncoding.EncodeToString([]byte("x: " + id)), encodeUTF16(id, false, ""), "AWS_SECRET_ACCESS_KEY%3D",
	}
	smtp, pass := detectorstest.SMTPPassword(1), detectorstest.ServicePassword(1)
	others := []string{smtp, pass, "-at-" + detectorstest.Account, detectorstest.BedrockKey("a", detectorstest.Account, 1), detectorstest.MWSToken(1)}
	for _, s := range []string{
		`"` + id[:8] + `" + "` + id[8:] + `"`, id[:7] + "\\\n" + id[7:], id[:12] + "\\\\\n" + id[12:], hex.EncodeToString([]byte(id)), encodeUTF32(id, false),
		base64.StdEncoding.EncodeToString([]byte(encodeUTF16("'"+id+"'", false, ""))), octal(id), `\x41` + id[1:],
	} {
		f.Add([]byte(s), uint8(1))
	}
	for _, s := range []string{"smtp \x10", "a\x12:\x11", "\x13", "\x14", "a\x12\n\n \x11&", "\x01", "x\x01", "\x04\x02\n", "\x05 \x06", "\"\x03\"", "\x08", "%41\x09\x02", "\x04\\n\x02\\n", "\n\x07\n", "/\x01+\x02"} {
		f.Add([]byte(s), uint8(0))
	}
	set := detectors.NewSet(awskeys.Detector{})
	f.Fuzz(func(t *testing.T, text []byte, shift uint8) {
		for i, thing := range things {
			text = bytes.ReplaceAll(text, []byte{byte(i + 1)}, []byte(thing))
		}
		for i, thing := range others {
			text = bytes.ReplaceAll(text, []byte{byte(i + 16)}, []byte(thing))
		}
		text = append(bytes.Repeat([]byte{' '}, int(shift)), text...)
		if set.MayMatchNear(text) {
			return
		}
		once := set.DetectOnce(text)
		for _, m := range set.DetectAll(text) {
			if !isLoneSecret(m) && !isTwiceEncodedID(m, once) {
				t.Errorf("%q: the probe rules out %s at %v", text, m.Rule.ID, m.Span)
			}
		}
		for _, m := range (awskeys.Detector{}).Detect(nil, text) {
			t.Errorf("%q: the probe rules out %s at %v, which is not even encoded", text, m.Rule.ID, m.Span)
		}
	})
}

// isTwiceEncodedID reports whether m is an id that one round of views does not show, such
// as one of octal escapes whose digits are octal escapes: see Hints.
func isTwiceEncodedID(m detectors.Match, once []detectors.Match) bool {
	return m.Credential.ID != "" && !slices.ContainsFunc(once, func(x detectors.Match) bool { return x.Credential.ID == m.Credential.ID })
}

// isLoneSecret is for what the probe may rule out where it is encoded: see Hints.
func isLoneSecret(m detectors.Match) bool {
	return m.Credential.ID == "" && m.Credential.Token.IsZero()
}

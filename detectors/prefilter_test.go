package detectors_test

import (
	"bytes"
	"compress/zlib"
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
	"github.com/stanch-dev/stanch/detectors/internal/encodings"
	"github.com/stanch-dev/stanch/detectors/internal/views"
	"github.com/stanch-dev/stanch/detectors/prefilter"
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
		"secret_record":   "variable \"" + name + "\" {\n  # " + strings.Repeat("what it is for ", 40) + "\n  default = \"" + secret + "\"\n}\n",
		"secret_below":    "<name>" + name + "</name>\n<value>" + secret + "</value>",
		"secret_line":     name + `: \n` + secret + `\n`,
		"secret_json":     `{"` + name + `":"` + strings.ReplaceAll(slashed, "/", `\/`) + `"}`,
		"secret_json_2":   `{\"` + name + `\":\"` + strings.ReplaceAll(slashed, "/", `\\/`) + `\"}`,
		"secret_url":      "?" + name + "=" + strings.NewReplacer("/", "%2F", "+", "%2b").Replace(slashed) + "&",
		"secret_unicode":  `"` + name + `":"` + strings.NewReplacer("/", `\u002f`, "+", `\u002B`).Replace(slashed) + `"`,
		"secret_hex":      `"` + name + `":\x22` + strings.NewReplacer("/", `\x2f`, "+", `\x2B`).Replace(slashed) + `\x22`,
		"secret_octal":    name + `=$'` + strings.NewReplacer("/", `\057`, "+", `\053`).Replace(slashed) + `'`,
		"secret_entity":   name + `="` + strings.NewReplacer("/", "&sol;", "+", "&plus;").Replace(slashed) + `"`,
		"secret_path":     name + ": '/api/v1/users/" + secret + "/keys'",
		"secret_sed":      name + ": s/placeholder/" + secret + "/g",
		"secret_sed_2":    name + `: s\/placeholder\/` + secret + `\/g`,
		"secret_form":     name + "=+" + secret + "+now",
		"secret_equals":   name + "=" + secret + "=",
		"id_path":         "/v1/" + id + "/" + secret + "/x",
		"secret_java":     "t\x00\x0c" + name + "t\x00(" + secret + "t",
		"secret_avro":     "\x2a" + name + "\x00P" + secret + "\x12us-east-1",
		"secret_bencode":  "d" + name + "40:" + secret + "e",
		"id_pyc":          "\x00\xda\x14" + id + "z\x03abc",
		"id_pool":         "\x00bad pointer" + id + "invalid length",
		"id_pickle":       "\x80\x02X\x14\x00\x00\x00" + id + "q\x01",
		"id_cbor":         "\xa2\x62idt" + id + "\x66secret",
		"secret_comment":  name + "=" + secret + "//of the tests",
		"secret_html":     name + `="` + strings.NewReplacer("/", "&#x2F;", "+", "&#43;").Replace(slashed) + `"`,
		"id_utf16le":      encodeUTF16(" "+id+" ", false, ""),
		"id_utf16be":      encodeUTF16(" "+id+" ", true, ""),
		"secret_utf16":    encodeUTF16(far+secret+" ", false, ""),
		"secret_base64":   far + b64([]byte(secret)) + "\n",
		"secret_base64_1": "AWS_SECRET_ACCESS_KEY: " + b64([]byte(secret+"\n")) + " ",
		"secret_base64_2": `"secretKey": "` + b64([]byte(`"`+secret+`"`)) + `",`,
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
		"id_spread":       spread(id, "\u200b"),
		"id_spread_html":  "<p>" + spread(id, "&ZeroWidthSpace;") + "</p>",
		"id_in_three":     `'` + id[:7] + "' .\n\t\t\t'" + id[7:14] + "' .\n\t\t\t'" + id[14:] + `'`,
		"id_continued":    "=" + id[:13] + "\\\r\n    " + id[13:] + " ",
		"id_quoted":       "=3D" + id[:13] + "=\r\n" + id[13:] + " ",
		"id_escaped_once": `"` + id[:9] + fmt.Sprintf(`\x%02x`, id[9]) + id[10:] + `"`,
		"name_twice":      " " + b64([]byte(b64([]byte(name+"="+secret)))) + " ",
		"gzip":            " " + b64([]byte(gzipped(name+"="+secret))) + " ",
		"zlib":            " " + b64([]byte(deflated(name+"="+secret, zlib.DefaultCompression))) + " ",
		"zlib_best":       "='" + b64([]byte(deflated(name+"="+secret, zlib.BestCompression))) + "'",
		"zlib_twice":      " " + b64([]byte(b64([]byte(deflated(name+"="+secret, zlib.DefaultCompression))))) + " ",
		"zip":             " " + b64([]byte(zipped("x", name+"="+secret))) + " ",
		"zip_twice":       " " + b64([]byte(b64([]byte(zipped("x", name+"="+secret))))) + " ",
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

// The detector of AWS's keys shares the walk of the prefilter.
var _ prefilter.PlaceFilter = awskeys.Detector{}

// TestPlantsAreFound holds that each plant is found, and so that the test below
// plants what it should.
func TestPlantsAreFound(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	for name, plant := range plants(1) {
		if len(set.Detect(nil, []byte(plant))) == 0 {
			t.Errorf("%s: nothing found in %q", name, plant)
		}
	}
}

// TestMayMatchIsLocal holds that where a text is cut into pieces, such that every
// window is in one, the prefilter sees in one of them that the whole may match. Plain
// matches alone have windows of NearWindow bytes.
func TestMayMatchIsLocal(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	type look struct {
		in   func([]byte) bool
		span int
	}
	for _, p := range []struct {
		name  string
		in    func([]byte) bool
		looks []look // one of them sees the match in a piece
	}{
		{"may_match", set.MayMatch, []look{{set.MayMatch, set.Window()}}},
		{"may_match_near", set.MayMatchNear, []look{{set.MayMatchNear, set.Window()}, {set.Filters()[0].MayMatchNearPlain, set.NearWindow()}}},
	} {
		r := rand.New(rand.NewPCG(1, 2))
		for seed := range uint64(100) {
			for name, plant := range plants(seed) {
				text := []byte(filler(r, r.IntN(600)) + "\n" + plant + "\n" + filler(r, r.IntN(600)))
				if !p.in(text) {
					t.Fatalf("%s, %s: not found in %q", p.name, name, text)
				}
				found := false
				for _, l := range p.looks {
					step := 1 + r.IntN(l.span)
					for at := -r.IntN(step); at < len(text) && !found; at += step {
						found = l.in(text[max(0, at):min(len(text), at+step+l.span)])
					}
				}
				if !found {
					t.Fatalf("%s, %s: true of no piece of %q", p.name, name, text)
				}
			}
		}
	}
}

// TestMayMatch has a row for each kind of id that the prefilter lost by mistake, and for
// those that it may lose.
func TestMayMatch(t *testing.T) {
	id := detectorstest.Fill("{AKIA1}")
	b64 := base64.StdEncoding.EncodeToString
	set := detectors.NewSet(awskeys.Detector{})
	for _, tt := range []struct {
		name, text string
		want       bool
	}{
		// "=" is between the digits and the letters of ASCII: the piece behind it was passed over.
		{"piece_behind_an_equals_sign", "a=" + id[:11] + `"+"` + id[11:16] + `"+"` + id[16:], true},
		// =C3 is no character of an id: the piece seemed to have more characters than one.
		{"long_piece_behind_an_escape", "=C3" + id[:19] + `"+"` + id[19:], true},
		{"long_piece_behind_a_slash", "%2F" + id[:19] + "%41", true},
		{"length_behind_a_delimiter", "\x00aws_secret_access_key= /Q" + detectorstest.SecretKey(1) + "\x16", true},
		{"utf16_in_base64", b64([]byte(encodeUTF16(id, false, ""))), true},
		{"utf16_in_base64_without_its_last_zero", base64.RawStdEncoding.EncodeToString([]byte(encodeUTF16(id, false, "")[:39])), true},
		// Only a part is encoded. A view shows it together with the rest.
		{"utf16_in_base64_without_its_last_character", b64([]byte(encodeUTF16(id[:19], true, ""))) + "=" + id[19:], false},
		{"base64_of_a_part", b64([]byte(id[:19])) + id[19:], false},
		{"utf16_of_a_part", encodeUTF16(id[:19], true, "") + id[19:], false},
		{"utf32_of_a_part", encodeUTF32(id[:19], false)[:75] + id[19:], false},
		// One zero is missing, and with it the byte order changes.
		{"utf16_of_two_parts", encodeUTF16(id[:8], true, "") + encodeUTF16(id[8:], false, ""), false},
		{"utf16_in_base64_in_lines", b64([]byte(encodeUTF16(id[:10], false, ""))[:24]) + "\n" + b64([]byte(encodeUTF16(id, false, "")))[24:], false},
		{"base64_in_short_lines", "x: " + b64([]byte(id))[:14] + "\n" + b64([]byte(id))[14:], false},
		{"short_pieces", id[:5] + `"+"` + id[5:10] + `"+"` + id[10:15] + `"+"` + id[15:], false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := set.MayMatch([]byte(tt.text)); got != tt.want {
				t.Errorf("%q: %v, want %v", tt.text, got, tt.want)
			}
			if found := promised(set, []byte(tt.text)); !tt.want && len(found) > 0 {
				t.Errorf("%q: %s is promised", tt.text, found[0].Credential.ID)
			}
		})
	}
}

// TestMayMatchKeepsItsPromises mutates encoded ids at random. FuzzMayMatch does so with
// more patience.
func TestMayMatchKeepsItsPromises(t *testing.T) {
	id := detectorstest.Fill("{AKIA1}")
	bits := []string{
		"A", "\n", " ", "=", "/", "+", "a", "Q", "\x00", "\\", "\"", "%41", "_", "-", "\r\n", `"+"`, "AA", "AAA", `\n`, "==", "0", "x", "A=", "\n  ", "\u200b", "&shy;", "<wbr>", "\u200e", "&lrm;",
	}
	encodings := []func(string) string{
		func(s string) string { return s }, percent, octal, html,
		func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
		func(s string) string { return hex.EncodeToString([]byte(s)) },
		func(s string) string { return encodeUTF16(s, false, "") },
		func(s string) string { return encodeUTF16(s, true, "") },
		func(s string) string { return encodeUTF32(s, true) },
	}
	set := detectors.NewSet(awskeys.Detector{})
	r := rand.New(rand.NewPCG(1, 3))
	some := func() (s string) {
		for range r.IntN(3) {
			s += bits[r.IntN(len(bits))]
		}
		return s
	}
	found := 0
	for range 50_000 {
		s := some() + id + some()
		cut := len(s) - r.IntN(6)
		text := encodings[r.IntN(len(encodings))](s[:cut]) + s[cut:]
		for range r.IntN(7) {
			from := r.IntN(len(text))
			to := from + r.IntN(2)
			text = text[:from] + bits[r.IntN(len(bits))] + text[to:]
		}
		if set.MayMatchNear([]byte(text)) {
			found++
			continue
		}
		for _, m := range append(promised(set, []byte(text)), awskeys.Detector{}.Detect(nil, []byte(text))...) {
			t.Errorf("%q: the prefilter rules out %s", text, m.Credential.ID)
		}
	}
	if found < 10_000 {
		t.Errorf("only %d texts may match", found)
	}
}

// FuzzMayMatch holds that the prefilter sees all that it promises to see. Bytes 1 to 9 and 16 to 20 of the
// fuzzed text stand for things to find.
func FuzzMayMatch(f *testing.F) {
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
		base64.StdEncoding.EncodeToString([]byte(encodeUTF16("'"+id+"'", false, ""))), octal(id), `\x41` + id[1:], id[:9] + "\u200b" + id[9:], id[:13] + "<wbr>" + id[13:], spread(id, "\u200e"), spread(id, "&#8203;"),
	} {
		f.Add([]byte(s), uint8(1))
	}
	for _, s := range []string{"smtp \x10", "a\x12:\x11", "\x13", "\x14", "a\x12\n\n \x11&", "\x01", "x\x01", "\x04\x02\n", "\x05 \x06", "\"\x03\"", "\x08", "%41\x09\x02", "\x04 s/x/\x02/g", "\x00(\x01P\x02\x0c", "\x0e)\x01\x00Q\x02\x00", "\x00\x04\x00(\x02N", "\x00 x\x01invalid", "\x04\x00 \x02reflect: ", "\x04\x00field\x02\"", "\\x14\x01q\x00", "d\x0440:\x02e20:\x01e", "\x04\nV\x02\np", "\x04=+\x02+x", "\x04=\x02=\n", "\x04=\x02+\\n", "\x04\n'/a/b1/\x02/c'", `\x04=s\/x\/\x02\/`, "\x04\\n\x02\\n", "\n\x07\n", "/\x01+\x02", "\x04 s/_/\x02/g", "\x04 s/_//\x02/"} {
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
		for _, m := range promised(set, text) {
			t.Errorf("%q: the prefilter rules out %s, ID %q", text, m.Rule.ID, m.Credential.ID)
		}
		for _, m := range (awskeys.Detector{}).Detect(nil, text) {
			t.Errorf("%q: the prefilter rules out %s at %v, which is not even encoded", text, m.Rule.ID, m.Span)
		}
	})
}

// promised returns the matches of text that MayMatch promises to see although they are
// encoded: ids and tokens that one decoder shows alone, except those that MayMatch lists
// as lost.
func promised(set *detectors.Set, text []byte) (list []detectors.Match) {
	for _, v := range set.SearchViews(text) {
		for _, m := range v.Matches {
			part := m.Span
			if m.Credential.ID == "" {
				part = m.Token
			}
			span := views.Span(part)
			switch {
			case part.Empty(): // a secret without an id
			case v.Decoder == "escapes" || v.Decoder == "joins":
				if m.Credential.ID != "" && (isJoinedFromLongPiece(v.View, span, text) && !hasNeighbour(v.Text, span) || isSpread(text, m.Credential.ID)) {
					list = append(list, m)
				}
			case v.SpansPieces(span): // only a part of it is encoded
			case v.Decoder == "utf16" && !isWide(string(v.Text[span.Start:span.End]), text):
			case v.Decoder == "hex" && m.Credential.ID == "": // a token
			case v.Decoder == "base64" && !isUnbroken(v.View, span, m.Credential.ID, text):
			default:
				list = append(list, m)
			}
		}
	}
	return list
}

// isJoinedFromLongPiece reports whether seven characters of the id at s of v stand in one
// piece of text, and all of them within 108 bytes.
func isJoinedFromLongPiece(v *views.View, s views.Span, text []byte) bool {
	longest, n, last := 0, 0, -1
	for i := s.Start; i < s.End; i++ {
		o := v.OriginOf(views.Span{Start: i, End: i + 1})
		if isVerbatim := o.End-o.Start == 1 && text[o.Start] == v.Text[i]; !isVerbatim {
			n, last = 0, -1
			continue
		}
		if o.Start != last+1 || last < 0 {
			n = 0
		}
		n, last = n+1, o.Start
		longest = max(longest, n)
	}
	o := v.OriginOf(s)
	return longest >= 7 && o.End-o.Start < 108
}

// isSpread reports whether an invisible character stands behind each of the first four
// characters of id.
func isSpread(text []byte, id string) bool {
	return slices.ContainsFunc(encodings.InvisibleSeparators, func(s string) bool {
		return bytes.Contains(text, []byte(spread(id[:4], s)))
	})
}

// spread returns s with separator behind each character.
func spread(s, separator string) string {
	return strings.Join(strings.Split(s, ""), separator) + separator
}

// hasNeighbour reports whether a letter or a digit stands right beside s in text.
func hasNeighbour(text []byte, s views.Span) bool {
	isAlnum := func(i int) bool {
		return i >= 0 && i < len(text) && (text[i] >= '0' && text[i] <= '9' || text[i]|0x20 >= 'a' && text[i]|0x20 <= 'z')
	}
	return isAlnum(s.Start-1) || isAlnum(s.End)
}

// isWide reports whether text holds s in UTF-16 or, if s is an id, in UTF-32.
func isWide(s string, text []byte) bool {
	spread := func(zeros string) bool {
		return bytes.Contains(text, []byte(strings.Join(strings.Split(s, ""), zeros)))
	}
	return spread("\x00") || len(s) == 20 && spread("\x00\x00\x00")
}

// isUnbroken reports whether 20 characters of the base64 that encodes id stand in one
// line of text, or one break behind 40 characters of base64 cuts them. The id is at s of v; all of a
// token, whose id is "", has to stand in one line.
func isUnbroken(v *views.View, s views.Span, id string, text []byte) bool {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
	inRun := func(c byte) bool { return strings.IndexByte(alphabet+" \t\r\n", c) >= 0 }
	o := v.OriginOf(s)
	for o.Start > 0 && inRun(text[o.Start-1]) {
		o.Start--
	}
	for o.End < len(text) && inRun(text[o.End]) {
		o.End++
	}
	var run []byte    // without line breaks
	var offsets []int // of its characters
	for i := o.Start; i < o.End; i++ {
		if strings.IndexByte(alphabet, text[i]) >= 0 {
			run, offsets = append(run, text[i]), append(offsets, i)
		}
	}
	if len(offsets) == o.End-o.Start || id == "" {
		return len(offsets) == o.End-o.Start
	}
	run = []byte(strings.NewReplacer("-", "+", "_", "/").Replace(string(run)))
	for shift := range min(4, len(run)) {
		plain := make([]byte, len(run))
		n, _ := base64.RawStdEncoding.Decode(plain, run[shift:])
		k := bytes.Index(plain[:n], []byte(id))
		if k < 0 {
			continue
		}
		n = 0
		breaks, wrapped := 0, false
		for i := shift + (k*4+2)/3; i < shift+(k+len(id))*4/3; i++ {
			if n++; i == 0 || offsets[i] != offsets[i-1]+1 {
				if n > 1 {
					breaks++
					wrapped = i >= 40 && offsets[i-1]-offsets[i-40] == 39 && offsets[i]-offsets[i-1] <= 24
				}
				n = 1
			}
			if n == 20 {
				return true
			}
		}
		if breaks == 1 && wrapped {
			return true
		}
	}
	return false
}

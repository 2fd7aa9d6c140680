package detectors_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
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

func octal(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, `\%03o`, c)
	}
	return b.String()
}

// encodeUTF32 gives big-endian text with a byte order mark, or little-endian
// without.
func encodeUTF32(s string, bigEndian bool) string {
	if bigEndian {
		s = "\ufeff" + s
	}
	out := []byte{}
	for _, r := range s {
		if bigEndian {
			out = binary.BigEndian.AppendUint32(out, uint32(r))
		} else {
			out = binary.LittleEndian.AppendUint32(out, uint32(r))
		}
	}
	return string(out)
}

func gzipped(s string) string {
	var b strings.Builder
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(s))
	if err := errors.Join(err, w.Close()); err != nil {
		panic(err)
	}
	return b.String()
}

// deflated returns s in zlib.
func deflated(s string, level int) string {
	var b strings.Builder
	w, err := zlib.NewWriterLevel(&b, level)
	if err != nil {
		panic(err)
	}
	_, err = w.Write([]byte(s))
	if err := errors.Join(err, w.Close()); err != nil {
		panic(err)
	}
	return b.String()
}

// zipped returns a zip of files, of each its name and its content.
func zipped(files ...string) string {
	var b strings.Builder
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err != nil {
			panic(err)
		}
		if _, err := f.Write([]byte(files[i+1])); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
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
		{"kubernetes_secret_alone", "kind: Secret\ndata:\n  AWS_SECRET_ACCESS_KEY: " + b64([]byte(secret)), "aws-secret-key - {secret1} -"},
		{"helm_values_of_a_secret", "aws:\n  secretAccessKey: " + b64([]byte(secret+"\n")) + "\n", "aws-secret-key - {secret1} -"},
		{"base64_of_a_secret_that_may_be_anybodys", "SECRET_KEY=" + b64([]byte(secret)), "aws-secret-key - {secret1} - ?"},
		{"json_in_base64", b64([]byte(`{"id":"` + id + `","secret":"` + strings.ReplaceAll(slashed, "/", `\/`) + `"}`)), wantSlashed},
		{"utf16le", encodeUTF16(ini, false, ""), pair},
		{"utf16le_bom", encodeUTF16("é"+ini, false, "\xff\xfe"), pair},
		{"utf16be_bom", encodeUTF16(ini, true, "\xfe\xff"), pair},
		{"utf16be", encodeUTF16(ini, true, ""), pair},
		{"utf16_in_a_program", "\x7fELF\x01\x00\x00\x02" + encodeUTF16(ini, false, "") + "\x00\x00\x01\xff", pair},
		{"utf16_beside_chinese", encodeUTF16("密钥 "+id+"\n密钥: secret="+secret, false, ""), pair},
		{"utf32le", encodeUTF32(ini, false), pair},
		{"utf32be_bom", encodeUTF32(ini, true), pair},
		{"octal_in_secret", "id='" + id + "' secret=$'" + strings.NewReplacer("/", `\057`, "+", `\053`).Replace(slashed) + "'", wantSlashed},
		{"octal_everywhere", octal(ini), pair},
		{"hex_in_secret", "id='" + id + "' secret=$'" + strings.NewReplacer("/", `\x2f`, "+", `\x2B`).Replace(slashed) + "'", wantSlashed},
		{"braces_in_secret", "id='" + id + "' secret='" + strings.NewReplacer("/", `\u{2f}`, "+", `\u{00002B}`).Replace(slashed) + "'", wantSlashed},
		{"long_unicode_in_secret", "id='" + id + "' secret='" + strings.NewReplacer("/", `\U0000002f`, "+", `\U0000002B`).Replace(slashed) + "'", wantSlashed},
		{"javascript_escape", strings.ReplaceAll(percent(ini), "%", "%u00"), pair},
		{"html_names_in_secret", `id="` + id + `" secret="` + strings.NewReplacer("/", "&sol;", "+", "&plus;").Replace(slashed) + `"`, wantSlashed},
		{"quoted_printable", "id=3D" + id[:9] + "=\r\n" + id[9:] + "\r\nsecret=3D" + secret[:20] + "=\r\n" + secret[20:], pair},
		{"quoted_printable_by_its_header", "Content-Transfer-Encoding: Quoted-Printable\n\nid: " + id[:9] + "=\n" + id[9:] + "\nsecret: " + secret[:20] + "=\n" + secret[20:], pair},
		{"quoted_printable_by_its_width", strings.Repeat("x ", 26) + "id: " + id[:17] + "=\n" + id[17:] + " secret: " + secret, pair},
		{"quoted_printable_of_all", "Content-Transfer-Encoding: quoted-printable\n\nid=3D" + id[:9] + fmt.Sprintf("=%02x", id[9]) + id[10:] + "\nsecret=3D" + secret, pair},
		{"quoted_printable_slash", "id=3D" + id + "\nsecret=3D" + strings.NewReplacer("/", "=2F", "+", "=2B").Replace(slashed), wantSlashed},
		{"base64_twice", b64([]byte("x: " + b64([]byte(ini)))), pair},
		{"kubernetes_secret_of_json", "kind: Secret\ndata:\n  x: " + b64([]byte(`{"id":"`+id+`","secret":"`+strings.ReplaceAll(slashed, "/", `\/`)+`"}`)), wantSlashed},
		{"powershell", "powershell -EncodedCommand " + b64([]byte(encodeUTF16("$id='"+id+"'; $secret='"+secret+"'", false, ""))), pair},
		{"gzip_in_base64", "user_data_base64 = " + b64([]byte(gzipped(ini))), pair},
		{"gzip_in_wrapped_base64", wrap(b64([]byte(gzipped(ini))), 76, "  "), pair},
		{"release_of_helm", "kind: Secret\ndata:\n  release: " + b64([]byte(b64([]byte(gzipped(`{"manifest":"data:\n id: `+b64([]byte(id))+`\n secret: `+b64([]byte(secret))+`\n"}`))))), pair},
		{"zlib_in_base64", "z = b'" + b64([]byte(deflated(ini, zlib.DefaultCompression))) + "'", pair},
		{"zlib_in_base64_best", "z = b'" + b64([]byte(deflated(ini, zlib.BestCompression))) + "'", pair},
		{"zlib_in_base64_fast", "z = b'" + b64([]byte(deflated(ini, zlib.BestSpeed))) + "'", pair},
		{"zlib_in_base64url", "session=." + base64.RawURLEncoding.EncodeToString([]byte(deflated(ini, zlib.DefaultCompression))) + ".x; Path=/", pair},
		{"zlib_in_base64_in_json", `{"z": "` + strings.NewReplacer("/", `\/`, "\n", `\n`).Replace(wrap(b64([]byte(deflated(ini, zlib.DefaultCompression))), 76, "")) + `"}`, pair},
		{"zlib_in_base64_twice", b64([]byte(b64([]byte(deflated(ini, zlib.DefaultCompression))))), pair},
		{"zlib_with_a_wrong_checksum", b64([]byte(deflated(ini, zlib.DefaultCompression)[:len(deflated(ini, zlib.DefaultCompression))-2] + "xy")), pair},
		{"zip_in_base64", "##[group]\n" + b64([]byte(zipped("a.png", "\x89PNG\x00\x01\x02", "credentials", ini))) + "\n##[endgroup]\n", pair},
		{"zip_in_wrapped_base64", wrap(b64([]byte(zipped("credentials", ini))), 60, "  "), pair},
		{"zip_in_base64_of_two_files", b64([]byte(zipped("id", "id="+id, "secret", "secret="+secret))), pair},
		{"zip_in_base64_twice", b64([]byte(b64([]byte(zipped("credentials", ini))))), pair},
		{"zip_in_base64_cut", b64([]byte(zipped("credentials", ini, "readme", strings.Repeat(secret, 99))))[:400], pair},
		{"text_that_begins_like_zlib", b64([]byte("x^2 = y; " + ini)), pair},
		{"hexadecimal", "blob = X'" + hex.EncodeToString([]byte(ini)) + "'", pair},
		{"hexadecimal_each", "id " + strings.ToUpper(hex.EncodeToString([]byte(id))) + "\nsecret 0x" + hex.EncodeToString([]byte(secret)), pair},
		{"plain_beside_base64", ini + "\n\nblob: " + b64([]byte("just some text that is long enough")), pair},
	} {
		t.Run(tt.name, func(t *testing.T) { detectorstest.Accept(t, set, tt.text, tt.want) })
	}
}

// TestJoins puts together what was cut in two or three.
func TestJoins(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	id, secret := detectorstest.Fill("{AKIA1}"), detectorstest.Fill("{secret1}")
	// assign cuts id and secret into pieces, with between between them.
	assign := func(between string, cuts ...int) string {
		join := func(s string, scale int) string {
			var parts []string
			for _, c := range cuts {
				parts = append(parts, s[:c*scale])
				s = s[c*scale:]
			}
			return `"` + strings.Join(append(parts, s), between) + `"`
		}
		return "id = " + join(id, 1) + "\nsecret = " + join(secret, 2) + "\n"
	}
	token := detectorstest.Fill("{token1}")
	for _, tt := range []struct{ name, text, want string }{
		{"plus", assign(`" + "`, 4), pair},
		{"plus_in_the_prefix", assign(`" + "`, 3), pair},
		{"plus_in_the_middle", assign(`" + "`, 10), pair},
		{"plus_tight_and_mixed", assign(`"+'`, 10), pair},
		{"three_pieces", assign(`" + "`, 7, 7), pair},
		{"three_pieces_by_prefix", assign(`" + "`, 4, 8), pair},
		{"over_lines", assign("\" +\n\t\t\"", 4, 8), pair},
		{"python_implicit", assign("\"\n          \"", 8), pair},
		{"python_bytes", assign(`" b"`, 8), pair},
		{"python_backslash", assign("\" \\\n    \"", 8), pair},
		{"php", assign(`" . "`, 8), pair},
		{"basic", assign("\" & _\r\n    \"", 8), pair},
		{"sql", assign(`" || "`, 8), pair},
		{"lua", assign(`" .. "`, 8), pair},
		{"template", assign("\"}${\"", 8), pair},
		{"plus_assign", assign("\";\nkey += \"", 8), pair},
		{"php_assign", assign("\";\n$key .= \"", 8), pair},
		{"array_join", `id = ["` + id[:8] + `", '` + id[8:] + `'].join("")`, "aws-access-key {AKIA1} - -"},
		{"go_join", `strings.Join([]string{"` + id[:8] + `", "` + id[8:] + `"}, "")`, "aws-access-key {AKIA1} - -"},
		{"terraform_join", `join("", ["` + id[:8] + `", "` + id[8:] + `"])`, "aws-access-key {AKIA1} - -"},
		{"shell_continuation", "export ID=" + id[:9] + "\\\n" + id[9:] + "\nexport SECRET=" + secret[:9] + "\\\n" + secret[9:], pair},
		{"yaml_continuation", "id: \"" + id[:9] + "\\\n  " + id[9:] + "\"\nsecret: \"" + secret[:9] + "\\\n  " + secret[9:] + "\"", pair},
		{"zero_width_space", strings.ReplaceAll(assign("\u200b", 8), `"`, ""), pair},
		{"zero_width_spaces", assign("\u200b\u200b", 4, 8), pair},
		{"soft_hyphen", assign("\u00ad", 7, 7), pair},
		{"word_joiner_and_mark", assign("\u2060\ufeff", 9), pair},
		{"wbr", assign("<wbr>", 10), pair},
		{"wbr_closed", assign("<wbr />", 13), pair},
		{"shy", assign("&shy;", 10), pair},
		{"shy_by_number", assign("&#173;", 10), pair},
		{"zero_width_space_by_number", assign("&#x200B;", 10), pair},
		{"zero_width_space_in_json", assign(`\u200b`, 10), pair},
		{"zero_width_space_by_name", assign("&ZeroWidthSpace;", 10), pair},
		{"zero_width_space_in_decimal", assign("&#8203;", 10), pair},
		{"left_to_right_mark", assign("\u200e", 10), pair},
		{"mark_by_name", assign("&lrm;", 3), pair},
		{"isolates", assign("\u2066\u2069", 12), pair},
		{"zero_width_space_after_each", "id: " + spread(id, "\u200b") + "\nsecret: " + spread(secret, "\u200b") + "\n", pair},
		{"mark_after_each", "id: " + spread(id, "\u200e") + "\nsecret: " + spread(secret, "\u200e") + "\n", pair},
		{"soft_hyphen_after_each", "<b>" + spread(id, "&shy;") + "</b> <i>" + spread(secret, "&shy;") + "</i>", pair},
		{"named_space_after_each", "<b>" + spread(id, "&ZeroWidthSpace;") + "</b> <i>" + spread(secret, "&ZeroWidthSpace;") + "</i>", pair},
		{"numbered_space_after_each", "<b>" + spread(id, "&#8203;") + "</b> <i>" + spread(secret, "&#8203;") + "</i>", pair},
		{"space_after_each_in_json", `{"id":"` + spread(id, `\u200b`) + `","secret":"` + spread(secret, `\u200b`) + `"}`, pair},
		{"joined_within_json", strings.ReplaceAll(`{"x": "`+strings.ReplaceAll(assign(`" + "`, 8), `"`, `\"`), "\n", `\n`) + `"}`, pair},
		{"escaped_in_the_middle", `id = "` + id[:9] + fmt.Sprintf(`\u%04x`, id[9]) + id[10:] + `" secret="` + secret + `"`, pair},
		{"only_the_id", `id = "` + id[:4] + `" + "` + id[4:] + "\"\nsecret = " + secret, pair},
		{"only_the_secret", "id = " + id + "\n" + `secret = "` + secret[:20] + `" + "` + secret[20:] + `"`, pair},
		{"comment_behind_the_secret", "id=" + id + "//of the tests\nsecret=" + secret + "//of the tests\n", pair},
		{"wrapped_token", wrapToken(token, 76, "  ", ""), "aws-session-key - - {token1}"},
		{"wrapped_token_64_crlf", strings.ReplaceAll(wrapToken(token, 64, "", "aws_session_token="), "\n", "\r\n"), "aws-session-key - - {token1}"},
		{"wrapped_token_with_its_name", wrapped("export AWS_SESSION_TOKEN="+token, 80), "aws-session-key - - {token1}"},
		{"wrapped_token_crlf", strings.ReplaceAll(wrapped("export AWS_SESSION_TOKEN="+token, 120), "\n", "\r\n"), "aws-session-key - - {token1}"},
		{"quoted_printable_token", "AWS_SESSION_TOKEN=3D" + quotedLines(token, 55) + "\n", "aws-session-key - - {token1}"},
		{"wrapped_token_then_words", wrapToken(token, 76, "", "") + "export AWS_REGION=x", "aws-session-key - - {token1}"},
		{"token_in_literals", `"` + token[:100] + "\"\n  \"" + token[100:] + `"`, "aws-session-key - - {token1}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			detectorstest.Accept(t, set, tt.text, tt.want)
			if !set.MayMatch([]byte(tt.text)) {
				t.Errorf("no hint in %q", tt.text)
			}
		})
	}
}

// wrapped breaks s as a terminal does.
func wrapped(s string, width int) string { return strings.TrimSuffix(wrap(s, width, ""), "\n") }

// quotedLines returns s in quoted-printable, the first line of which has room for first
// characters.
func quotedLines(s string, first int) string {
	s = s[:first] + "=\r\n" + strings.ReplaceAll(wrapped(s[first:], 75), "\n", "=\r\n")
	return strings.TrimRight(s, "=") + strings.Repeat("=3D", len(s)-len(strings.TrimRight(s, "=")))
}

// wrapToken wraps token, the first line after before.
func wrapToken(token string, width int, indent, before string) string {
	return before + strings.TrimPrefix(wrap(token, width, indent), indent)
}

// TestJoinsOfSeparatePieces holds that pieces that do not belong together are left alone.
func TestJoinsOfSeparatePieces(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	id, secret := detectorstest.Fill("{AKIA1}"), detectorstest.Fill("{secret1}")
	lone := "aws-access-key {AKIA1} - -"
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"arguments", `f("` + id + `" "` + secret + `")`, []string{pair}},
		{"arguments_over_lines", "--id " + id + `\` + "\n --secret " + secret + `\` + "\n--x", []string{pair}},
		{"list_of_words", `["` + id[:8] + `", "` + id[8:] + `"]`, nil},
		{"list_with_an_id", `["` + id + `", "` + id[8:] + `"]`, []string{lone}},
		{"lines_of_secrets", "id=" + id + "\nsecret:\n" + secret + "\n" + detectorstest.SecretKey(5) + "\n",
			[]string{pair, "aws-access-key {AKIA1} {secret5} - #1"}},
		{"equals_at_the_end", "id=\n" + id + "\nsecret=\n" + secret, []string{pair}},
		{"hash_in_two", `"` + strings.Repeat("ab01", 5) + `" + "` + strings.Repeat("cd23", 5) + `"`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) { detectorstest.Accept(t, set, tt.text, tt.want...) })
	}
}

// TestNotQuotedPrintable holds that in all other texts "=" at the end of a line is padding,
// and "=" before two hexadecimal digits an assignment.
func TestNotQuotedPrintable(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	secret := detectorstest.Fill("{secret1}")
	hex := "52" + secret[2:]
	token := detectorstest.BedrockKey("bob", detectorstest.Account, 1) // ends in one "="
	key := "aws-access-key {AKIA1} " + hex + " -"
	for _, tt := range []struct{ name, text, want string }{
		{"assignment", "AWS_KEY_1={AKIA1}\nAWS_SECRET_1=" + hex + "\n", key},
		{"assignment_alone", "id: {AKIA1}\n\nAWS_SECRET_1=" + hex + "\n", key},
		{"query", "https://x/?k={AKIA1}&s=" + hex + "&t=1\n", key},
		{"below_a_mail", "Content-Transfer-Encoding: quoted-printable\n\nx=3D1\n\nAWS_KEY_1={AKIA1}\nAWS_SECRET_1=" + hex + "\n", key},
		{"below_another_part", "Content-Transfer-Encoding: quoted-printable\n\nContent-Transfer-Encoding: 8bit\n\n{AKIA1}\n\nAWS_SECRET_1=" + hex + "\n", key},
		{"beside_an_escape", "mode=3D\nid: {AKIA1}\nAWS_SECRET_1=" + hex + "\n", key},
		{"beside_small_digits", "mode=3D\nid: {AKIA1}\nAWS_SECRET_1=4f" + secret[2:] + "\n", "aws-access-key {AKIA1} 4f" + secret[2:] + " -"},
		{"padding", "AWS_BEARER_TOKEN_BEDROCK=" + token + "\nAWS_REGION=x\n", "aws-bedrock-api-key - " + token + " -"},
		{"padding_below_a_header", "# Content-Transfer-Encoding: quoted-printable\nAWS_BEARER_TOKEN_BEDROCK=" + token + "\nAWS_REGION=x\n", "aws-bedrock-api-key - " + token + " -"},
		{"padding_of_a_short_line", "id: {AKIA1}\nsecret: {secret1}\nhash: " + secret[:19] + "=\n" + secret[:21] + "\n", pair},
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

// TestIDsOfPackedDataAreFoundOnce decodes ids from packed data, in which those that follow each
// other have spans that overlap, and then decodes it further.
func TestIDsOfPackedDataAreFoundOnce(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	id := func(seed uint64) string { return detectorstest.KeyID("AKIA", detectorstest.Account, seed) }
	for words := range 20 {
		text := strings.Repeat("some words ", 20*words)
		for seed := range uint64(4) {
			text += id(seed) + ":" + detectorstest.SecretKey(seed) + "\n"
		}
		text += strings.Repeat("some words ", 1000) + "\nkey: " + percent(id(9)) + "\n"
		times := map[string]int{}
		for _, m := range set.Detect(nil, []byte("data: "+base64.StdEncoding.EncodeToString([]byte(gzipped(text)))+"\n")) {
			times[m.Credential.ID]++
		}
		want := map[string]int{id(0): 1, id(1): 1, id(2): 1, id(3): 1, id(9): 1}
		if !maps.Equal(times, want) {
			t.Errorf("behind %d words, found %v, want %v", 40*words, times, want)
		}
	}
}

// FuzzSet holds that views and their offsets stay within the text, and that a
// plain id is found whatever stands around it.
func FuzzSet(f *testing.F) {
	id := detectorstest.Fill("{AKIA1}")
	f.Add([]byte("%41%4b \x01 \\u0041 \x1b[3m\x01 &#65; \xff\xfeA\x00K\x00I\x00A\x00"), []byte("QUtJQQ"))
	f.Add([]byte(percent(id)), []byte(unicode(id)))
	f.Add([]byte(base64.StdEncoding.EncodeToString([]byte("x: "+id))), []byte(encodeUTF16(id, false, "")))
	// The backslash joins most of an id to the beginning of the next line.
	joined := base64.StdEncoding.EncodeToString([]byte("x:%" + id[:9] + "FY" + id[11:19] + `\`))
	f.Add([]byte(joined), []byte(joined+"tJQAB\x00J\x00X\x007\x00P\x00"))
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

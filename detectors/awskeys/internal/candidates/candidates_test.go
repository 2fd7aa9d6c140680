package candidates

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/keyformat"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

func TestFindIDs(t *testing.T) {
	id := detectorstest.KeyID("AKIA", "123456789012", 1)
	legacy, protein := "AKIAJ"+id[5:], strings.ToUpper("akiaskfdewqvrntlmhpy")
	far := strings.Repeat("another message ", 100)
	noise := "x8JkQ2vB7nLpx8JkQ2vB7nLpx8JkQ2vB7nLpx8JkQ2vB7nLp" // looks random
	for _, tt := range []struct {
		name, text string
		found      bool
	}{
		{"alone", id, true},
		{"assigned", "key=" + id + ";", true},
		{"glued_to_underscores", "KEY_" + id + "_X", true},
		{"after_slash_of_url", "s3://" + id + ":x@bucket", true},
		{"in_path", "backup/keys/" + id + ".pem", true},
		{"credential_scope", id + "/20260101/us-east-1/s3/aws4_request", true},
		{"after_escaped_newline", `text\n` + id + `\n`, true},
		{"after_percent", "id%3D" + id + "%26", true},
		{"quoted_printable", "id=3D" + id, true},
		{"before_a_secret", id + "/" + detectorstest.SecretKey(1), true},
		{"in_a_short_odd_path", "/cache/x9Kd02LmQz7w/" + id + "/f", true},
		{"after_unicode_escape", `\u0022` + id + `\u0022`, true},
		{"after_colour", "\x1b[33;1m" + id + "\x1b[0m", true},
		{"non_ascii_neighbour", "キー：" + id + "。", true},
		{"lower_case", strings.ToLower(id), false},
		{"after_letter", "x" + id, false},
		{"after_upper", "X" + id, false},
		{"before_letter", id + "x", false},
		{"too_long", id + "A", false},
		{"too_short", id[:19], false},
		{"cut_off", "AKI", false},
		{"base64_before", noise + "/" + id, false},
		{"base64_after", id + "+" + noise, false},
		{"base64_around", noise + "/" + id + "/" + noise, false},
		{"in_path_with_a_secret", "/v1/" + id + "/" + detectorstest.SecretKey(1) + "/x", true},
		{"two_slashes_from_its_secret", id + "//" + detectorstest.SecretKey(1), true},
		{"behind_its_secret", detectorstest.SecretKey(1) + "/" + id + "/x", true},
		{"in_a_form_with_its_secret", "id+" + id + "+secret+" + detectorstest.SecretKey(1) + "+x", true},
		{"in_a_form_far_from_its_secret", "key+" + id + "+with+the+secret+" + detectorstest.SecretKey(1) + "+x", true},
		{"base64_around_and_a_word", noise + "/key/" + id + "/" + noise, false},
		{"before_a_longer_secret", "/v1/" + id + "/" + detectorstest.SecretKey(1) + "A/x", false},
		{"length_before", "\x14" + id + "z", true},
		{"length_before_of_32_bits", "X\x14\x00\x00\x00" + id + "q", true},
		{"length_doubled", "\x00(" + id + "P", true},
		{"length_of_cbor", "\xa2\x62idt" + id + "f", true},
		{"length_of_a_legacy_id", "\x14" + legacy + "z", true},
		{"legacy_id_without_a_length", "\x00\x15" + legacy + "z", false},
		{"length_in_a_text", "(" + id + "P", false},
		{"length_in_digits", "2:id20:" + id + "6:secret", true},
		{"another_length_in_digits", "2:id120:" + id + "6:secret", false},
		{"pickle_0", "\np1\nV" + id + "\np2\n", true},
		{"pickle_0_behind_a_value", "\np1\nsV" + id + "\np2\n", true},
		{"pickle_0_behind_a_word", "\np1\nusV" + id + "\np2\n", false},
		{"line_with_a_letter_before", "\np1\nV" + id + "\nx", false},
		{"pool_of_strings", "\x00bad pointer" + id + "invalid length", true},
		{"pool_of_strings_far_from_a_nul", "\x7fELF\x00" + far + "bad pointer" + id + "invalid length" + far, true},
		{"pool_in_a_text", far + "bad pointer" + id + "invalid length" + far, false},
		{"pool_of_proteins", "\x00MKVA" + protein + "MKVA\x00", false},
		{"pool_with_utf8", "キー" + id + "invalid length", false},
		{"pool_with_latin1", "\xe9" + id + "invalid length", true},
		{"csi_without_letter", "\x1b[33" + id, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := IDs([]byte(tt.text))
			if found := len(got) == 1 && strings.Contains(id+legacy, tt.text[got[0].Start:got[0].End]); found != tt.found || len(got) > 1 {
				t.Errorf("findIDs(%q) = %v, want found %v", tt.text, got, tt.found)
			}
		})
	}
}

func TestFindSecrets(t *testing.T) {
	s := detectorstest.SecretKey(1)
	for _, tt := range []struct {
		name, text, want string
	}{
		{"alone", s, s},
		{"assigned", "k=" + s + "\n", s},
		{"begins_with_slash", "k: /" + s[1:], "/" + s[1:]},
		{"begins_with_plus", "k: +" + s[1:], "+" + s[1:]},
		{"ends_with_slash", "k: " + s[:39] + "/ ", s[:39] + "/"},
		{"ends_with_plus", "k: '" + s[:39] + "+'", s[:39] + "+"},
		{"after_its_id", detectorstest.KeyID("AKIA", "123456789012", 1) + "/" + s, s},
		{"in_a_comment", "//" + s, s},
		{"in_a_diff", "\n+" + s, s},
		{"in_url", "s3://id:" + s + "@bucket", s},
		{"after_escaped_newline", `a\n` + s + `\n`, s},
		{"after_percent", "a%3D" + s + "&", s},
		{"after_colour", "\x1b[33m" + s + "\x1b[0m", s},
		{"padded", s + "=", ""},
		{"padded_in_lines", "QUJD\n  " + s + "==", ""},
		{"padded_base64url", "QUJD_" + s + "=", ""},
		{"before_an_equals_sign", "k=" + s + "=\n", s},
		{"substituted", "s/placeholder/" + s + "/g", s},
		{"begins_with_slash_in_a_path", "s/x//" + s[1:] + "/", "/" + s[1:]},
		{"ends_with_slash_in_a_path", "s/x/" + s[:39] + "//", s[:39] + "/"},
		{"in_path", "'/api/v1/users/" + s + "/keys'", s},
		{"in_form", "k=+" + s + "+x", s},
		{"after_three_slashes", "///" + s, s},
		{"after_two_pluses", "x: ++" + s, s},
		{"in_path_with_an_id", "/" + s + "/" + detectorstest.KeyID("AKIA", "123456789012", 1) + "/x9Kd02LmQz7w", s},
		{"in_base64", "'Kd02LmQz7w/" + s + "/x9KdmQ0'", ""},
		{"line_of_base64", "x/" + s + "/DMk", ""},
		{"too_short_for_a_path", "/v1/" + s[1:] + "/x", ""},
		{"too_long_for_a_path", "/v1/" + s + "A/x", ""},
		{"longer", s + "A", ""},
		{"shorter", s[1:], ""},
		{"length_before", "\x00z(" + s + "N", s},
		{"length_before_of_32_bits", "X(\x00\x00\x00" + s + "q", s},
		{"length_of_net", "\x00Q" + s + "\x00", s},
		{"length_of_net_before_more", "\x00Q" + s + "A\x00", ""},
		{"length_in_a_text", "z(" + s + "N", ""},
		{"length_in_digits", "6:secret40:" + s + "e", s},
		{"pickle_0", "\np1\nV" + s + "\np2\n", s},
		{"right_behind_an_id", "\x00f" + detectorstest.KeyID("AKIA", "123456789012", 1) + s + "us-east-1", s},
		{"pool_before_a_word", "\x00waiting " + s + "reflect: ", s},
		{"pool_behind_a_word", "\x00waiting" + s + ": ", s},
		{"pool_between_words", "\x00waiting" + s + "reflect: ", ""},
		{"pool_of_names", "\x00type 08/AddClientIDToOpenIDConnectProviderRequest: ", ""},
		{"pool_in_a_text", "waiting " + s + "reflect: ", ""},
		{"pool_of_symbols", "\x00$s7SwiftUI4ViewPAAE10navigationBarTitle11displayMode", ""},
		{"sha1", strings.Repeat("0123456789abcdef", 3)[:40], ""},
		{"path", "github/some/organisation/repository/pkgs", ""},
		{"words", "ThisIsALongIdentifierInCamelCaseForATest", ""},
		{"text_in_base64", "VGhpcyBpcyBhIHNlbnRlbmNlIGluIGJhc2U2NC4K", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			for _, f := range Secrets([]byte(tt.text), true) {
				got += tt.text[f.Start:f.End]
			}
			if got != tt.want {
				t.Errorf("findSecrets(%q) = %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}

// TestChecksumsHoldNoSecret holds that no part of a checksum is cut out as a secret, in a text
// or in a binary file: go.sum has thousands of them.
func TestChecksumsHoldNoSecret(t *testing.T) {
	r := rand.NewChaCha8([32]byte{14})
	for range 50_000 {
		sum := make([]byte, 32)
		_, _ = r.Read(sum)
		for _, text := range []string{"h1:%s\n", "\x00sha256-%s\x00", `{"hash":"%s"}`} {
			text = fmt.Sprintf(text, base64.StdEncoding.EncodeToString(sum))
			if found := Secrets([]byte(text), true); found != nil {
				t.Errorf("%q holds %v", text, found)
			}
		}
	}
}

// oracleIDs says with regular expressions what IDs does by hand.
func oracleIDs(text []byte) []detectors.Span {
	id := regexp.MustCompile(`^(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}`)
	after := regexp.MustCompile(`^(?:$|[^A-Za-z0-9])`)
	// Eight bytes back are enough for any escape.
	before := regexp.MustCompile(`(?:[^A-Za-z0-9]|\\[ntr]|[%=][0-9A-Fa-f]{2}|\\u00[0-9A-Fa-f]{2}|\x1b\[[0-9;]*[A-Za-z])$`)
	wordBefore := regexp.MustCompile(`(^|[+/])[a-z]{3,}[+/]$`)
	wordBehind := regexp.MustCompile(`^[+/][a-z]{3,}([+/]|$)`)
	base64Before := regexp.MustCompile(`[A-Za-z0-9+/]*[+/]$`)
	base64After := regexp.MustCompile(`^[+/][A-Za-z0-9+/]*`)
	word := regexp.MustCompile(`[a-z]+|[A-Z]+|[0-9]+|\++`)
	random := func(run []byte) bool {
		for _, part := range bytes.Split(run, []byte("/")) {
			changes := len(word.FindAll(part, -1)) - 1
			if len(part) >= 10 && changes*5 >= len(part)*2 {
				return true
			}
		}
		return false
	}
	var ids []detectors.Span
	for i := 0; i < len(text); i++ {
		rest := text[i:]
		if !id.Match(rest) {
			continue
		}
		if !after.Match(rest[keyformat.IDLen:]) || i > 0 && !before.Match(text[max(0, i-8):i]) {
			if oraclePacked(text, i) {
				ids = append(ids, detectors.Span{Start: i, End: i + keyformat.IDLen})
				i += keyformat.IDLen - 1
			}
			continue
		}
		head, tail := base64Before.Find(text[max(0, i-64):i]), base64After.Find(text[i+keyformat.IDLen:min(len(text), i+keyformat.IDLen+64)])
		if len(head)+len(tail) > 41 && (random(head) || random(tail)) && (!wordBefore.Match(head) || !wordBehind.Match(tail)) &&
			(!mayBeIssued(rest[:keyformat.IDLen]) || !oracleSecretBeside(text, i, len(head), len(tail))) {
			continue
		}
		ids = append(ids, detectors.Span{Start: i, End: i + keyformat.IDLen})
		i += keyformat.IDLen - 1
	}
	return ids
}

// oraclePacked says what isPackedID does by hand, but for isBinary and the secret behind.
func oraclePacked(text []byte, i int) bool {
	// One character for each byte.
	latin1 := func(b []byte) string {
		var s strings.Builder
		for _, c := range b {
			s.WriteRune(rune(c))
		}
		return s.String()
	}
	end := i + keyformat.IDLen
	before, id, behind := latin1(text[max(0, i-8):i]), string(text[i:end]), latin1(text[end:min(len(text), end+2)])
	match := func(pattern, s string) bool { return regexp.MustCompile(pattern).MatchString(s) }
	switch {
	case match("(^|[^A-Za-z0-9+/])[sa]?V$", before) && behind == "\np":
		return true
	case keyformat.Grade(id) == keyformat.Impossible:
		return false
	case match("(^|[^0-9])20:$", before):
		return true
	case match("[\x14()t\u00b4]$|\x14\x00{1,7}$", before):
		return isBinary(text, i, end)
	}
	setApart := match("[0-9]", id) || !match("[A-Z0-9]$", before) && (!match("^[A-Z0-9]", behind) || isRandomPiece(text, end))
	return keyformat.Grade(id) == keyformat.Strong && setApart && isBinary(text, i, end)
}

// oracleSecretBeside says whether a delimited secret is in the run around the id at i. The
// run has before and after characters beside the id, at most 64.
func oracleSecretBeside(text []byte, i, before, after int) bool {
	for at := i - before; at+keyformat.SecretLen <= i+keyformat.IDLen+after; at++ {
		between := max(at-i-keyformat.IDLen, i-at-keyformat.SecretLen) // of the secret and the id
		if between >= 1 && between <= MaxBeside-keyformat.IDLen && (at == 0 || !keyformat.IsAlnum(text[at-1])) && IsDelimited(text, at) {
			return true
		}
	}
	return false
}

func FuzzFindIDs(f *testing.F) {
	id := detectorstest.KeyID("AKIA", "123456789012", 1)
	for _, s := range []string{
		id, "x" + id, id + "/" + id, `\n` + id, "%3D" + id, "\x1b[1;33m" + id, `\u0022` + id, "a/b+c" + id, "AKIAAKIA" + id,
		"\x14\x01z", "\x00x\x01\x05y", "20:\x01A", "\nV\x01\np", "\nsV\x01\np", "\xbf\x01x", "(\x02P\x05\x00", "\x14\x00\x00\x00\x01q", "\x0etAKIAJ" + id[5:] + "x", "\x00AKIAJ" + id[5:] + "x",
		"AxByCzDwEv/" + id + "+x9Y8z7W6v5", "/\x01/\x05/x", "\x05//\x02", "x/\x05/y/\x01/", "AxByCzDwEv/\x05/\x01/" + id, id[:19], "ASIA" + id[4:] + "_ACCA" + id[4:],
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		// Random bytes hold no ids: let 1 to 4 stand for whole ones, and 5 for a secret.
		for k, prefix := range []string{"AKIA", "ASIA", "ABIA", "ACCA"} {
			text = bytes.ReplaceAll(text, []byte{byte(k + 1)}, []byte(prefix+id[4:]))
		}
		text = bytes.ReplaceAll(text, []byte{5}, []byte(detectorstest.SecretKey(1)))
		if diff := cmp.Diff(oracleIDs(text), IDs(text)); diff != "" {
			t.Errorf("%q: (-regexp +hand)\n%s", text, diff)
		}
	})
}

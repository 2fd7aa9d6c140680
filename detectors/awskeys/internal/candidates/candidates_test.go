package candidates

import (
	"bytes"
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
		{"before_a_longer_secret", "/v1/" + id + "/" + detectorstest.SecretKey(1) + "A/x", false},
		{"csi_without_letter", "\x1b[33" + id, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := IDs([]byte(tt.text))
			if found := len(got) == 1 && tt.text[got[0].Start:got[0].End] == id; found != tt.found || len(got) > 1 {
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
		{"sha1", strings.Repeat("0123456789abcdef", 3)[:40], ""},
		{"path", "github/some/organisation/repository/pkgs", ""},
		{"words", "ThisIsALongIdentifierInCamelCaseForATest", ""},
		{"text_in_base64", "VGhpcyBpcyBhIHNlbnRlbmNlIGluIGJhc2U2NC4K", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			for _, f := range Secrets([]byte(tt.text)) {
				got += tt.text[f.Start:f.End]
			}
			if got != tt.want {
				t.Errorf("findSecrets(%q) = %q, want %q", tt.text, got, tt.want)
			}
		})
	}
}

// oracleIDs says with regular expressions what IDs does by hand.
func oracleIDs(text []byte) []detectors.Span {
	id := regexp.MustCompile(`^(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}`)
	after := regexp.MustCompile(`^(?:$|[^A-Za-z0-9])`)
	// Eight bytes back are enough for any escape.
	before := regexp.MustCompile(`(?:[^A-Za-z0-9]|\\[ntr]|[%=][0-9A-Fa-f]{2}|\\u00[0-9A-Fa-f]{2}|\x1b\[[0-9;]*[A-Za-z])$`)
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
		if !id.Match(rest) || !after.Match(rest[keyformat.IDLen:]) {
			continue
		}
		if i > 0 && !before.Match(text[max(0, i-8):i]) {
			continue
		}
		head, tail := base64Before.Find(text[max(0, i-64):i]), base64After.Find(text[i+keyformat.IDLen:min(len(text), i+keyformat.IDLen+64)])
		if len(head)+len(tail) > 41 && (random(head) || random(tail)) && !oracleSecretBeside(text, i, len(head), len(tail)) {
			continue
		}
		ids = append(ids, detectors.Span{Start: i, End: i + keyformat.IDLen})
		i += keyformat.IDLen - 1
	}
	return ids
}

// oracleSecretBeside says whether a delimited secret is in the run around the id at i. The
// run has before and after characters beside the id, at most 64.
func oracleSecretBeside(text []byte, i, before, after int) bool {
	for at := i - before; at+keyformat.SecretLen <= i+keyformat.IDLen+after; at++ {
		between := max(at-i-keyformat.IDLen, i-at-keyformat.SecretLen) // of the secret and the id
		if between >= 1 && between <= MaxBeside-keyformat.IDLen && (at == 0 || !keyformat.IsAlnum(text[at-1])) && isDelimited(text, at) {
			return true
		}
	}
	return false
}

func FuzzFindIDs(f *testing.F) {
	id := detectorstest.KeyID("AKIA", "123456789012", 1)
	for _, s := range []string{
		id, "x" + id, id + "/" + id, `\n` + id, "%3D" + id, "\x1b[1;33m" + id, `\u0022` + id, "a/b+c" + id, "AKIAAKIA" + id,
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

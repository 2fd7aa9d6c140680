package awskeys

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/pairing"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

func TestDetect(t *testing.T) {
	const (
		pair1 = "aws-access-key {AKIA1} {secret1} -"
		pair2 = "aws-access-key {AKIA2} {secret2} -"
		pair3 = "aws-access-key {AKIA3} {secret3} -"
		lone1 = "aws-access-key {AKIA1} - -"
	)
	far := strings.Repeat("line: of other things\n", 25)
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", "no keys here, and no secret", nil},
		{"lone_id", "user: {AKIA1}", []string{lone1}},
		{"env", "AWS_ACCESS_KEY_ID={AKIA1}\nAWS_SECRET_ACCESS_KEY={secret1}\n", []string{pair1}},
		{"secret_first", "secret_key: {secret1}\naccess_key: {AKIA1}\n", []string{pair1}},
		{"unnamed_on_one_line", `NewStaticCredentials("{AKIA1}", "{secret1}", "")`, []string{pair1}},
		{"url", "s3://{AKIA1}:{secret1}@bucket/path", []string{pair1}},
		{"url_of_forty_characters", "https://h/{AKIA1}/dGhpc0lz9TwQk3X", []string{lone1}},
		{"csv", "Access key ID,Secret access key\n{AKIA1},{secret1}\n", []string{pair1}},
		{"xml", "<name>fs.s3a.access.key</name>\n<value>{AKIA1}</value>\n<name>fs.s3a.secret.key</name>\n<value>{secret1}</value>", []string{pair1}},
		{"weak_name", "<username>{AKIA1}</username>\n<password>{secret1}</password>", []string{pair1}},
		{"far", "id: {AKIA1}\n" + far + "secret_access_key: {secret1}", []string{pair1}},
		{"far_and_unnamed", "id: {AKIA1}\n" + far + far + "x: {secret1}", []string{lone1, "aws-secret-key - {secret1} - ?"}},
		{"two_profiles", "[a]\nid={AKIA1}\nsecret={secret1}\n[b]\nid={AKIA2}\nsecret={secret2}\n", []string{pair1, pair2}},
		{"secrets_first_without_a_gap", "secret={secret1}\nid={AKIA1}\nsecret={secret2}\nid={AKIA2}\nsecret={secret3}\nid={AKIA3}", []string{pair1, pair2, pair3}},
		{"ids_then_secrets", "{AKIA1} {AKIA2}\n{secret1} {secret2}", []string{pair1, pair2}},
		{"json_on_one_line", `[{"i":"{AKIA1}","s":"{secret1}"},{"i":"{AKIA2}","s":"{secret2}"}]`, []string{pair1, pair2}},
		{"groups_in_another_order", "DEV_KEY_ID={AKIA1}\nPROD_KEY_ID={AKIA2}\nPROD_SECRET={secret2}\nDEV_SECRET={secret1}", []string{pair1, pair2}},
		{"groups_by_suffix", "AWS_ACCESS_KEY_ID_B={AKIA2}\nAWS_ACCESS_KEY_ID_A={AKIA1}\nAWS_SECRET_A={secret1}\nAWS_SECRET_B={secret2}", []string{pair2, pair1}},
		{"groups_in_maps", `ids={"dev":"{AKIA1}","prod":"{AKIA2}"} secrets={"prod":"{secret2}","dev":"{secret1}"}`, []string{pair1, pair2}},
		{"diff", "-{AKIA1}\n-{secret1}\n+{AKIA2}\n+{secret2}", []string{pair1, pair2}},
		{"user_whose_name_holds_a_word", "natasha,,{AKIA1},{secret1},https://x", []string{pair1}},
		{"share", `share = connect_s3("{AKIA1}","{secret1}")`, []string{pair1}},
		{"learning", `learningSession = new BasicAWSCredentials("{AKIA1}", "{secret1}")`, []string{pair1}},
		{"secret_token", "AWS_KEY={AKIA1}\nAWS_SECRET_TOKEN={secret1}", []string{pair1}},
		{"shared", "id: {AKIA1}\nsecret_access_key_shared: {secret1}", []string{pair1}},
		{"table", "| arn:aws:iam::1:user/x | {AKIA1} | {secret1} |", []string{pair1}},
		{"property", `conf.set("fs.s3a.access.key", "{AKIA1}"); conf.set("fs.s3a.secret.key", "{secret1}")`, []string{pair1}},
		{"named_beats_unnamed", "x {secret2}\nid={AKIA1}\nsecret={secret1}", []string{pair1, "aws-access-key {AKIA1} {secret2} - #1"}},
		{"candidates", "secret={secret1}\nid={AKIA1}\n\nsecret={secret2}\n\n\nsecret={secret3}\n\n\nsecret={secret4}",
			[]string{pair1, "aws-access-key {AKIA1} {secret2} - #1", "aws-access-key {AKIA1} {secret3} - #2", "aws-access-key {AKIA1} {secret4} - #3",
				"aws-secret-key - {secret2} - ?", "aws-secret-key - {secret3} - ?", "aws-secret-key - {secret4} - ?"}},
		{"a_taken_secret_is_no_candidate", "id={AKIA1}\n\nid={AKIA2}\nsecret={secret2}", []string{lone1, pair2}},
		{"hash_is_no_secret", "id={AKIA1}\ncommit: {secret1}", []string{lone1}},
		{"hash_of_a_secret", "id={AKIA1}\nsecretSha256: {secret1}", []string{lone1}},
		{"same_id_twice", "see {AKIA1}\n" + far + far + "id={AKIA1} secret={secret1}", []string{lone1, pair1}},
		{"triple", "id={ASIA1}\nsecret={secret1}\ntoken={token1}", []string{"aws-session-key {ASIA1} {secret1} {token1}"}},
		{"long_term_takes_no_token", "id={AKIA1}\nsecret={secret1}\ntoken={token1}", []string{pair1, "aws-session-key - - {token1}"}},
		{"lone_secret", `"awsSecretKey": "{secret1}"`, []string{"aws-secret-key - {secret1} -"}},
		{"lone_secret_that_may_be_anybodys", `SECRET_KEY = "{secret1}"`, []string{"aws-secret-key - {secret1} - ?"}},
		{"password_is_no_partner", `PASSWORD = "{secret1}"`, nil},
		{"unnamed_is_no_partner", "no secret: 1\n\nx {secret1}", nil},
		{"service_credential", "id: {ACCA1}", []string{"aws-service-credential-id {ACCA1} - -"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			detectorstest.Accept(t, Detector{}, tt.text, tt.want...)
			if tt.want != nil && !(Detector{}).MayMatchNear([]byte(detectorstest.Fill(tt.text))) {
				t.Error("the prefilter rules it out")
			}
		})
	}
}

// TestOddSecret: one secret in 500 has a long run of small letters or no digit. It
// needs a name, or an id right before it.
func TestOddSecret(t *testing.T) {
	id, secret := detectorstest.KeyID("AKIA", detectorstest.Account, 1), detectorstest.SecretKey(1)
	secret = secret[:20] + "qwkxrmtzhvpn" + secret[32:]
	for text, want := range map[string]bool{
		id + ":" + secret:                      true,
		id + "," + secret:                      true,
		id + ", " + secret:                     true,
		id + " " + secret:                      true,
		id + "\nsecret_key = " + secret:        true,
		id + "\n" + secret:                     false,
		id + " was made for " + secret:         false,
		secret + ":" + id:                      false,
		id + ":" + detectorstest.SecretKey(1):  true,
		id + "\n" + detectorstest.SecretKey(1): true,
	} {
		found := detectors.NewSet(Detector{}).Detect(nil, []byte(text))
		if got := slices.ContainsFunc(found, func(m detectors.Match) bool { return m.Credential.ID == id && !m.Credential.Secret.IsZero() }); got != want {
			t.Errorf("%q: a pair is found: %v, want %v", text, got, want)
		}
	}
}

// TestTokenAccount holds rule 9 of pairing.go: a token of another account belongs to no id.
func TestTokenAccount(t *testing.T) {
	foreign := detectorstest.Token("210987654321", "us-east-1", time.Unix(1_700_000_000, 0), 9)
	detectorstest.Accept(t, Detector{}, "id={ASIA1}\nsecret={secret1}\ntoken="+foreign,
		"aws-session-key {ASIA1} {secret1} -", "aws-session-key - - "+foreign)
}

// TestAcross: what a detector says for pairing with parts of other texts.
func TestAcross(t *testing.T) {
	const arn = "role = arn:aws:iam::210987654321:role/x\n"
	for _, tt := range []struct {
		name, text     string
		needs          detectors.Parts
		account, group string
	}{
		{"id", "PROD_KEY_ID={AKIA1}", detectors.SecretPart, detectorstest.Account, "prod"},
		{"session", "{ASIA1}", detectors.SecretPart | detectors.TokenPart, detectorstest.Account, ""},
		{"signs_nothing", "{ACCA1}", 0, detectorstest.Account, ""},
		{"example", "AKIAIOSFODNN7" + "EXAMPLE", 0, "", ""},
		{"impossible", "AKIA" + "7777777777777777", 0, "", ""},
		{"secret", "dev_secret={secret1}", 0, "", "dev"},
		{"secret_near_an_arn", arn + "secret={secret1}", 0, "210987654321", ""},
		{"secret_near_an_arn_of_china", "secret={secret1}\narn:aws-cn:sts::210987654321:assumed-role/x/y", 0, "210987654321", ""},
		{"secret_near_two_arns", arn + "secret={secret1}\narn:aws:iam::123456789012:user/y", 0, "", ""},
		{"secret_near_an_arn_without_account", "arn:aws:s3:::bucket/x secret={secret1}", 0, "", ""},
		{"secret_far_from_an_arn", arn + strings.Repeat("\n", 400) + "secret={secret1}", 0, "", ""},
		{"token", "prod_token={token1}", 0, detectorstest.Account, "prod"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Detector{}.Detect(nil, []byte(detectorstest.Fill(tt.text)))
			if len(got) != 1 {
				t.Fatalf("%d matches", len(got))
			}
			if m := got[0]; m.Needs != tt.needs || m.Account != tt.account || m.Group != tt.group {
				t.Errorf("got needs %b, account %q, group %q", m.Needs, m.Account, m.Group)
			}
		})
	}
}

func TestExampleSecretIsNoCandidate(t *testing.T) {
	example := "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"
	detectorstest.Accept(t, Detector{}, "id={AKIA1}\nsecret="+example, "aws-access-key {AKIA1} - -")
}

// TestSecretOfNoExample: a random secret with a name of AWS beside a made-up id is reported
// by itself, or with a real id; another one goes with the made-up id, and is ignored.
func TestSecretOfNoExample(t *testing.T) {
	example := "AKIAIOSFODNN7" + "EXAMPLE"
	for name, tt := range map[string]struct {
		text string
		want []string
	}{
		"documentation": {"aws_access_key_id = " + example + "\naws_secret_access_key = {secret1}\n", []string{"aws-access-key " + example + " - -", "aws-secret-key - {secret1} -"}},
		"typed":         {"AWS_ACCESS_KEY_ID=AKIA1234567890ABCDEF\nAWS_SECRET_ACCESS_KEY={secret1}\n", []string{"aws-access-key AKIA1234567890ABCDEF - -", "aws-secret-key - {secret1} -"}},
		"real_id_near":  {"key {AKIA1}\naws_access_key_id = " + example + "\naws_secret_access_key = {secret1}\n", []string{"aws-access-key {AKIA1} {secret1} -", "aws-access-key " + example + " - -"}},
		"no_name":       {example + " {secret1}\n", []string{"aws-access-key " + example + " {secret1} -"}},
		"words":         {"aws_access_key_id = " + example + "\naws_secret_access_key = ThisIsMyVerySecretAccessKeyForTheTests00\n", []string{"aws-access-key " + example + " - -"}},
	} {
		t.Run(name, func(t *testing.T) { detectorstest.Accept(t, Detector{}, tt.text, tt.want...) })
	}
}

func TestPlaceholder(t *testing.T) {
	for _, tt := range []struct {
		name, id, secret string
		ignored          bool
	}{
		{"documentation", "AKIAIOSFODNN7" + "EXAMPLE", "", true},
		{"misspelt", "AKIAIO5FODNN7" + "EXAMPL3", "", true},
		{"filler", "AKIA" + strings.Repeat("X", 16), "", true},
		{"sequence", "AKIA1234567890ABCDEF", "", true},
		{"words", "ASIAPACIFICREGIONSUBS"[:20], "", true},
		{"typed", "AKIANEWKEY" + "1234567890", "", true},
		{"typed_with_a_secret", "AKIAREPLACEME" + "REPLACE", "{secret1}", true},
		{"words_with_a_secret", "ASIAPACIFICREGIONSUBS"[:20], "{secret1}", false},
		{"real", "{AKIA1}", "", false},
		{"real_pair", "{AKIA1}", "{secret1}", false},
		{"filler_secret", "", strings.Repeat("a1", 20), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := detectors.Credential{ID: detectorstest.Fill(tt.id), Secret: detectors.NewSecret(detectorstest.Fill(tt.secret))}
			if why := Placeholder(c); (why != "") != tt.ignored {
				t.Errorf("Placeholder(%s) = %q, want ignored %v", c.ID, why, tt.ignored)
			}
		})
	}
}

// FuzzDetect holds that offsets point at what was found, whatever the text.
func FuzzDetect(f *testing.F) {
	id, secret := detectorstest.KeyID("AKIA", "123456789012", 1), detectorstest.SecretKey(1)
	f.Add([]byte("id=" + id + "\nsecret=" + secret))
	f.Add([]byte(secret + " " + id + " " + secret + "\n\n[x]\n" + id))
	f.Add([]byte("aws_secret_key: " + secret))
	f.Fuzz(func(t *testing.T, text []byte) {
		text = bytes.ReplaceAll(text, []byte{1}, []byte(id))
		text = bytes.ReplaceAll(text, []byte{2}, []byte(secret))
		for _, m := range (Detector{}).Detect(nil, text) {
			c := m.Credential
			if c.ID != "" && string(text[m.Start:m.End]) != c.ID {
				t.Errorf("%q: the id's span holds %q", text, text[m.Start:m.End])
			}
			if string(text[m.Secret.Start:m.Secret.End]) != c.Secret.Reveal() {
				t.Errorf("%q: the secret's span holds %q", text, text[m.Secret.Start:m.Secret.End])
			}
			if string(text[m.Token.Start:m.Token.End]) != c.Token.Reveal() {
				t.Errorf("%q: the token's span holds %q", text, text[m.Token.Start:m.Token.End])
			}
			if m.Rank >= pairing.MaxCandidates || m.Span.Empty() {
				t.Errorf("%q: match %+v", text, m)
			}
		}
	})
}

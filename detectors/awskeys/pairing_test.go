package awskeys

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys/internal/pairing"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// pairsIn renders the best secret of each id that d finds in text, and the confidence.
func pairsIn(text string) []string {
	var got []string
	for _, m := range (Detector{}).Detect(nil, []byte(detectorstest.Fill(text))) {
		if m.Credential.ID != "" && m.Rank == 0 {
			got = append(got, strings.Join(strings.Fields(m.Credential.ID+" "+m.Credential.Secret.Reveal()+" "+string(m.Confidence)), " "))
		}
	}
	return got
}

// comparePairs compares pairsIn(text) with want, in which there are blanks.
func comparePairs(t *testing.T, text string, want ...string) {
	t.Helper()
	for i := range want {
		want[i] = detectorstest.Fill(want[i])
	}
	if diff := cmp.Diff(want, pairsIn(text)); diff != "" {
		t.Errorf("in\n%s(-want +got)\n%s", text, diff)
	}
}

// layouts are ways in which a file holds names and values.
var layouts = map[string]struct{ before, each, between, after string }{
	"env":         {"", "%s=%s\n", "", ""},
	"blank_lines": {"", "%s=%s\n", "\n", ""},
	"export":      {"", "export %s=\"%s\"\n", "", ""},
	"json":        {"{\n", "  \"%s\": \"%s\"", ",\n", "\n}\n"},
	"json_line":   {"{", `"%s":"%s"`, ",", "}\n"},
	"yaml":        {"app:\n", "  %s: %s\n", "", ""},
	"yaml_list":   {"env:\n", "- name: %s\n  value: %s\n", "", ""},
	"ini":         {"[default]\n", "%s = %s\n", "", ""},
	"hcl":         {"x {\n", "  %s = \"%s\"\n", "", "}\n"},
	"xml":         {"<x>\n", "  <name>%s</name>\n  <value>%s</value>\n", "", "</x>\n"},
	"python":      {"", "os.environ[\"%s\"] = \"%s\"\n", "", ""},
	"flags":       {"run", " --%s %s", "", "\n"},
}

// write renders names and values, in turn, as the layout has them.
func write(layout string, fields ...[2]string) string {
	l := layouts[layout]
	var rendered []string
	for _, f := range fields {
		rendered = append(rendered, fmt.Sprintf(l.each, f[0], f[1]))
	}
	return l.before + strings.Join(rendered, l.between) + l.after
}

// orders calls yield with each order of fields.
func orders(fields [][2]string, yield func([][2]string)) {
	if len(fields) == 0 {
		yield(nil)
		return
	}
	for i := range fields {
		rest := append(append([][2]string{}, fields[:i]...), fields[i+1:]...)
		orders(rest, func(tail [][2]string) { yield(append([][2]string{fields[i]}, tail...)) })
	}
}

// foreignNames are names of secrets of other services, and such as say nothing.
var foreignNames = []string{
	"JWT_SECRET", "SESSION_SECRET", "API_SECRET", "APP_SECRET", "CLIENT_SECRET", "GITHUB_CLIENT_SECRET", "CSRF_SECRET", "COOKIE_SECRET",
	"SECRET_KEY", "SECRET_KEY_BASE", "STRIPE_SECRET_KEY", "DB_PASSWORD", "ADMIN_PASSWORD", "PASSWORD_SALT", "ENCRYPTION_KEY",
	"GITHUB_TOKEN", "ACCESS_TOKEN_SECRET", "HASH_KEY", "jwtSecret", "sessionSecret", "nextauth_secret", "some_key",
}

// TestOtherSecrets: whatever other secret stands before, between or behind an id and the
// secret that has AWS's name, in whatever order, the pair is theirs.
func TestOtherSecrets(t *testing.T) {
	names := [][2]string{
		{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}, {"awsAccessKeyId", "awsSecretAccessKey"}, {"S3_KEY", "S3_SECRET"},
		{"PROD_AWS_ACCESS_KEY_ID", "PROD_AWS_SECRET_ACCESS_KEY"}, {"access_key_id", "secret_access_key"},
	}
	for layout := range layouts {
		t.Run(layout, func(t *testing.T) {
			for i, foreign := range foreignNames {
				name := names[i%len(names)]
				fields := [][2]string{{name[0], "{AKIA1}"}, {name[1], "{secret1}"}, {foreign, "{secret2}"}, {"AWS_REGION", "eu-west-1"}}
				orders(fields, func(fields [][2]string) {
					comparePairs(t, write(layout, fields...), "{AKIA1} {secret1} high")
				})
			}
		})
	}
}

// TestOtherStores: a secret of another store, which is called as AWS's with a prefix, is
// none of an id whose own secret has the name without.
func TestOtherStores(t *testing.T) {
	for layout := range layouts {
		t.Run(layout, func(t *testing.T) {
			for _, name := range [][2]string{{"accessKeyId", "secretAccessKey"}, {"access_key_id", "secret_access_key"}, {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}} {
				for _, other := range []string{"R2_SECRET_ACCESS_KEY", "wasabi_secret_access_key", "b2SecretAccessKey"} {
					fields := [][2]string{{name[0], "{AKIA1}"}, {name[1], "{secret1}"}, {other, "{secret2}"}, {"region", "eu-west-1"}}
					orders(fields, func(fields [][2]string) {
						comparePairs(t, write(layout, fields...), "{AKIA1} {secret1} high")
					})
				}
			}
		})
	}
}

// TestManyOtherSecrets: nor does their number matter, nor what is nearer.
func TestManyOtherSecrets(t *testing.T) {
	for layout := range layouts {
		t.Run(layout, func(t *testing.T) {
			var before, after [][2]string
			for i, foreign := range foreignNames[:8] {
				before = append(before, [2]string{foreign, detectorstest.SecretKey(uint64(10 + i))})
				after = append(after, [2]string{"OTHER_" + foreign, detectorstest.SecretKey(uint64(20 + i))})
			}
			id, secret := [2]string{"AWS_ACCESS_KEY_ID", "{AKIA1}"}, [2]string{"AWS_SECRET_ACCESS_KEY", "{secret1}"}
			comparePairs(t, write(layout, append(append(before, id), append(after, secret)...)...), "{AKIA1} {secret1} high")
			comparePairs(t, write(layout, append(append(append(before, secret), after...), id)...), "{AKIA1} {secret1} high")
		})
	}
}

// TestGroupsOfPlace: a secret of another object, of another key of YAML or of another
// section is that of something else, whatever it is called.
func TestGroupsOfPlace(t *testing.T) {
	for _, name := range []string{"secret", "secretKey", "password", "jwt", "key"} {
		other := `"other": {"` + name + `": "{secret2}"}`
		for _, text := range []string{
			`{"aws": {"id": "{AKIA1}", "key": "{secret1}"}, ` + other + "}\n",
			`{"aws": {"key": "{secret1}", "id": "{AKIA1}"}, ` + other + "}\n",
			`{` + other + `, "aws": {"key": "{secret1}", "id": "{AKIA1}"}}` + "\n",
			"{" + other + `}` + "\n" + `{"aws": {"id": "{AKIA1}", "key": "{secret1}"}}` + "\n",
			"{\n  \"aws\": {\n    \"id\": \"{AKIA1}\",\n    \"key\": \"{secret1}\"\n  },\n  \"other\": {\n    \"" + name + "\": \"{secret2}\"\n  }\n}\n",
			"aws:\n  id: {AKIA1}\n  key: {secret1}\nother:\n  " + name + ": {secret2}\n",
			"other:\n  " + name + ": {secret2}\naws:\n  key: {secret1}\n  id: {AKIA1}\n",
			"x:\n  other:\n    deep:\n      " + name + ": {secret2}\n  aws:\n    id: {AKIA1}\n    key: {secret1}\n",
			"# x:\n#   other:\n#     " + name + ": {secret2}\n#   aws:\n#     id: {AKIA1}\n#     key: {secret1}\n",
			"[other]\n" + name + " = {secret2}\n[aws]\nid = {AKIA1}\nkey = {secret1}\n",
			"aws {\n  id = \"{AKIA1}\"\n  key = \"{secret1}\"\n}\nother {\n  " + name + " = \"{secret2}\"\n}\n",
		} {
			comparePairs(t, text, "{AKIA1} {secret1} high")
		}
	}
}

// TestGroupsOfPath: the directories of a name are its group, where the name begins its line
// and in records too.
func TestGroupsOfPath(t *testing.T) {
	for _, text := range []string{
		"team1/aws_key={AKIA1}\nteam2/aws_secret={secret2}\nteam2/aws_key={AKIA2}\nteam1/aws_secret={secret1}\n",
		`[{"Name":"/a/aws_key","Value":"{AKIA1}"},{"Name":"/b/aws_secret","Value":"{secret2}"},{"Name":"/b/aws_key","Value":"{AKIA2}"},{"Name":"/a/aws_secret","Value":"{secret1}"}]`,
	} {
		comparePairs(t, text, "{AKIA1} {secret1} high", "{AKIA2} {secret2} high")
	}
}

// TestAccountsAndOtherSecrets: several accounts of one text, each with a secret of
// something else.
func TestAccountsAndOtherSecrets(t *testing.T) {
	for layout := range layouts {
		for _, separate := range []string{"", "\n", "[x]\n"} {
			for i, foreign := range []string{"jwt_secret", "session_secret", "client_secret", "SALT"} {
				text, want := "", []string(nil)
				for n := range 3 {
					fields := [][2]string{
						{"aws_access_key_id", fmt.Sprintf("{AKIA%d}", n)}, {"aws_secret_access_key", fmt.Sprintf("{secret%d}", n)},
						{foreign, fmt.Sprintf("{secret%d}", n+4)},
					}
					for range (i + n) % 3 { // another order in each
						fields = append(fields[1:], fields[0])
					}
					text += separate + write(layout, fields...)
					want = append(want, fmt.Sprintf("{AKIA%d} {secret%d} high", n, n))
				}
				comparePairs(t, text, want...)
			}
		}
	}
}

// TestForeignNames: a secret that another service names is not paired. One that may be of
// another service is paired only if no other is and it is close, with less confidence: that
// of the id alone is kept.
func TestForeignNames(t *testing.T) {
	const (
		id    = "AWS_ACCESS_KEY_ID={AKIA1}\n"
		alone = "{AKIA1} high"
		doubt = "{AKIA1} {secret1} medium"
	)
	lines := strings.Repeat("a = b\n", 6)
	for _, tt := range []struct{ name, text, want string }{
		{"close", id + "UPLOADER_SECRET={secret1}\n", doubt},
		{"close_before", "UPLOADER_SECRET={secret1}\n" + id, doubt},
		{"another_service", id + "JWT_SECRET={secret1}\n", alone},
		{"another_service_before", "JWT_SECRET={secret1}\n" + id, alone},
		{"another_service_without_secret_in_its_name", id + "SALT={secret1}\n", alone},
		{"some_lines", id + lines + "JWT_SECRET={secret1}\n", alone},
		{"another_stanza", id + "\nJWT_SECRET={secret1}\n", alone},
		{"another_object", `{"a":{"id":"{AKIA1}"},"b":{"jwt_secret":"{secret1}"}}`, alone},
		{"oauth_client", id + "CLIENT_SECRET={secret1}\n", alone},
		{"oauth_client_at_aws", id + "AWS_CLIENT_SECRET={secret1}\n", alone},
		{"cognito", id + "cognitoAppClientSecret={secret1}\n", alone},
		{"id_of_a_client", "client_id: {AKIA1}\nclient_secret: {secret1}\n", "{AKIA1} {secret1} high"},
		{"client_of_s3", "s3_access_key: {AKIA1}\nclient_s3_secret: {secret1}\n", "{AKIA1} {secret1} high"},
		{"rails", id + "SECRET_KEY_BASE={secret1}\n", alone},
		{"hash", id + "GITHUB_CLIENT_SECRET=" + detectorstest.Hex(40, 1) + "\n", alone},
		{"something_else_is", id + "JWT_SECRET={secret2}\nPASSWORD={secret1}\n", "{AKIA1} {secret1} high"},
		{"its_group", "JWT_KEY_ID={AKIA1}\nJWT_SECRET={secret1}\n", "{AKIA1} {secret1} high"},
		{"aws_by_a_longer_name", id + "AWS_SIGNING_SECRET={secret1}\n", doubt},
		{"aws_by_its_service", id + "SES_SECRET={secret1}\n", "{AKIA1} {secret1} high"},
		{"number", "id={AKIA1}\nsecret_2={secret1}\n", "{AKIA1} {secret1} high"},
		{"no_word", "id={AKIA1}\nmy_secret={secret1}\n", "{AKIA1} {secret1} high"},
		{"another_language", "アクセスキー: {AKIA1}\nシークレットキー: {secret1}\n", "{AKIA1} {secret1} high"},
		{"one_letter", "k = {AKIA1}\ns = {secret1}\n", "{AKIA1} {secret1} high"},
		{"token", "user: {AKIA1}\ntoken: {secret1}\n", doubt},
		{"token_in_its_group", "auth_id = \"{AKIA1}\"\n\nauth_token = \"{secret1}\"\n", "{AKIA1} {secret1} high"},
		{"token_of_something_else", id + "GITHUB_TOKEN={secret1}\n", alone},
		{"token_far", id + lines + "token={secret1}\n", alone},
		{"signature", id + "signature={secret1}\n", alone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			comparePairs(t, tt.text, tt.want)
			for _, m := range (Detector{}).Detect(nil, []byte(detectorstest.Fill(tt.text))) {
				if doubted := tt.want == doubt; m.Credential.ID != "" && m.Rank == 0 && (m.IDConfidence == detectors.High) != doubted {
					t.Errorf("confidence of the id %q", m.IDConfidence)
				}
			}
		})
	}
}

// TestDistance: whatever a secret is called, it is none of an id that is far from it,
// unless both are of a group that no other id has. An id in a signed request looks no
// further than its line.
func TestDistance(t *testing.T) {
	const pair, alone = "{AKIA1} {secret1} high", "{AKIA1} high"
	far := func(n int) string { return strings.Repeat("INFO ok\n", n) }
	scope := "/20260102/us-east-1/s3/aws4_request"
	for _, tt := range []struct{ name, text, want string }{
		{"aws", "AWS_ACCESS_KEY_ID={AKIA1}\n" + far(pairing.MaxLines-2) + "AWS_SECRET_ACCESS_KEY={secret1}\n", pair},
		{"aws_too_far", "AWS_ACCESS_KEY_ID={AKIA1}\n" + far(pairing.MaxLines+1) + "AWS_SECRET_ACCESS_KEY={secret1}\n", alone},
		{"aws_before_and_too_far", "AWS_SECRET_ACCESS_KEY={secret1}\n" + far(pairing.MaxLines+1) + "AWS_ACCESS_KEY_ID={AKIA1}\n", alone},
		{"on_a_long_line", "AWS_ACCESS_KEY_ID={AKIA1} " + strings.Repeat("x ", 30_000) + "AWS_SECRET_ACCESS_KEY={secret1}\n", alone},
		{"anybodys", "{AKIA1}\n" + far(60_000) + "session_secret = \"{secret1}\"\n", alone},
		{"group", "PROD_KEY_ID={AKIA1}\n" + far(5000) + "PROD_SECRET={secret1}\n", pair},
		{"group_on_a_long_line", `{"prod_id":"{AKIA1}","x":"` + strings.Repeat("x ", 30_000) + `","prod_secret":"{secret1}"}`, pair},
		{"other_group", "PROD_KEY_ID={AKIA1}\n" + far(5000) + "DEV_SECRET={secret1}\n", alone},

		{"presigned", "https://b/k?X-Amz-Credential={AKIA1}%2F20260102%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=x\nAWS_SECRET_ACCESS_KEY={secret1}\n", alone},
		{"presigned_twice_escaped", "https://b/k?u=X-Amz-Credential%3D{AKIA1}%252F20260102%252Fus-east-1\nAWS_SECRET_ACCESS_KEY={secret1}\n", alone},
		{"presigned_without_a_scope", "https://b/k?X-Amz-Credential={AKIA1}\nAWS_SECRET_ACCESS_KEY={secret1}\n", alone},
		{"presigned_v2", "https://b/k?AWSAccessKeyId={AKIA1}&Expires=1&Signature=x\nAWS_SECRET_ACCESS_KEY={secret1}\n", alone},
		{"signed", "Authorization: AWS4-HMAC-SHA256 Credential={AKIA1}" + scope + "\nAWS_SECRET_ACCESS_KEY={secret1}\n", alone},
		{"form", `{"x-amz-credential": "{AKIA1}` + scope + "\"}\nAWS_SECRET_ACCESS_KEY={secret1}\n", alone},
		{"signed_and_the_secret_on_its_line", "Credential={AKIA1}" + scope + " AWS_SECRET_ACCESS_KEY={secret1}\n", pair},
		{"called_as_in_a_url", "AWSAccessKeyId={AKIA1}\nAWSSecretKey={secret1}\n", pair}, // rootkey.csv
		{"path", "/{AKIA1}/20260\nAWS_SECRET_ACCESS_KEY={secret1}\n", pair},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, want := strings.Join(pairsIn(tt.text), "\n"), detectorstest.Fill(tt.want); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
	// A group of several ids does not say which of them: place does.
	const ids = "s3_key={AKIA1}\ns3_secret={secret1}\n"
	comparePairs(t, ids+far(200)+"s3_key={AKIA2}\n"+far(200)+"s3_secret={secret2}\n", "{AKIA1} {secret1} high", "{AKIA2} high")
}

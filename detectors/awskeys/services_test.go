package awskeys_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// TestServices runs the whole Set, since the views of a text must not find the parts
// of a token once more.
func TestServices(t *testing.T) {
	signed := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	bedrock := detectorstest.BedrockKey("BedrockAPIKey-x1y2", detectorstest.Account, 1)
	session := detectorstest.BedrockSession(signed, 12*time.Hour, 1)
	url := detectorstest.Presigned("https://b.s3.eu-west-1.amazonaws.com/k?x=y", "s3", signed, time.Hour, 1)
	signature := detectorstest.Hex(64, 1)
	smtp, pass := detectorstest.SMTPPassword(1), detectorstest.ServicePassword(1)
	oldSMTP := "Ah" + smtp[2:]
	ecr, eks, sso := detectorstest.ECRToken(signed, 1), detectorstest.EKSToken(signed, 1), detectorstest.SSOToken(1)
	auth := base64.StdEncoding.EncodeToString([]byte("AWS:" + ecr))
	appsync, mws, pem := detectorstest.AppSyncKey(1), detectorstest.MWSToken(1), detectorstest.PrivateKey(1)
	id, asia := detectorstest.KeyID("AKIA", detectorstest.Account, 1), detectorstest.KeyID("ASIA", detectorstest.Account, 1)
	escaped := strings.NewReplacer("/", "%2F", "+", "%2B", "=", "%3D").Replace(pass)
	v2 := "https://b.s3.amazonaws.com/k?AWSAccessKeyId=" + id + "&Expires=1772370000&Signature=" + "q3Zb8TtWfYx7mQp0Lk5Jh2Gd9Sa%3D"
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	random := detectorstest.SecretKey(7) + detectorstest.SecretKey(8) + detectorstest.SecretKey(9)
	for _, tt := range []struct {
		name, text string
		want       []string // "rule secret fact=value …"
	}{
		{"bedrock", "AWS_BEARER_TOKEN_BEDROCK=" + bedrock + "\n", []string{"aws-bedrock-api-key " + bedrock + " iam-user=BedrockAPIKey-x1y2"}},
		{"bedrock_of_another_user", `"` + detectorstest.BedrockKey("alice", detectorstest.Account, 2) + `"`,
			[]string{"aws-bedrock-api-key " + detectorstest.BedrockKey("alice", detectorstest.Account, 2) + " iam-user=alice"}},
		{"bedrock_unreadable", "k: ABSK" + random, []string{"aws-bedrock-api-key ABSK" + random}},
		{"bedrock_in_base64", "data: " + b64("x"+bedrock+"\n"), nil},
		{"bedrock_config_in_base64", "data: " + b64("key: "+bedrock+"\n"), []string{"aws-bedrock-api-key " + bedrock + " iam-user=BedrockAPIKey-x1y2"}},
		{"bedrock_short", "ABSK" + random[:90], nil},
		{"bedrock_words", "ABSK" + strings.Repeat("abcdefgh", 14), nil},
		{"bedrock_amid_base64", "src=" + random[:30] + "/ABSK" + random, nil},
		{"bedrock_session", "Authorization: Bearer " + session + "\n",
			[]string{"aws-bedrock-session-key " + session + " signed-with=" + asia + " service=bedrock region=eu-west-1 expires=2026-03-02T00:00:00Z"}},
		{"bedrock_prefix_alone", "starts with bedrock-api-key-YmVkcm9jay5h", nil},
		{"smtp_console", "IAM User Name,Smtp Username,Smtp Password\r\nses," + id + "," + smtp + "\r\n",
			[]string{"aws-access-key -", "aws-ses-smtp-password " + smtp + " smtp-user=" + id}},
		{"smtp_old", "user: " + id + "\npass: " + oldSMTP, []string{"aws-access-key -", "aws-ses-smtp-password " + oldSMTP + " smtp-user=" + id}},
		{"smtp_named", "SMTP_HOST=email-smtp.us-east-1.amazonaws.com\nSMTP_PASSWORD=" + smtp + "\n",
			[]string{"aws-ses-smtp-password " + smtp + " region=us-east-1"}},
		{"smtp_unnamed", "digest: " + smtp, nil},
		{"smtp_far_from_its_user", id + strings.Repeat("\n", 9) + smtp, []string{"aws-access-key -"}},
		{"smtp_hash", "smtp: C" + smtp[1:], nil},
		{"codecommit_csv", "User Name,Password\nalice-at-123456789012," + pass, []string{"aws-service-password " + pass + " iam-user=alice"}},
		{"codecommit_url", "https://alice-at-123456789012:" + escaped + "@git-codecommit.eu-west-1.amazonaws.com/v1/repos/x",
			[]string{"aws-service-password " + pass + " iam-user=alice"}},
		{"codecommit_json", `{"ServiceUserName": "a+b.c-at-123456789012", "ServicePassword": "` + pass + `"}`,
			[]string{"aws-service-password " + pass + " iam-user=a+b.c"}},
		{"keyspaces", "user=bob-at-123456789012\npassword=" + pass + "\n", []string{"aws-service-password " + pass + " iam-user=bob"}},
		{"no_account", "bob-at-12345678901 " + pass, nil},
		{"module_sum", "github.com/x/look-at-123456789012abc v1.0.0 h1:" + pass, nil},
		{"presigned", "curl '" + url + "'", []string{"aws-session-key -",
			"aws-presigned-url " + signature + " signed-with=" + asia + " service=s3 region=eu-west-1 expires=2026-03-01T13:00:00Z"}},
		{"presigned_for_html", `<a href="` + strings.ReplaceAll(url, "&", "&amp;") + `">`, []string{"aws-session-key -",
			"aws-presigned-url " + signature + " signed-with=" + asia + " service=s3 region=eu-west-1 expires=2026-03-01T13:00:00Z"}},
		{"presigned_v2", v2, []string{"aws-access-key -", "aws-presigned-url q3Zb8TtWfYx7mQp0Lk5Jh2Gd9Sa= signed-with=" + id + " expires=2026-03-01T13:00:00Z"}},
		{"presigned_of_the_documentation", strings.Replace(url, asia, "ASIAIOSFODNN7"+"EXAMPLE", 1), []string{"aws-session-key -"}},
		{"presigned_without_date", strings.Replace(url, "X-Amz-Date", "X-Amz-Day", 1), []string{"aws-session-key -"}},
		{"ecr", "docker login -u AWS -p " + ecr + " https://123456789012.dkr.ecr.eu-west-1.amazonaws.com",
			[]string{"aws-ecr-token " + ecr + " region=eu-west-1 expires=2026-03-01T12:00:00Z"}},
		{"ecr_config", `{"auths":{"123456789012.dkr.ecr.eu-west-1.amazonaws.com":{"auth":"` + auth + `"}}}`,
			[]string{"aws-ecr-token " + auth + " region=eu-west-1 expires=2026-03-01T12:00:00Z"}},
		{"signed_json", b64(`{"payload":"eyJ4IjoxfQ","signatures":[{"header":{}}],"expiration":1700000000}`), nil},
		{"eks", "token: " + eks + "\n", []string{"aws-eks-token " + eks + " signed-with=" + asia + " service=sts region=eu-west-1 expires=2026-03-01T12:15:00Z"}},
		{"sso", `{"startUrl": "https://d-123.awsapps.com/start", "region": "eu-west-1", "accessToken": "` + sso + `", "expiresAt": "2026-03-01T20:00:00Z"}`,
			[]string{"aws-sso-token " + sso + " start-url=https://d-123.awsapps.com/start expires=2026-03-01T20:00:00Z"}},
		{"sso_amid_base64", random + sso, nil},
		{"appsync", "url: https://" + strings.Repeat("ab", 13) + ".appsync-api.eu-west-1.amazonaws.com/graphql\nkey: " + appsync,
			[]string{"aws-appsync-key " + appsync + " endpoint=https://" + strings.Repeat("ab", 13) + ".appsync-api.eu-west-1.amazonaws.com"}},
		{"appsync_amplify", `"aws_appsync_apiKey": "` + appsync + `"`, []string{"aws-appsync-key " + appsync}},
		{"appsync_without_context", "x: " + appsync, nil},
		{"appsync_placeholder", "appsync-api da2-" + strings.Repeat("x", 26), nil},
		{"mws", "MWSAuthToken=" + mws + "&x", []string{"aws-mws-token " + mws}},
		{"mws_longer", mws + "-1", nil},
		{"cloudfront", "Key-Pair-Id: APKA" + id[4:] + "\n" + pem + "\n", []string{"aws-cloudfront-key " + pem + " key-pair=APKA" + id[4:]}},
		{"private_key_of_others", pem, nil},
		{"ids_of_iam", "AIDA" + id[4:] + " AROA" + id[4:] + " AGPA" + id[4:] + " ANPA" + id[4:] + " ASCA" + id[4:], nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, m := range detectors.NewSet(awskeys.Detector{}).Detect(nil, []byte(tt.text)) {
				got = append(got, describe(m))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("in %q (-want +got):\n%s", tt.text, diff)
			}
		})
	}
}

func describe(m detectors.Match) string {
	secret := m.Credential.Secret.Reveal()
	if secret == "" {
		secret = "-"
	}
	line := m.Rule.ID + " " + secret
	for _, f := range m.Facts {
		line += fmt.Sprintf(" %s=%s", f.Name, f.Value)
	}
	if !m.Expires.IsZero() {
		line += " expires=" + m.Expires.Format(time.RFC3339)
	}
	if m.Credential.ID == "" && m.Unverifiable == "" {
		line += " would be sent"
	}
	return line
}

// TestStores: what stands beside a key says whether it is AWS's.
func TestStores(t *testing.T) {
	for _, tt := range []struct{ name, text, store string }{
		{"nothing", "aws_access_key_id={AKIA1}\naws_secret_access_key={secret1}", ""},
		{"minio", "endpoint = http://minio:9000\nkey={AKIA1}\nsecret={secret1}", "MinIO"},
		{"after_the_key", "key={AKIA1}\nsecret={secret1}\nendpoint_url: https://fra1.digitaloceanspaces.com", "DigitalOcean Spaces"},
		{"in_a_call", `boto3.client("s3", endpoint_url="http://localhost:4566", aws_access_key_id="{AKIA1}", aws_secret_access_key="{secret1}")`, "localhost"},
		{"s3cfg", "[default]\naccess_key = {AKIA1}\nsecret_key = {secret1}\nhost_base = s3.wasabisys.com\n", "Wasabi"},
		{"rclone", "[r]\ntype = s3\nprovider = Minio\naccess_key_id = {AKIA1}\nsecret_access_key = {secret1}\n", "Minio"},
		{"rclone_aws", "[r]\ntype = s3\nprovider = AWS\naccess_key_id = {AKIA1}\nsecret_access_key = {secret1}\n", ""},
		{"json", `{"endpoint": "https://x.r2.cloudflarestorage.com", "accessKeyId": "{AKIA1}", "secretAccessKey": "{secret1}"}`, "Cloudflare R2"},
		{"argument", "AWS_ACCESS_KEY_ID={AKIA1} AWS_SECRET_ACCESS_KEY={secret1} aws --endpoint-url http://localhost:9000 s3 ls", "localhost"},
		{"argument_with_equals", "AWS_ACCESS_KEY_ID={AKIA1} AWS_SECRET_ACCESS_KEY={secret1} aws --endpoint-url=http://127.0.0.1:9000 s3 ls", "127.0.0.1"},
		{"argument_of_aws", "AWS_ACCESS_KEY_ID={AKIA1} AWS_SECRET_ACCESS_KEY={secret1} aws --endpoint-url https://s3.eu-west-1.amazonaws.com s3 ls", ""},
		{"endpoint_in_prose", "The endpoint minio, key={AKIA1}\nsecret={secret1}", ""},
		{"named_endpoint", "AWS_ENDPOINT_URL_S3=https://t3.storage.dev\nAWS_ACCESS_KEY_ID={AKIA1}\nAWS_SECRET_ACCESS_KEY={secret1}", "t3.storage.dev"},
		{"own_endpoint", "endpoint = https://s3.eu-west-1.amazonaws.com\nkey={AKIA1}\nsecret={secret1}", ""},
		{"own_endpoint_is_nearer", "endpoint = http://minio:9000\nendpoint = https://s3.amazonaws.com\nkey={AKIA1}\nsecret={secret1}", ""},
		{"another_stanza", "endpoint = http://minio:9000\n\nkey={AKIA1}\nsecret={secret1}", ""},
		{"another_section", "[a]\nendpoint = http://minio:9000\n[b]\nkey={AKIA1}\nsecret={secret1}", ""},
		{"no_host", "endpoint = var.endpoint\nkey={AKIA1}\nsecret={secret1}", ""},
		{"endpoint_of_something_else", "SENTRY_ENDPOINT=https://sentry.example\nkey={AKIA1}\nsecret={secret1}", ""},
		{"google_id", "id: GOOG1E{body}\naws_secret_access_key: {secret1}", "Google Cloud Storage"},
		{"spaces_id", "AWS_ACCESS_KEY_ID=DO00{body}\nAWS_SECRET_ACCESS_KEY={secret1}", "DigitalOcean Spaces"},
		{"localstack_id", "AWS_ACCESS_KEY_ID=LKIA{body}\nAWS_SECRET_ACCESS_KEY={secret1}", "LocalStack"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := detectorstest.KeyID("AKIA", detectorstest.Account, 3)[4:]
			text := detectorstest.Fill(strings.ReplaceAll(tt.text, "{body}", body))
			matches := awskeys.Detector{}.Detect(nil, []byte(text))
			if len(matches) != 1 {
				t.Fatalf("%d matches in %q", len(matches), text)
			}
			store := ""
			for _, f := range matches[0].Facts {
				if f.Name == "store" {
					store = f.Value
				}
			}
			if store != tt.store || (matches[0].Unverifiable != "") != (tt.store != "") || matches[0].Lacks() != 0 && tt.store != "" {
				t.Errorf("store %q, unverifiable %q, needs %v; want store %q in %q", store, matches[0].Unverifiable, matches[0].Needs, tt.store, text)
			}
		})
	}
}

// TestOrigin: the form of a file, and the account that ids around a secret name.
func TestOrigin(t *testing.T) {
	const key = "AWSAccessKeyId={AKIA1}\r\nAWSSecretKey={secret1}\r\n"
	aida := "AIDA" + detectorstest.KeyID("AKIA", "210987654321", 3)[4:] + "A"
	for _, tt := range []struct{ name, text, want string }{
		{"rootkey", key, "rootkey.csv: the key is probably of the root user"},
		{"rootkey_in_more", "x\n" + key, ""},
		{"console", "\xef\xbb\xbfAccess key ID,Secret access key\r\n{AKIA1},{secret1}\r\n", "a download of the IAM console"},
		{"console_new_user", "User name,Password,Access key ID,Secret access key,Console login link\nu,,{AKIA1},{secret1},x\n", "a download of the IAM console"},
		{"state", `{"version": 4, "terraform_version": "1.5.0", "resources": [{"type": "aws_iam_access_key", "instances": [{"attributes": {"id": "{AKIA1}", "secret": "{secret1}"}}]}]}`,
			"a Terraform state, of a resource aws_iam_access_key"},
		{"account_by_user_id", "owner " + aida + "\naws_secret_access_key = {secret1}", "account 210987654321"},
		{"account_by_registry", "aws_secret_access_key = {secret1}\n123456789012.dkr.ecr.eu-west-1.amazonaws.com", "account 123456789012"},
		{"two_accounts", "owner " + aida + "\naws_secret_access_key = {secret1}\narn:aws:iam::123456789012:user/x", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			matches := awskeys.Detector{}.Detect(nil, []byte(detectorstest.Fill(tt.text)))
			if len(matches) != 1 {
				t.Fatalf("%d matches", len(matches))
			}
			got := ""
			for _, f := range matches[0].Facts {
				got = f.Value
			}
			if m := matches[0]; m.Credential.ID == "" && m.Account != "" {
				got = "account " + m.Account
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSequences(t *testing.T) {
	for _, s := range []string{
		"a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0", "A1B2C3D4E5F6G7H8", "0123456789ABCDEF", "abcdefghijklmnopqrstuvwxyz0123456789ABCD", strings.Repeat("xY", 20),
	} {
		c := detectors.Credential{Secret: detectors.NewSecret(s)}
		if awskeys.Placeholder(c) == "" {
			t.Errorf("%s is no placeholder", s)
		}
	}
	for seed := range uint64(5000) {
		c := detectors.Credential{ID: detectorstest.KeyID("AKIA", detectorstest.Account, seed), Secret: detectors.NewSecret(detectorstest.SecretKey(seed))}
		if why := awskeys.Placeholder(c); why != "" {
			t.Errorf("key %d is ignored: %s", seed, why)
		}
	}
}

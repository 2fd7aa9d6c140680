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

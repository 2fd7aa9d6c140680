package main

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// The shapes in which keys leak and other scanners miss some of them. Texts have the
// blanks of detectorstest.Fill.
var shapes = []struct {
	name, text        string
	id, secret, token string // what must be found, with the blanks
	encode            func(string) string
	silent            bool
}{
	{name: "env", text: "AWS_ACCESS_KEY_ID={AKIA1}\nAWS_SECRET_ACCESS_KEY={secret1}\n", id: "{AKIA1}", secret: "{secret1}"},
	{name: "terraform_provider", text: "provider \"aws\" {\n  access_key = \"{AKIA1}\"\n  secret_key = \"{secret1}\"\n}\n", id: "{AKIA1}", secret: "{secret1}"},
	{name: "yaml", text: "aws:\n  key: {AKIA1}\n  secret: {secret1}\n", id: "{AKIA1}", secret: "{secret1}"},
	{name: "lone_id_in_prose", text: "We use the key {AKIA1} for uploads.\n", id: "{AKIA1}"},
	{name: "console_csv", text: "Access key ID,Secret access key\n{AKIA1},{secret1}\n", id: "{AKIA1}", secret: "{secret1}"},
	{name: "go_call", text: "credentials.NewStaticCredentials(\"{AKIA1}\", \"{secret1}\", \"\")\n", id: "{AKIA1}", secret: "{secret1}"},
	{name: "java_call", text: "new BasicAWSCredentials(\"{AKIA1}\", \"{secret1}\");\n", id: "{AKIA1}", secret: "{secret1}"},
	{name: "far_apart", text: "id = \"{AKIA1}\"" + strings.Repeat("\nx = 1", 20) + "\nsecret_key = \"{secret1}\"\n", id: "{AKIA1}", secret: "{secret1}"},
	{name: "base64_in_yaml", text: "[default]\naws_access_key_id={AKIA1}\naws_secret_access_key={secret1}\n", id: "{AKIA1}", secret: "{secret1}",
		encode: func(s string) string {
			return "data:\n  credentials: " + base64.StdEncoding.EncodeToString([]byte(s)) + "\n"
		}},
	{name: "url_query", text: "https://x/?AWSAccessKeyId={AKIA1}&SecretKey={secret1}&x", id: "{AKIA1}", secret: "{secret1}", encode: percentSecret},
	{name: "s3n_url", text: "s3n://{AKIA1}:{secret1}@bucket/path\n", id: "{AKIA1}", secret: "{secret1}"},
	{name: "json_in_json", text: `{"env": "{\"AWS_ACCESS_KEY_ID\": \"{AKIA1}\", \"AWS_SECRET_ACCESS_KEY\": \"{secret1}\"}"}`, id: "{AKIA1}", secret: "{secret1}"},
	{name: "jupyter", text: `{"cells": [{"source": ["id = \"{AKIA1}\"\n", "secret = \"{secret1}\"\n"]}]}`, id: "{AKIA1}", secret: "{secret1}"},
	{name: "xml_app_settings", text: "<add key=\"AWSAccessKey\" value=\"{AKIA1}\" />\n<add key=\"AWSSecretKey\" value=\"{secret1}\" />\n", id: "{AKIA1}", secret: "{secret1}"},
	{name: "zip", text: "aws_access_key_id={AKIA1}\naws_secret_access_key={secret1}\n", id: "{AKIA1}", secret: "{secret1}", encode: zipped},
	{name: "utf16le", text: "id={AKIA1}\nsecret={secret1}\n", id: "{AKIA1}", secret: "{secret1}", encode: wide(binary.LittleEndian, false)},
	{name: "utf16le_bom", text: "id={AKIA1}\nsecret={secret1}\n", id: "{AKIA1}", secret: "{secret1}", encode: wide(binary.LittleEndian, true)},
	{name: "utf16be", text: "id={AKIA1}\nsecret={secret1}\n", id: "{AKIA1}", secret: "{secret1}", encode: wide(binary.BigEndian, false)},
	{name: "utf16be_bom", text: "id={AKIA1}\nsecret={secret1}\n", id: "{AKIA1}", secret: "{secret1}", encode: wide(binary.BigEndian, true)},
	{name: "joined_literals", text: "id = '{AKIA1}'\nsecret_key = '{secret1}'\n", id: "{AKIA1}", secret: "{secret1}", encode: joined},
	{name: "glued_to_underscores", text: "KEY_{AKIA1}_X secret_{secret1}_Y\n", id: "{AKIA1}", secret: "{secret1}"},
	{name: "secret_only", text: "AWS_SECRET_ACCESS_KEY={secret1}\n", secret: "{secret1}"},
	{name: "secret_begins_with_slash", text: "id={AKIA1}\nsecret={secret1}\n", id: "{AKIA1}", secret: "/{secret1}",
		encode: func(s string) string {
			return strings.Replace(s, "secret="+detectorstest.SecretKey(1)[:1], "secret=/", 1)
		}},
	{name: "secret_ends_with_slash", text: "id={AKIA1}\nsecret={secret1}\n", id: "{AKIA1}", secret: "{secret1}/",
		encode: func(s string) string { return strings.TrimSuffix(s, detectorstest.SecretKey(1)[39:]+"\n") + "/\n" }},
	{name: "hexadecimal_secret", text: "aws_access_key_id={AKIA1}\naws_secret_access_key={hex}\n", id: "{AKIA1}", secret: "{hex}"},
	{name: "id_with_0189", text: "aws_access_key_id={0189}\naws_secret_access_key={secret1}\n", id: "{0189}", secret: "{secret1}"},
	{name: "session", text: "{\"AccessKeyId\": \"{ASIA1}\", \"SecretAccessKey\": \"{secret1}\", \"SessionToken\": \"{token1}\"}\n", id: "{ASIA1}", secret: "{secret1}", token: "{token1}"},
	{name: "documentation", text: "aws_access_key_id={doc}\naws_secret_access_key={docsecret}\n", silent: true},
}

// TestShapes: stanch finds each shape, with the pair, and is silent on the pair of
// AWS's documentation.
func TestShapes(t *testing.T) {
	for _, tt := range shapes {
		t.Run(tt.name, func(t *testing.T) {
			text := fillAll(tt.text)
			if tt.encode != nil {
				text = tt.encode(text)
			}
			file := filepath.Join(t.TempDir(), "leak.zip") // any name will do
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			report := filepath.Join(t.TempDir(), "report.jsonl")
			err := run(t.Context(), []string{"dir", file, "-f", "json", "--show-secrets", "-o", report}, nil, &bytes.Buffer{}, &bytes.Buffer{})
			if tt.silent {
				if err != nil {
					t.Errorf("not silent: %v", err)
				}
				return
			}
			if !errors.Is(err, cli.ErrLeaks) {
				t.Fatalf("error %v for %q", err, text)
			}
			stream, err := os.ReadFile(report)
			if err != nil {
				t.Fatal(err)
			}
			found := readFindings(t, stream)
			secret := fillAll(tt.secret)
			switch tt.name { // the blank and a character more: one of them made room
			case "secret_begins_with_slash":
				secret = "/" + secret[2:]
			case "secret_ends_with_slash":
				secret = secret[:39] + "/"
			}
			f, ok := found[fillAll(tt.id)]
			if !ok || len(found) != 1 || f.Match.Credential.Secret.Reveal() != secret || f.Match.Credential.Token.Reveal() != fillAll(tt.token) {
				t.Errorf("found %v %+v in %q", ok, found, text)
			}
		})
	}
}

// fillAll is detectorstest.Fill with the ids of documentation and of fixtures.
func fillAll(text string) string {
	odd := detectorstest.KeyID("AKIA", detectorstest.Account, 5)
	return detectorstest.Fill(strings.NewReplacer(
		"{hex}", detectorstest.Hex(40, 1), "{0189}", odd[:6]+"0189"+odd[10:], "{doc}", "AKIAIOSFODNN7"+"EXAMPLE", "{docsecret}", "wJalrXUtnFEMI/K7MDENG"+"/bPxRfiCYEXAMPLEKEY").Replace(text))
}

// percentSecret escapes the secret of a URL.
func percentSecret(s string) string {
	secret := detectorstest.SecretKey(1)
	return strings.Replace(s, secret, strings.NewReplacer("/", "%2F", "+", "%2B").Replace(secret), 1)
}

// joined cuts the literals of s in two.
func joined(s string) string {
	for _, value := range []string{detectorstest.KeyID("AKIA", detectorstest.Account, 1), detectorstest.SecretKey(1)} {
		s = strings.Replace(s, value, value[:4]+"' + '"+value[4:], 1)
	}
	return s
}

func zipped(s string) string {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("aws.env")
	if err == nil {
		_, err = w.Write([]byte(s))
	}
	if err = errors.Join(err, z.Close()); err != nil {
		panic(err)
	}
	return b.String()
}

// wide encodes as UTF-16.
func wide(order binary.AppendByteOrder, mark bool) func(string) string {
	return func(s string) string {
		var b []byte
		if mark {
			b = order.AppendUint16(b, 0xfeff)
		}
		for _, u := range utf16.Encode([]rune(s)) {
			b = order.AppendUint16(b, u)
		}
		return string(b)
	}
}

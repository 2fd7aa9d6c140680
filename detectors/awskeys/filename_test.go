package awskeys_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/awskeys"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
)

// TestFileName has a row for each kind of name that a file may give to its value.
func TestFileName(t *testing.T) {
	const other, nothing, secret, aws = detectors.NamesOther, detectors.NamesNothing, detectors.NamesSecret, detectors.NamesProvider
	m := wholeMatch(t, "{secret1}\n")
	if !m.NeedsID {
		t.Error("a secret without a name is reported alone")
	}
	for _, tt := range []struct {
		path string
		want detectors.FileName
	}{
		{"run/secrets/aws_secret_access_key", detectors.FileName{Says: aws, Dir: "run/secrets"}},
		{"AWS_SECRET_ACCESS_KEY", detectors.FileName{Says: aws}},
		{"s/PROD_AWS_SECRET_KEY.txt", detectors.FileName{Says: aws, Group: "prod", Dir: "s"}},
		{"s/aws-secret-access-key.b64", detectors.FileName{Says: aws, Dir: "s"}},
		{"s/aws-secret-access-key/value", detectors.FileName{Says: aws, Dir: "s"}},
		{"a.zip!s/aws.secretAccessKey", detectors.FileName{Says: aws, Dir: "a.zip!s"}},
		{"a.zip!aws_secret_key", detectors.FileName{Says: aws, Dir: "a.zip"}},
		{"env/aws/secret_key", detectors.FileName{Says: aws, Dir: "env/aws"}},
		{"env/aws/jwt_secret", detectors.FileName{Says: secret, Group: "jwt", Dir: "env/aws"}},
		{"s/secret_key", detectors.FileName{Says: secret, Dir: "s"}},
		{"s/jwt_secret", detectors.FileName{Says: secret, Group: "jwt", Dir: "s"}},
		{"s/password", detectors.FileName{Says: secret, Dir: "s"}},
		{"s/token", detectors.FileName{Says: nothing, Dir: "s"}},
		{"s/notes", detectors.FileName{Says: nothing, Dir: "s"}},
		{"value", detectors.FileName{Says: nothing}},
		{"s/value/value", detectors.FileName{Says: nothing}},
		{"s/aws_secret_access_key.sha1", detectors.FileName{Says: other, Dir: "s"}},
		{"s/etag", detectors.FileName{Says: other, Dir: "s"}},
		{"", detectors.FileName{Says: other}},
		{"s/" + strings.Repeat("aws_secret_access_key_", 50_000), detectors.FileName{Says: aws, Dir: "s"}},
	} {
		got := m.NameAt(tt.path)
		if len(tt.path) > 1000 {
			got.Group = "" // cut
		}
		if got != tt.want {
			t.Errorf("%.80q: %+v, want %+v", tt.path, got, tt.want)
		}
	}
	id := wholeMatch(t, " {AKIA1}\r\n")
	for path, want := range map[string]detectors.FileName{
		"s/DEV_AWS_ACCESS_KEY_ID": {Group: "dev", Dir: "s"}, "s/aws_access_key_id/value": {Dir: "s"}, "s/notes": {Dir: "s"}, "": {},
	} {
		if got := id.NameAt(path); got != want {
			t.Errorf("%q: %+v, want %+v", path, got, want)
		}
	}
}

// wholeMatch returns the only match of text, which is one value.
func wholeMatch(t *testing.T, text string) detectors.Match {
	t.Helper()
	found := detectors.NewSet(awskeys.Detector{}).Detect(nil, []byte(detectorstest.Fill(text)))
	if len(found) != 1 || found[0].NameAt == nil {
		t.Fatalf("%q: %d matches", text, len(found))
	}
	return found[0]
}

// TestWholeSecret: a file that holds a secret and nothing else, in the forms in which it is
// written, and texts that hold more.
func TestWholeSecret(t *testing.T) {
	set := detectors.NewSet(awskeys.Detector{})
	secret := detectorstest.Fill("{secret1}")
	b64 := base64.StdEncoding.EncodeToString
	for text, want := range map[string]bool{
		secret: true, secret + "\n": true, "\ufeff" + secret + "\r\n": true, "\n\t" + secret + "  ": true, secret + "\x00": true,
		b64([]byte(secret)): true, b64([]byte(secret+"\n")) + "\n": true, base64.RawURLEncoding.EncodeToString([]byte(secret)): true,
		"\xff\xfe" + wide(secret+"\r\n"): true, wide(secret): true,
		"x " + secret: false, secret + "=": false, secret + "\n" + secret: false, secret[:39]: false, secret + strings.Repeat("\n", 200): false,
		strings.Repeat("a", 40): false, strings.Repeat("0123456789abcdef", 3)[:40]: false, b64([]byte("x: " + secret)): false,
	} {
		got := false
		for _, m := range set.Detect(nil, []byte(text)) {
			got = got || m.NameAt != nil && m.Credential.Secret.Reveal() == secret
		}
		if got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

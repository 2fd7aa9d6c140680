package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/scannertest"
	"github.com/stanch-dev/stanch/verifier"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestMoto goes the whole way against moto, an independent emulator of AWS: keys
// are created at its IAM, committed, found, and proved at its STS.
//
// Moto's authentication is switched on: without, it says yes to every key. Its
// STS does not know that a key was deactivated; what is deleted it knows.
func TestMoto(t *testing.T) {
	aws := startMoto(t)
	aws.call("CreateUser", "UserName", "alice")
	live := aws.createKey("alice")
	deleted := aws.createKey("alice")
	aws.call("DeleteAccessKey", "UserName", "alice", "AccessKeyId", deleted.ID)
	aws.call("CreateUser", "UserName", "bob")
	mismatch := aws.createKey("bob")
	aws.authenticate()
	sts := httptest.NewServer(verifiertest.MotoProxy(aws.url))
	t.Cleanup(sts.Close)

	repo := scannertest.Repo(t, fmt.Sprintf(`
commit leak
git rm -q live.env
commit remove
-- live.env --
AWS_ACCESS_KEY_ID=%s
AWS_SECRET_ACCESS_KEY=%s
-- deleted.json --
{"accessKeyId": %q, "secretAccessKey": %q}
-- mismatch.py --
boto3.client("s3", aws_access_key_id=%q, aws_secret_access_key=%q)
`, live.ID, live.Secret, deleted.ID, deleted.Secret, mismatch.ID, live.Secret[20:]+mismatch.Secret[:20]))
	var stdout, stderr bytes.Buffer
	err := run(t.Context(), []string{"git", repo, "-f", "json", "--sts-endpoint", sts.URL}, nil, &stdout, &stderr)
	if !errors.Is(err, cli.ErrLeaks) || !strings.Contains(stderr.String(), "3 (GetCallerIdentity)") {
		t.Errorf("error %v, stderr %s", err, stderr.String())
	}
	got := readFindings(t, stdout.Bytes())
	for _, tt := range []struct {
		id      string
		state   verifier.State
		account string
		arn     string
	}{
		{live.ID, verifier.Live, "123456789012", "arn:aws:iam::123456789012:user/alice"},
		{mismatch.ID, verifier.IDActive, "123456789012", ""},
		{deleted.ID, verifier.Invalid, "123456789012", ""},
	} {
		f := got[tt.id]
		if f.Verdict.State != tt.state || f.Verdict.Identity.Account != tt.account || f.Verdict.Identity.ARN != tt.arn {
			t.Errorf("state %s (%s), account %s, %s; want %s, %s, %s", f.Verdict.State, f.Verdict.Reason, f.Verdict.Identity.Account, f.Verdict.Identity.ARN, tt.state, tt.account, tt.arn)
		}
	}
	t.Logf("moto: %d findings, as created", len(got))
}

// readFindings returns the findings of a JSON report by key id.
func readFindings(t *testing.T, stream []byte) map[string]finding.Finding {
	t.Helper()
	found := map[string]finding.Finding{}
	for line := range bytes.Lines(stream) {
		if !bytes.Contains(line, []byte(`"type":"finding"`)) {
			continue
		}
		var f finding.Finding
		if err := json.Unmarshal(line, &f); err != nil {
			t.Fatal(err)
		}
		found[f.Match.Credential.ID] = f
	}
	return found
}

// moto is a running moto_server.
type moto struct {
	t   *testing.T
	url *url.URL
}

// startMoto runs $MOTO_SERVER, or moto_server of the PATH, until the test ends.
func startMoto(t *testing.T) *moto {
	t.Helper()
	program := os.Getenv("MOTO_SERVER")
	if program == "" {
		program = "moto_server"
	}
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%v: CI has to install moto", err)
		}
		t.Skipf("%v: pip install 'moto[server]' to run this test", err)
	}
	port := freePort(t)
	cmd := exec.Command(program, "-H", "127.0.0.1", "-p", port)
	cmd.Env = append(os.Environ(), "MOTO_IAM_LOAD_MANAGED_POLICIES=true")
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	m := &moto{t, &url.URL{Scheme: "http", Host: "127.0.0.1:" + port}}
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if r, err := http.Get(m.url.String() + "/moto-api/data.json"); err == nil {
			_ = r.Body.Close()
			return m
		}
	}
	t.Fatalf("moto does not answer:\n%s", log.String())
	return nil
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// call makes a call of the IAM query API, which moto does not ask to be signed
// before authenticate.
func (m *moto) call(action string, params ...string) []byte {
	m.t.Helper()
	return m.callAs("none", "iam", "2010-05-08", action, params...)
}

// callAs makes a call of a query API. Moto tells accounts apart by the key id and
// services by the scope of the signature, valid or not.
func (m *moto) callAs(id, service, version, action string, params ...string) []byte {
	m.t.Helper()
	form := url.Values{"Action": {action}, "Version": {version}}
	for i := 0; i < len(params); i += 2 {
		form.Set(params[i], params[i+1])
	}
	r, err := http.NewRequest(http.MethodPost, m.url.String(), strings.NewReader(form.Encode()))
	if err != nil {
		m.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+id+"/20260101/us-east-1/"+service+"/aws4_request, SignedHeaders=host, Signature=none")
	return m.send(r)
}

// organization calls AWS Organizations.
func (m *moto) organization(action, body string) []byte {
	m.t.Helper()
	r, err := http.NewRequest(http.MethodPost, m.url.String(), strings.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AWSOrganizationsV20161128."+action)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=none/20260101/us-east-1/organizations/aws4_request, SignedHeaders=host, Signature=none")
	return m.send(r)
}

func (m *moto) send(r *http.Request) []byte {
	m.t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		m.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		m.t.Fatalf("moto: %s %v", resp.Status, err)
	}
	return body
}

// accessKey is a key that moto made.
type accessKey struct {
	ID     string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId"`
	Secret string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey"`
}

func (m *moto) createKey(user string) (k accessKey) {
	m.t.Helper()
	if err := xml.Unmarshal(m.call("CreateAccessKey", "UserName", user), &k); err != nil || k.ID == "" {
		m.t.Fatalf("creating a key: %v", err)
	}
	return k
}

// authenticate makes moto check signatures from now on.
func (m *moto) authenticate() {
	m.t.Helper()
	r, err := http.NewRequest(http.MethodPost, m.url.String()+"/moto-api/reset-auth", strings.NewReader("0"))
	if err != nil {
		m.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "text/plain")
	m.send(r)
}

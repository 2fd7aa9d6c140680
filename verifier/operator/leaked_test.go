package operator

import (
	"crypto/tls"
	"crypto/x509"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/verifier/internal/proxy"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// TestLeakedProxy: a leaked key goes through the proxy that is named for it, to AWS's hosts.
func TestLeakedProxy(t *testing.T) {
	aws := verifiertest.NewAWS(t)
	var key detectors.Credential
	aws.Change("111122223333", func(a *verifiertest.Account) { key = a.User("dora", 2).Keys[0].Credential })
	server, certificate := verifiertest.NewTLS(t, aws, "sts.us-east-1.amazonaws.com", "iam.amazonaws.com")
	p := &verifiertest.Proxy{To: server.Listener.Addr().String(), User: "olga:hunter2"}
	way := httptest.NewServer(p)
	t.Cleanup(way.Close)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	for user, want := range map[string]string{"olga:hunter2": "", "olga:hunter3": "HTTP 407"} {
		cfg := Config{LeakedProxy: detectors.NewSecret(strings.Replace(way.URL, "://", "://"+user+"@", 1)), Wait: 1}
		s, err := Leaked(cfg, key, "arn:aws:iam::111122223333:user/dora")
		if err != nil {
			t.Fatal(err)
		}
		s.op.http.Transport.(proxy.Tunnel).TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
		_, err = s.whoAmI(t.Context())
		if want == "" {
			off := Call{Service: "iam", Action: "UpdateAccessKey", Params: map[string]string{"AccessKeyId": key.ID, "Status": "Inactive"}}
			if err == nil {
				err = s.Do(t.Context(), off, nil)
			}
			if err != nil {
				t.Error(err)
			}
		} else if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if hosts := p.Hosts(); !slices.Contains(hosts, "sts.us-east-1.amazonaws.com:443") || !slices.Contains(hosts, "iam.amazonaws.com:443") {
		t.Errorf("the proxy was asked for %q", hosts)
	}
	if _, err := Leaked(Config{LeakedProxy: detectors.NewSecret("socks5://x:hunter2@y")}, key, ""); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
}

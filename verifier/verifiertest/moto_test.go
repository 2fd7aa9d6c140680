package verifiertest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

func TestMotoProxy(t *testing.T) {
	const moto = "<ErrorResponse><Errors><Error><Code>InvalidClientTokenId</Code></Error></Errors></ErrorResponse>"
	for _, tt := range []struct {
		status int
		want   string
	}{
		{http.StatusForbidden, "<ErrorResponse><Error><Code>InvalidClientTokenId</Code></Error></ErrorResponse>"},
		{http.StatusOK, moto},
	} {
		var host string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			host = r.Host
			w.WriteHeader(tt.status)
			_, _ = io.WriteString(w, moto)
		}))
		defer server.Close()
		target, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		proxy := httptest.NewServer(MotoProxy(target))
		defer proxy.Close()
		resp, err := http.Get(proxy.URL)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || string(body) != tt.want || resp.ContentLength != int64(len(tt.want)) || resp.StatusCode != tt.status {
			t.Errorf("status %d: got %d, %d bytes announced, %q, %v", tt.status, resp.StatusCode, resp.ContentLength, body, err)
		}
		if "http://"+host != proxy.URL {
			t.Errorf("the signed host %s became %s", proxy.URL, host)
		}
	}
}

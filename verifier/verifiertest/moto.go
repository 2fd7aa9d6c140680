package verifiertest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
)

// MotoProxy returns a proxy to the moto server at target whose errors the AWS
// SDK for Go understands: moto wraps them in <Errors>, AWS does not, and the
// SDK then finds no error code. Requests keep their Host, which is signed.
func MotoProxy(target *url.URL) http.Handler {
	unwrap := strings.NewReplacer("<Errors>", "", "</Errors>", "")
	return &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(target)
			p.Out.Host = p.In.Host
		},
		ModifyResponse: func(r *http.Response) error {
			if r.StatusCode < http.StatusBadRequest {
				return nil
			}
			b, err := io.ReadAll(r.Body)
			if err != nil {
				return err
			}
			_ = r.Body.Close()
			b = []byte(unwrap.Replace(string(b)))
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
			r.Header.Set("Content-Length", strconv.Itoa(len(b)))
			return nil
		},
	}
}

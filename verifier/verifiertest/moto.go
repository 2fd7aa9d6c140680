package verifiertest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// MotoProxy returns a proxy to the moto server at target whose errors the AWS
// SDK for Go understands: moto wraps them in <Errors>, AWS does not, and the
// SDK then finds no error code. Requests keep their Host, which is signed.
//
// It answers two calls that moto lacks: nothing is in the history of CloudTrail, and no user
// has a service-specific credential. And it lets users be a year old: moto makes them when a
// test begins, and a user of the last minutes may be an intruder's.
func MotoProxy(target *url.URL) http.Handler {
	unwrap := strings.NewReplacer("<Errors>", "", "</Errors>", "")
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(target)
			p.Out.Host = p.In.Host
		},
		ModifyResponse: func(r *http.Response) error {
			b, err := io.ReadAll(r.Body)
			if err != nil {
				return err
			}
			_ = r.Body.Close()
			if r.StatusCode >= http.StatusBadRequest {
				b = []byte(unwrap.Replace(string(b)))
			} else if bytes.Contains(b, []byte("<ListUsersResponse")) {
				b = createDate().ReplaceAll(b, []byte("<CreateDate>2025-01-01T00:00:00Z</CreateDate>"))
			}
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
			r.Header.Set("Content-Length", strconv.Itoa(len(b)))
			return nil
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		switch actionOf(r, body) {
		case "LookupEvents":
			_, _ = io.WriteString(w, `{"Events":[]}`)
		case "ListServiceSpecificCredentials":
			_, _ = io.WriteString(w, answer("iam", "ListServiceSpecificCredentials", members("ServiceSpecificCredentials", nil)).Body)
		default:
			proxy.ServeHTTP(w, r)
		}
	})
}

var createDate = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`<CreateDate>[^<]*</CreateDate>`) })

package transport

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// sendsPassword reports whether a password, or a token, goes along with each request.
func (r address) sendsPassword() bool {
	return r.host != "" && (r.password != "" || len(r.user) >= minTokenLength)
}

// redirect returns the new URL of r on the same host, if a redirect made git fail: GitHub
// redirects old names, and GitLab redirects to names that end in ".git". With a password to
// send, git follows no redirect by itself, see env.
func (r address) redirect(ctx context.Context, failed error) (to address, ok bool) {
	if failed == nil || !r.sendsPassword() || !strings.Contains(failed.Error(), "returned error: 30") {
		return r, false
	}
	const refs = "/info/refs"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+refs+"?service=git-upload-pack", nil)
	if err != nil {
		return r, false
	}
	req.SetBasicAuth(r.user, r.password)
	client := http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(req)
	if err != nil {
		return r, false
	}
	_ = answer.Body.Close() // nothing was read of it
	at, err := answer.Location()
	if err != nil || at.Scheme != req.URL.Scheme || at.Host != req.URL.Host || !strings.HasSuffix(at.Path, refs) {
		return r, false
	}
	to = r
	to.url = (&url.URL{Scheme: at.Scheme, Host: at.Host, Path: strings.TrimSuffix(at.Path, refs)}).String()
	return to, true
}

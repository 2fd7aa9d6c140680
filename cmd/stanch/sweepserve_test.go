//go:build sweep

package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
)

// TestSweepServe sweeps by schedule and looks at the page, as who has the token and as
// others.
func TestSweepServe(t *testing.T) {
	o := newSweptOrg(t, filepath.Join(t.TempDir(), "sweep.db"))
	o.repo(t, "a", "", `leak 1 f; commit 1`)
	o.add(t, "--every", "1h")
	ctx, stop := context.WithCancel(t.Context())
	said, errs := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"sweep", "--database-url", o.database, "serve", "--listen", "127.0.0.1:0", "--no-verify"}, nil, io.Discard, errs)
		_ = errs.Close()
	}()
	lines := bufio.NewReader(said)
	line, err := lines.ReadString('\n')
	link := regexp.MustCompile(`(http://\S+/)\?token=(\S+)`).FindStringSubmatch(line)
	if err != nil || link == nil {
		t.Fatalf("it says %q, %v", line, err)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	get := func(c *http.Client, path, token string) (int, http.Header, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link[1]+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, resp.Header, string(body)
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if _, _, body := get(http.DefaultClient, "metrics", link[2]); strings.Contains(body, `stanch_repositories{state="swept",target="acme"} 1`) {
			if !strings.Contains(body, `stanch_findings{state="skipped"} 1`) || !strings.Contains(body, `stanch_findings_skipped{why="not-verified"} 1`) {
				t.Errorf("metrics are %s", body)
			}
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("the sweep does not come to its end: %s", body)
		}
	}
	for _, path := range []string{"", "status.json", "metrics", "?token=wrong"} {
		if code, _, body := get(http.DefaultClient, path, ""); code != http.StatusUnauthorized || strings.Contains(body, "acme") {
			t.Errorf("/%s without the token: %d: %s", path, code, body)
		}
	}
	if code, _, _ := get(http.DefaultClient, "healthz", ""); code != http.StatusOK {
		t.Errorf("/healthz: %d", code)
	}
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar}
	if code, header, body := get(browser, "?token="+link[2], ""); code != http.StatusOK || header.Get("Refresh") != "0; url=/" || strings.Contains(body, "acme") {
		t.Errorf("the link: %d, %v: %s", code, header, body)
	}
	if code, header, body := get(browser, "", ""); code != http.StatusOK || !strings.Contains(body, "<title>Findings") || !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("the page for the team: %d, %v: %.300s", code, header, body)
	}
	code, header, body := get(browser, "report.html", "")
	if code != http.StatusOK || !strings.Contains(body, "acme/a") || !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("the report: %d, %v: %.300s", code, header, body)
	}
	if code, _, _ := get(browser, "report.html?target=other", ""); code != http.StatusNotFound {
		t.Errorf("a target that is none: %d", code)
	}
	stop()
	if err := <-ended; !errors.Is(err, cli.ErrStopped) || cli.ExitCode(io.Discard, err) != cli.ExitInterrupted {
		t.Errorf("it ends with %v", err)
	}
}

//go:build sweep

package main

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/cmd/stanch/internal/cli"
	"github.com/stanch-dev/stanch/scanner/sweep/riverqueue"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
)

// TestSweepWebhook: a delivery has its repository read without a listing, and a push whose
// delivery is lost is found by the next listing.
func TestSweepWebhook(t *testing.T) {
	for _, mode := range []string{"sqlite", "postgresql"} {
		t.Run(mode, func(t *testing.T) {
			database := filepath.Join(t.TempDir(), "sweep.db")
			if mode == "postgresql" {
				database = sweeptest.StartPostgres(t).URL
			}
			o := newSweptOrg(t, database)
			app := o.repo(t, "app", "", `leak 1 f; commit 1`)
			for _, name := range []string{"b", "c", "d"} {
				o.repo(t, name, "", "echo "+name+" >f; commit 1")
			}
			o.add(t, "--every", "1h")
			secret := filepath.Join(t.TempDir(), "secret")
			if err := os.WriteFile(secret, []byte("a secret of the webhook\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			said, errs := io.Pipe()
			ended := make(chan error, 1)
			go func() {
				ended <- run(ctx, []string{"sweep", "--database-url", o.database, "serve", "--listen", "127.0.0.1:0", "--no-verify", "--webhook-secret-file", secret}, nil, io.Discard, errs)
				_ = errs.Close()
			}()
			lines := bufio.NewReader(said)
			line, err := lines.ReadString('\n')
			link := regexp.MustCompile(`(http://\S+/)\?token=(\S+)`).FindStringSubmatch(line)
			if err != nil || link == nil {
				t.Fatalf("it says %q, %v", line, err)
			}
			go func() { _, _ = io.Copy(io.Discard, lines) }()
			wait := func(what string, done func() bool) time.Duration {
				t.Helper()
				began := time.Now()
				for !done() {
					if time.Since(began) > 60*time.Second {
						t.Fatalf("waited in vain for %s", what)
					}
					time.Sleep(20 * time.Millisecond)
				}
				return time.Since(began)
			}
			findings := func() (n int) {
				for _, state := range o.status(t).Findings.ByState {
					n += state
				}
				return n
			}
			wait("the first sweep", func() bool { st := o.status(t); return findings() == 1 && !st.Targets[0].Ended.IsZero() })
			o.taken()

			o.push(t, "app", `leak 2 g; commit 2`)
			body := fmt.Sprintf(`{"ref":"refs/heads/main","repository":{"id":%d,"full_name":"acme/app","hooks_url":"%s/repos/acme/app/hooks","pushed_at":%d}}`, app.ID, o.url, app.Pushed.Unix())
			mac := hmac.New(sha256.New, []byte("a secret of the webhook"))
			_, _ = mac.Write([]byte(body))
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, link[1]+"webhook/github", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("X-GitHub-Event", "push")
			r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
			response, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer, _ := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if response.StatusCode != http.StatusAccepted || string(answer) != "taken\n" {
				t.Fatalf("the delivery: %d %q", response.StatusCode, answer)
			}
			took := wait("the push that GitHub told of", func() bool { return findings() == 2 })
			calls, git := o.taken()
			t.Logf("found %s after the delivery, with the calls %q and %d requests of git", took, calls, len(git))
			for _, call := range calls {
				if strings.Contains(call, "/orgs/") {
					t.Errorf("it lists: %s", call)
				}
			}

			o.push(t, "app", `leak 3 h; commit 3`) // and the delivery is lost
			store, err := riverqueue.Open(t.Context(), o.database, false)
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			if _, err := store.SQL.ExecContext(t.Context(), `UPDATE target SET every_ms = 1000`); err != nil { // add takes a minute or more
				t.Fatal(err)
			}
			wait("the push that GitHub did not tell of", func() bool { return findings() == 3 })
			stop()
			if err := <-ended; cli.ExitCode(io.Discard, err) != cli.ExitInterrupted {
				t.Errorf("it ends with %v", err)
			}
		})
	}
}

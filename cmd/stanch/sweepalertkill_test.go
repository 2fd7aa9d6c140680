//go:build sweep && unix

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/sweep/riverqueue"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
	"github.com/stanch-dev/stanch/verifier/verifiertest"
)

// keyScript returns the lines of a script that write a key to a file.
func keyScript(k verifiertest.Key, file string) string {
	return fmt.Sprintf("printf 'aws_access_key_id = %%s\\naws_secret_access_key = %%s\\n' '%s' '%s' >%s", k.Credential.ID, k.Credential.Secret.Reveal(), file)
}

// TestAlertsKilled kills workers at random moments while a receiver answers 500, hangs, or cuts
// the connection before or after it has taken an alert, and PostgreSQL is started anew. In the
// end each live key is in exactly one delivery, whatever that has been through.
func TestAlertsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes two minutes")
	}
	for _, kind := range []string{"sqlite", "postgresql"} {
		t.Run(kind, func(t *testing.T) {
			database, server, kills, fleet := filepath.Join(t.TempDir(), "sweep.db"), (*sweeptest.Postgres)(nil), 20, 1
			if kind == "postgresql" {
				server = sweeptest.StartPostgres(t)
				database, kills, fleet = server.URL, 50, 2
			}
			const keys = 40
			var all []verifiertest.Key
			for n := range keys {
				all = append(all, verifiertest.User(detectorstest.Account, fmt.Sprint("user", n), uint64(n)))
			}
			sts := verifiertest.NewSTS(t, all...)
			o, h := newSweptOrg(t, database), newAlertHook(t)
			t.Setenv("HOOK", h.url)
			pushed := 0
			leak := func() {
				if pushed < keys {
					o.push(t, fmt.Sprintf("r%d", pushed%4), keyScript(all[pushed], fmt.Sprint("f", pushed))+"; commit x")
					pushed++
				}
			}
			for n := range 4 {
				o.repo(t, fmt.Sprintf("r%d", n), "", "echo x >x; commit 0")
			}
			leak()
			o.add(t)
			stanch := build(t)
			h.set(func(w http.ResponseWriter, r *http.Request) bool {
				switch rand.IntN(6) {
				case 0:
					w.WriteHeader(http.StatusInternalServerError)
				case 1:
					select { // it hangs
					case <-time.After(3 * time.Second):
					case <-r.Context().Done():
					}
				case 2:
					cut(w)
				default:
					return false
				}
				return true
			}, func() bool { return rand.IntN(4) == 0 })
			store, err := riverqueue.Open(t.Context(), database, true)
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			q, err := riverqueue.New(riverqueue.Config{Store: store})
			if err != nil {
				t.Fatal(err)
			}
			workers, outs := make([]*exec.Cmd, fleet), make([]*bytes.Buffer, fleet)
			start := func(i int) {
				workers[i], outs[i] = o.process(t, stanch, "work", "--retry-after", "50ms", "--dead-after", "1s", "--sts-endpoint", sts.URL, "--no-cache", "--notify", "webhook:env:HOOK")
			}
			for i := range workers {
				start(i)
			}
			begin := func() {
				for range 50 { // PostgreSQL may be starting
					if err = store.Begin(t.Context(), q, "acme", false); err == nil {
						return
					}
					time.Sleep(100 * time.Millisecond)
				}
				t.Fatal(err)
			}
			for n := range kills {
				if n%2 == 0 {
					leak()
				}
				begin()
				time.Sleep(time.Duration(100+rand.IntN(1200)) * time.Millisecond)
				i := rand.IntN(fleet)
				kill(t, workers[i])
				if server != nil && n%10 == 5 {
					server.Stop(t, "immediate")
					server.Start(t)
				}
				start(i)
			}
			for pushed < keys {
				leak()
			}
			h.set(nil, nil)
			deadline := time.Now().Add(3 * time.Minute)
			var want []string
			for _, k := range all {
				want = append(want, "news: live "+k.Credential.ID)
			}
			slices.Sort(want)
			sorted := func() []string {
				got := h.told()
				slices.Sort(got)
				return got
			}
			for !slices.Equal(sorted(), want) && len(h.told()) <= len(want) && time.Now().Before(deadline) {
				begin()
				time.Sleep(500 * time.Millisecond)
			}
			time.Sleep(3 * time.Second) // for one too many
			if got := sorted(); !slices.Equal(got, want) {
				t.Errorf("told %d: %q\nwant %d: %q", len(got), got, len(want), want)
			}
			h.mu.Lock()
			defer h.mu.Unlock()
			again := 0
			for _, id := range h.order {
				again += len(h.taken[id]) - 1
				for _, a := range h.taken[id][1:] {
					if first := h.taken[id][0]; len(a.Findings) != len(first.Findings) {
						t.Errorf("delivery %s has changed: %d findings, then %d", id, len(first.Findings), len(a.Findings))
					}
				}
			}
			t.Logf("%d kills: %d keys in %d deliveries, of which %d came again under the same id", kills, len(want), len(h.order), again)
			for i := range workers {
				kill(t, workers[i])
			}
			_, status, _ := o.stanch(t, "status")
			if t.Failed() {
				t.Logf("%s\n%s", status, outs)
			}
			if strings.Contains(status, "WAITING") || strings.Contains(status, "LOST") {
				t.Error(status)
			}
		})
	}
}

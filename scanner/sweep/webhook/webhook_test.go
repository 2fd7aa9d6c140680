//go:build sweep

package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/riverqueue"
	"github.com/stanch-dev/stanch/scanner/sweep/sweeptest"
)

const (
	api    = "https://api.github.com"
	secret = "a secret of the webhook"
)

// A hook is a receiver that answers real HTTP, with a store that watches the target acme.
type hook struct {
	*Receiver
	url      string
	log      bytes.Buffer
	mu       sync.Mutex
	outcomes []string
}

func newHook(t *testing.T, database string) *hook {
	t.Helper()
	store, err := riverqueue.Open(t.Context(), database, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	q, err := riverqueue.New(riverqueue.Config{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.PutTarget(t.Context(), sweep.Target{Name: "acme", API: api, Options: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	h := &hook{}
	h.Receiver = &Receiver{Secrets: [][]byte{[]byte(secret)}, Store: store, Queue: q, Log: slog.New(slog.NewTextHandler(&h.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Count: func(outcome string) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.outcomes = append(h.outcomes, outcome)
	}}
	server := httptest.NewServer(h.Handler())
	t.Cleanup(server.Close)
	h.url = server.URL + "/webhook/github"
	return h
}

// TestSlowBody: a body that does not come to its end is refused, and gives its place back.
func TestSlowBody(t *testing.T) {
	r := &Receiver{Secrets: [][]byte{[]byte(secret)}, Log: slog.New(slog.DiscardHandler), limit: 50 * time.Millisecond}
	server := httptest.NewServer(r.Handler())
	defer server.Close()
	for range 2 * maxLarge {
		body, end := io.Pipe()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/webhook/github", body)
		if err != nil {
			t.Fatal(err)
		}
		request.ContentLength = maxSmall + 1
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("X-Hub-Signature-256", sign(secret, nil))
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = end.Close()
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusBadRequest {
			t.Errorf("a body that hangs: %d", answer.StatusCode)
		}
	}
}

func inSQLite(t *testing.T) *hook {
	t.Helper()
	return newHook(t, filepath.Join(t.TempDir(), "sweep.db"))
}

// jobs returns the jobs in the queue, as kind, priority and repository or target.
func (h *hook) jobs(t *testing.T) (jobs []string) {
	t.Helper()
	rows, err := h.Store.SQL.QueryContext(t.Context(), `SELECT j.queue, j.priority, COALESCE((SELECT r.id || ' ' || r.name FROM repository r WHERE CAST(r.number AS TEXT) = `+h.number()+`), '')
		FROM river_job j ORDER BY 3`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var queue, subject string
		var priority int
		if err := rows.Scan(&queue, &priority, &subject); err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, fmt.Sprintf("%s %d %s", queue, priority, subject))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return jobs
}

func (h *hook) number() string {
	if h.Store.Postgres {
		return `j.args->>'number'`
	}
	return `CAST(json_extract(j.args, '$.number') AS TEXT)`
}

func sign(secret string, body []byte) string {
	m := hmac.New(sha256.New, []byte(secret))
	_, _ = m.Write(body)
	return "sha256=" + hex.EncodeToString(m.Sum(nil))
}

// deliver sends a body as GitHub does, and returns the answer. Headers are names and values
// in turn, in place of those that GitHub sends.
func (h *hook) deliver(t *testing.T, event string, body []byte, headers ...string) (code int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "GitHub-Hookshot/044aadd")
	r.Header.Set("X-GitHub-Event", event)
	r.Header.Set("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
	r.Header.Set("X-Hub-Signature-256", sign(secret, body))
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, strings.TrimSpace(string(answer))
}

// event returns the body of an event about a repository, with more fields.
func event(id int64, name string, pushed any, more ...any) []byte {
	b := map[string]any{"repository": map[string]any{"id": id, "full_name": name, "hooks_url": api + "/repos/" + name + "/hooks", "url": "https://github.com/" + name, "pushed_at": pushed}}
	for pair := range slices.Chunk(more, 2) {
		b[pair[0].(string)] = pair[1]
	}
	text, err := json.Marshal(b)
	if err != nil {
		panic(err)
	}
	return text
}

// TestEvents delivers each event that GitHub sends, and looks which jobs it puts.
func TestEvents(t *testing.T) {
	renamed := map[string]any{"repository": map[string]any{"name": map[string]any{"from": "old"}}}
	moved := map[string]any{"owner": map[string]any{"from": map[string]any{"organization": map[string]any{"login": "acme"}}}}
	installation := func(action, account string, more ...any) []byte {
		b := map[string]any{"action": action, "installation": map[string]any{"account": map[string]any{"login": account}, "repositories_url": api + "/installation/repositories"}}
		for pair := range slices.Chunk(more, 2) {
			b[pair[0].(string)] = pair[1]
		}
		text, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	many := []map[string]any{}
	for i := range maxLookups + 1 {
		many = append(many, map[string]any{"id": i + 1, "full_name": fmt.Sprintf("acme/r%d", i)})
	}
	for _, tt := range []struct {
		name, event string
		body        []byte
		outcome     string
		jobs        []string
	}{
		{"a push", "push", event(1, "acme/app", 1557933657), Taken, []string{"scan 1 1 acme/app"}},
		{"a branch", "create", event(1, "acme/app", "2019-05-15T15:20:56Z"), Taken, []string{"scan 1 1 acme/app"}},
		{"no branch", "delete", event(1, "acme/app", "2019-05-15T15:20:57Z"), Taken, []string{"scan 1 1 acme/app"}},
		{"another case", "push", event(1, "Acme/App", 1557933657), Taken, []string{"scan 1 1 Acme/App"}},
		{"a repository of nobody's", "push", event(2, "other/app", 1557933657), NotWatched, nil},
		{"a pull request", "pull_request", event(1, "acme/app", nil, "action", "synchronize"), Taken, []string{"scan 1 1 acme/app"}},
		{"a label", "pull_request", event(1, "acme/app", nil, "action", "labeled"), Ignored, nil},
		{"a page of a wiki", "gollum", event(1, "acme/app", nil), Taken, []string{"scan 1 1 acme/app"}}, // the wiki is found with its repository
		{"a new repository", "repository", event(3, "acme/new", nil, "action", "created"), Taken, []string{"scan 1 3 acme/new"}},
		{"a deleted repository", "repository", event(1, "acme/app", nil, "action", "deleted"), Taken, []string{"scan 1 1 acme/app"}},
		{"a renamed repository", "repository", event(1, "acme/app", nil, "action", "renamed", "changes", renamed), Taken, []string{"scan 1 1 acme/app"}},
		{"one that went away", "repository", event(1, "other/app", nil, "action", "transferred", "changes", moved), Taken, []string{"scan 1 1 acme/app"}},
		{"one that is public now", "public", event(1, "acme/app", nil), Taken, []string{"scan 1 1 acme/app"}},
		{"a fork of another owner", "fork", event(1, "acme/app", nil), Ignored, nil},
		{"a ping", "ping", []byte(`{"zen": "Keep it logically awesome."}`), Ping, nil},
		{"an unknown event", "sponsorship", []byte(`[1]`), Ignored, nil},
		{"no event", "", []byte(`{}`), Ignored, nil},
		{"an App is installed", "installation", installation("created", "ACME"), Taken, []string{"list 1 "}},
		{"an App is installed elsewhere", "installation", installation("created", "other"), NotWatched, nil},
		{"an App is removed", "installation", installation("deleted", "acme"), Ignored, nil},
		{"an App sees one more", "installation_repositories", installation("added", "acme", "repositories_added", []any{map[string]any{"id": 4, "full_name": "acme/more"}}), Taken, []string{"scan 1 4 acme/more"}},
		{"an App sees many more", "installation_repositories", installation("added", "acme", "repositories_added", many), Taken, []string{"list 1 "}},
	} {
		h := inSQLite(t)
		code, text := h.deliver(t, tt.event, tt.body)
		if code != http.StatusAccepted || text != tt.outcome || !slices.Equal(h.jobs(t), tt.jobs) || !slices.Equal(h.outcomes, []string{tt.outcome}) {
			t.Errorf("%s: %d %q, jobs %q, want %q, jobs %q", tt.name, code, text, h.jobs(t), tt.outcome, tt.jobs)
		}
		h.Store.Close()
	}
}

// TestBadDeliveries: none of them puts a job, and the answer says why.
func TestBadDeliveries(t *testing.T) {
	push := event(1, "acme/app", 1557933657)
	pad := func(n int) []byte {
		return append(slices.Clone(push[:len(push)-1]), append(bytes.Repeat([]byte(" "), n), '}')...)
	}
	notJSON := []byte(`{"repository":{"id":1` + strings.Repeat("[", 100_000))
	for _, tt := range []struct {
		name    string
		event   string
		body    []byte
		headers []string
		code    int
		outcome string
		want    string
	}{
		{"no signature", "push", push, []string{"X-Hub-Signature-256", ""}, 401, Unsigned, "--webhook-secret-file"},
		{"an old signature", "push", push, []string{"X-Hub-Signature-256", "", "X-Hub-Signature", "sha1=0000000000000000000000000000000000000000"}, 401, Unsigned, ""},
		{"another secret", "push", push, []string{"X-Hub-Signature-256", sign("another secret of it", push)}, 401, Unsigned, "another secret"},
		{"another body", "push", pad(1), []string{"X-Hub-Signature-256", sign(secret, push)}, 401, Unsigned, ""},
		{"a cut signature", "push", push, []string{"X-Hub-Signature-256", sign(secret, push)[:40]}, 401, Unsigned, ""},
		{"an empty secret", "push", push, []string{"X-Hub-Signature-256", sign("", push)}, 401, Unsigned, ""},
		{"no JSON, and no signature", "push", notJSON, []string{"X-Hub-Signature-256", sign("another", notJSON)}, 401, Unsigned, ""},
		{"no JSON", "push", notJSON, nil, 400, Malformed, "not an event"},
		{"a form", "push", []byte("payload=%7B%7D"), []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, Malformed, "application/json"},
		{"no repository", "push", []byte(`{}`), nil, 400, Malformed, "names no repository"},
		{"no id", "push", event(0, "acme/app", nil), nil, 400, Malformed, "names no repository"},
		{"a strange name", "push", event(1, "acme/app/../..", nil), nil, 400, Malformed, "names no repository"},
		{"a strange time", "push", event(1, "acme/app", "acme yesterday"), nil, 400, Malformed, "pushed_at is not a time"},
		{"another type", "push", []byte(`[]`), nil, 400, Malformed, "not an event"},
		{"no installation", "installation", []byte(`{"action":"created"}`), nil, 400, Malformed, "names no installation"},
		{"26 MB", "push", pad(maxBody), nil, 413, TooLarge, "25 MiB"},
	} {
		h := inSQLite(t)
		code, text := h.deliver(t, tt.event, tt.body, tt.headers...)
		if code != tt.code || !strings.Contains(text, tt.want) || len(h.jobs(t)) > 0 || !slices.Equal(h.outcomes, []string{tt.outcome}) {
			t.Errorf("%s: %d %.200q, counted %q, jobs %q", tt.name, code, text, h.outcomes, h.jobs(t))
		}
		if strings.Contains(h.log.String(), "acme") || strings.Contains(h.log.String(), secret) {
			t.Errorf("%s: the log has text of the body: %s", tt.name, h.log.String())
		}
		h.Store.Close()
	}
	h := inSQLite(t)
	if code, text := h.deliver(t, "push", pad(5<<20)); code != http.StatusAccepted || text != Taken {
		t.Errorf("5 MB, which GitHub may send: %d %q", code, text)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", response.StatusCode)
	}
}

// TestChunked: a body without a length is bounded, too.
func TestChunked(t *testing.T) {
	h := inSQLite(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url, io.MultiReader(bytes.NewReader(make([]byte, maxBody)), strings.NewReader("x")))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Hub-Signature-256", sign(secret, nil))
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Skipf("the answer was lost: %v", err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("%d", response.StatusCode)
	}
}

// TestManyLarge: bodies of strangers do not fill the memory. Five large ones at once are one
// too many; a small one passes meanwhile.
func TestManyLarge(t *testing.T) {
	h := inSQLite(t)
	var held []*io.PipeWriter
	done := make(chan int, maxLarge)
	for range maxLarge {
		reader, writer := io.Pipe()
		held = append(held, writer)
		go func() {
			r, _ := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodPost, h.url, reader)
			r.Header.Set("X-Hub-Signature-256", sign(secret, nil))
			response, err := http.DefaultClient.Do(r)
			if err != nil {
				done <- 0
				return
			}
			_ = response.Body.Close()
			done <- response.StatusCode
		}()
		_, _ = writer.Write([]byte("x")) // it is read once the server has begun
	}
	for deadline := time.Now().Add(10 * time.Second); len(h.large) < maxLarge && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
	}
	push := event(1, "acme/app", 1557933657)
	big := append(slices.Clone(push[:len(push)-1]), append(bytes.Repeat([]byte(" "), maxSmall), '}')...)
	if code, text := h.deliver(t, "push", big); code != http.StatusServiceUnavailable || !strings.Contains(text, "too many") {
		t.Errorf("one too many: %d %q", code, text)
	}
	if code, text := h.deliver(t, "push", push); code != http.StatusAccepted || text != Taken {
		t.Errorf("a small one meanwhile: %d %q", code, text)
	}
	for _, writer := range held {
		_ = writer.Close()
	}
	for range held {
		if code := <-done; code != http.StatusUnauthorized {
			t.Errorf("a held one: %d", code)
		}
	}
	if len(h.large) > 0 {
		t.Errorf("%d places are not given back", len(h.large))
	}
}

// TestRepeated: a body counts once, whoever sends it again and under whichever id and event,
// and in each of several processes. GitHub's own redelivery has the same body.
func TestRepeated(t *testing.T) {
	databases := map[string]func() (string, string){
		"SQLite": func() (string, string) {
			name := filepath.Join(t.TempDir(), "sweep.db")
			return name, name
		},
		"PostgreSQL": func() (string, string) {
			p := sweeptest.StartPostgres(t)
			return p.URL, p.URL
		},
	}
	for name, open := range databases {
		t.Run(name, func(t *testing.T) {
			first, second := open()
			a, b := newHook(t, first), newHook(t, second)
			push := event(1, "acme/app", 1557933657)
			var wg sync.WaitGroup
			for _, h := range []*hook{a, b, a, b} {
				wg.Go(func() {
					if code, text := h.deliver(t, "push", push); code != http.StatusAccepted {
						t.Errorf("%d %q", code, text)
					}
				})
			}
			wg.Wait()
			if code, text := b.deliver(t, "create", push, "X-GitHub-Delivery", "made-up"); code != http.StatusAccepted || text != Repeated {
				t.Errorf("under another id: %d %q", code, text)
			}
			all := slices.Sorted(slices.Values(slices.Concat(a.outcomes, b.outcomes)))
			if !slices.Equal(all, []string{Repeated, Repeated, Repeated, Repeated, Taken}) || !slices.Equal(a.jobs(t), []string{"scan 1 1 acme/app"}) {
				t.Errorf("%q, jobs %q", all, a.jobs(t))
			}
			// Later, it is forgotten: what it does then is to read a repository once more.
			later := time.Now().Add(memory + time.Minute)
			a.Store.Now = func() time.Time { return later }
			a.forgot = time.Time{}
			if code, text := a.deliver(t, "push", push); code != http.StatusAccepted || text != Taken || len(a.jobs(t)) != 1 {
				t.Errorf("after %s: %d %q, jobs %q", memory, code, text, a.jobs(t))
			}
		})
	}
}

// TestTwoSecrets: while the secret is changed, deliveries with the old and with the new one
// count.
func TestTwoSecrets(t *testing.T) {
	h := inSQLite(t)
	name := filepath.Join(t.TempDir(), "secrets")
	if err := os.WriteFile(name, []byte("the new secret of it\n\n"+secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if h.Secrets, err = ReadSecrets(name); err != nil {
		t.Fatal(err)
	}
	for i, s := range []string{secret, "the new secret of it"} {
		body := event(int64(i+1), "acme/app", nil)
		if code, text := h.deliver(t, "push", body, "X-Hub-Signature-256", sign(s, body)); code != http.StatusAccepted {
			t.Errorf("%d %q", code, text)
		}
	}
}

func TestReadSecrets(t *testing.T) {
	for text, want := range map[string]string{"": "no secret", "\n\n": "no secret", "short": "16 characters"} {
		name := filepath.Join(t.TempDir(), "secrets")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadSecrets(name); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "short") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := ReadSecrets("none"); err == nil {
		t.Error("no file, no error")
	}
}

// TestDatabaseAway: a delivery that was not stored is not answered as a success, so GitHub
// shows it as failed, and it counts when it is sent again.
func TestDatabaseAway(t *testing.T) {
	name := filepath.Join(t.TempDir(), "sweep.db")
	away := newHook(t, name)
	away.Store.Close()
	push := event(1, "acme/app", 1557933657)
	if code, _ := away.deliver(t, "push", push); code != http.StatusServiceUnavailable || !slices.Equal(away.outcomes, []string{Failed}) {
		t.Errorf("%d %q", code, away.outcomes)
	}
	back := newHook(t, name)
	if code, text := back.deliver(t, "push", push); code != http.StatusAccepted || text != Taken {
		t.Errorf("sent again: %d %q", code, text)
	}
}

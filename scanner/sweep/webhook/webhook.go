// Package webhook takes GitHub's webhooks: GitHub says that somebody has pushed, and the
// repository is read at once, not when it is listed next. A delivery that is lost does no
// harm: the next listing finds the push.
//
// A delivery says which repository has changed, and no more is believed of it: names of
// branches, commits and their texts are chosen by those who push.
package webhook

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
)

// maxBody is the largest body that GitHub sends ("Payloads are capped at 25 MB",
// docs.github.com/webhooks/webhook-events-and-payloads). Most have some 10 kB: larger ones
// than maxSmall are read a few at a time, since anybody may send a body.
const (
	maxBody  = 25 << 20
	maxSmall = 1 << 20
	maxLarge = 4
	// maxTime is how long a body may take. GitHub waits for ten seconds for the answer, from the
	// first byte on (docs.github.com/webhooks/using-webhooks/best-practices-for-using-webhooks).
	maxTime = 10 * time.Second
)

// memory is how long a delivery is remembered: as long as GitHub can be asked to deliver it
// again (docs.github.com/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks).
const memory = 3 * 24 * time.Hour

// The outcomes of deliveries.
const (
	Taken      = "taken"       // it put a job into the queue
	Ping       = "ping"        // GitHub tries the webhook
	Ignored    = "ignored"     // an event or an action that says nothing of interest
	NotWatched = "not_watched" // no target has the repository
	Repeated   = "repeated"    // the same body was taken before
	Unsigned   = "unsigned"    // no signature, a wrong one, or a body that breaks off
	TooLarge   = "too_large"
	Malformed  = "malformed" // signed, and not what GitHub sends
	Failed     = "failed"    // the database did not answer, or too many large ones came at once
)

// A Receiver takes deliveries. Its fields must not change once it is used; its methods may be
// called concurrently.
type Receiver struct {
	Secrets [][]byte // each signs deliveries; see ReadSecrets
	Store   *sweep.Store
	Queue   sweep.Queue
	Log     *slog.Logger // it gets no text of a body
	// Count is told the outcome of each delivery. It may be nil.
	Count func(outcome string)

	large  chan struct{} // one for each large body in memory
	limit  time.Duration // maxTime; tests have their own
	mu     sync.Mutex
	forgot time.Time // when old deliveries were forgotten last
}

// Handler returns the handler of POST /webhook/github.
func (r *Receiver) Handler() http.Handler {
	r.large, r.limit = make(chan struct{}, maxLarge), cmp.Or(r.limit, maxTime)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /webhook/github", r.receive)
	return mux
}

// ReadSecrets reads secrets from a file, one on each line: while a secret is changed at
// GitHub, the file has the old one and the new one. Errors hold no secret.
func ReadSecrets(file string) ([][]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var secrets [][]byte
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case len(line) < 16:
			return nil, fmt.Errorf("%s: a secret has 16 characters or more", file)
		default:
			secrets = append(secrets, []byte(line))
		}
	}
	if len(secrets) == 0 {
		return nil, fmt.Errorf("%s: there is no secret", file)
	}
	return secrets, nil
}

// A refusal is an answer that is no success.
type refusal struct {
	outcome string
	code    int
	why     string
}

func (e *refusal) Error() string { return e.why }

// receive takes a delivery. GitHub shows the answer to those who manage the webhook.
func (r *Receiver) receive(w http.ResponseWriter, request *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	outcome, err := r.take(w, request)
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		outcome = refused.outcome
		http.Error(w, refused.why, refused.code)
	case err != nil:
		outcome = Failed
		http.Error(w, "the database does not answer; the next listing finds the change", http.StatusServiceUnavailable)
	default:
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, outcome+"\n")
	}
	if r.Count != nil {
		r.Count(outcome)
	}
	level, said := slog.LevelDebug, []any{"outcome", outcome, "event", short(request.Header.Get("X-GitHub-Event")), "delivery", short(request.Header.Get("X-GitHub-Delivery"))}
	if err != nil {
		level, said = slog.LevelWarn, append(said, "err", err)
	}
	r.Log.Log(request.Context(), level, "a delivery of a webhook", said...)
}

// short cuts the text of a header for the log.
func short(s string) string { return s[:min(len(s), 64)] }

// take reads a delivery, checks its signature, and only then looks into it.
func (r *Receiver) take(w http.ResponseWriter, request *http.Request) (outcome string, err error) {
	signature, err := hex.DecodeString(strings.TrimPrefix(request.Header.Get("X-Hub-Signature-256"), "sha256="))
	if err != nil || len(signature) != sha256.Size {
		return "", &refusal{Unsigned, http.StatusUnauthorized, "there is no X-Hub-Signature-256: give the webhook the secret of --webhook-secret-file"}
	}
	body, free, err := r.read(w, request)
	if err != nil {
		return "", err
	}
	defer free()
	if !r.signs(body, signature) {
		return "", &refusal{Unsigned, http.StatusUnauthorized, "the signature is wrong: the webhook has another secret than --webhook-secret-file"}
	}
	if kind, _, err := mime.ParseMediaType(request.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return "", &refusal{Malformed, http.StatusUnsupportedMediaType, "set the content type of the webhook to application/json"}
	}
	news, err := parse(request.Header.Get("X-GitHub-Event"), body)
	if err != nil {
		return "", &refusal{Malformed, http.StatusBadRequest, err.Error()}
	}
	switch {
	case request.Header.Get("X-GitHub-Event") == "ping":
		return Ping, nil
	case news.isEmpty():
		return Ignored, nil
	}
	return r.put(request.Context(), news, sha256.Sum256(body))
}

// read reads a body. The caller calls free once it needs the body no more.
func (r *Receiver) read(w http.ResponseWriter, request *http.Request) (body []byte, free func(), err error) {
	free = func() {}
	tooLarge := &refusal{TooLarge, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d MiB, which GitHub never sends", maxBody>>20)}
	if request.ContentLength > maxBody {
		return nil, nil, tooLarge
	}
	if request.ContentLength < 0 || request.ContentLength > maxSmall {
		select {
		case r.large <- struct{}{}:
			free = func() { <-r.large }
		default:
			w.Header().Set("Retry-After", "10")
			return nil, nil, &refusal{Failed, http.StatusServiceUnavailable, "too many large deliveries at once; the next listing finds the change"}
		}
	}
	// A few slow bodies would keep the places of the large ones.
	if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(r.limit)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		free()
		return nil, nil, err
	}
	body, err = io.ReadAll(http.MaxBytesReader(w, request.Body, maxBody))
	if err == nil {
		return body, free, nil
	}
	free()
	var over *http.MaxBytesError
	if errors.As(err, &over) {
		return nil, nil, tooLarge
	}
	return nil, nil, &refusal{Unsigned, http.StatusBadRequest, "the body breaks off, or takes longer than GitHub waits"}
}

// signs reports whether one of the secrets has signed body
// (docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries).
func (r *Receiver) signs(body, signature []byte) (ok bool) {
	for _, secret := range r.Secrets {
		h := hmac.New(sha256.New, secret)
		_, _ = h.Write(body)
		ok = hmac.Equal(h.Sum(nil), signature) || ok
	}
	return ok
}

// put puts jobs into the queue, and remembers the delivery, in one transaction. A body that
// was taken before does nothing: the signature covers the body alone, so that X-GitHub-Delivery
// could be made up by somebody who sends a body again.
func (r *Receiver) put(ctx context.Context, n news, digest [sha256.Size]byte) (outcome string, err error) {
	if err := r.forget(ctx); err != nil {
		return "", err
	}
	var known int
	if err := database.QueryRow(ctx, r.Store.Read, `SELECT COUNT(*) FROM webhook_delivery WHERE digest = $1`, digest[:])(&known); err != nil || known > 0 {
		return Repeated, err
	}
	targets, err := r.targets(ctx, n)
	if err != nil {
		return "", err
	}
	for _, target := range targets {
		if err := r.Store.Begin(ctx, r.Queue, target, true); err != nil {
			return "", err
		}
	}
	err = r.Store.Tx(ctx, func(tx *sql.Tx) error {
		result, err := database.Exec(ctx, tx, `INSERT INTO webhook_delivery (digest, at) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING`, digest[:], database.Millis(r.Store.Now()))
		if err != nil {
			return err
		}
		if added, err := result.RowsAffected(); err != nil || added == 0 { // the same one came at the same time
			outcome = Repeated
			return err
		}
		if outcome = NotWatched; len(targets) > 0 {
			outcome = Taken
		}
		for _, repository := range n.repositories {
			watched, err := r.Store.PutNews(ctx, tx, r.Queue, repository)
			if err != nil {
				return err
			}
			if watched {
				outcome = Taken
			}
		}
		return nil
	})
	return outcome, err
}

// targets returns the targets to list for news of an owner: the owner and repositories of
// the owner.
func (r *Receiver) targets(ctx context.Context, n news) (names []string, err error) {
	if n.owner == "" {
		return nil, nil
	}
	all, err := r.Store.Targets(ctx)
	for _, t := range all {
		owner, _, _ := strings.Cut(t.Name, "/")
		if strings.EqualFold(owner, n.owner) && strings.EqualFold(strings.TrimRight(t.API, "/"), n.api) {
			names = append(names, t.Name)
		}
	}
	return names, err
}

// forget forgets old deliveries, once an hour.
func (r *Receiver) forget(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.forgot) < time.Hour {
		return nil
	}
	_, err := database.Exec(ctx, r.Store.SQL, `DELETE FROM webhook_delivery WHERE at < $1`, database.Millis(r.Store.Now().Add(-memory)))
	if err == nil {
		r.forgot = time.Now()
	}
	return err
}

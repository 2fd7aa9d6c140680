//go:build sweep

package api_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/catalog"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/api"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/scanner/sweep/riverqueue"
	"github.com/stanch-dev/stanch/scanner/sweep/serve"
	"github.com/stanch-dev/stanch/scanner/sweep/signin"
	"github.com/stanch-dev/stanch/scanner/sweep/triage"
	"github.com/stanch-dev/stanch/verifier"
)

// A server is the server of a sweep with an API, and tokens of a reader and a triager.
type server struct {
	*testing.T
	url, reader, triager string
	store                *triage.Store
	secrets              []string // of the findings
}

// newServer returns one with n findings.
func newServer(t *testing.T, n int) *server {
	t.Helper()
	store, err := riverqueue.Open(t.Context(), filepath.Join(t.TempDir(), "sweep.db"), true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	s := &server{T: t, store: &triage.Store{Store: store}}
	set := catalog.NewSet()
	s.store.HoldsSecret = func(text []byte) bool {
		for _, m := range set.Detect(nil, text) {
			if !m.Credential.Secret.IsZero() {
				return true
			}
		}
		return false
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	reader, readers := signin.MakeToken(signin.User{Name: "rita", Role: signin.Reader})
	triager, triagers := signin.MakeToken(signin.User{Name: "ada", Role: signin.Triager})
	s.reader, s.triager = readers, triagers
	srv := &serve.Server{Store: store, Gate: &signin.Gate{Tokens: []signin.Token{reader, triager}, Log: log}, Log: log, API: (&api.Server{Store: s.store, Log: log}).Handler()}
	h := httptest.NewServer(srv.Handler())
	t.Cleanup(h.Close)
	s.url = h.URL + api.Prefix
	s.fill(n)
	return s
}

// fill puts n findings with names as strangers choose them.
func (s *server) fill(n int) {
	s.Helper()
	ctx := s.Context()
	if err := s.store.PutTarget(ctx, sweep.Target{Name: "acme", Options: []byte("{}")}); err != nil {
		s.Fatal(err)
	}
	names := []string{"acme/app", "acme/=cmd", `acme/<script>alert(1)</script>`, "acme/caf\xe9"}
	err := s.store.Tx(ctx, func(tx *sql.Tx) error {
		for i, name := range names {
			if _, err := database.Exec(ctx, tx, `INSERT INTO repository (id, target, name, page, fork, archived, private, pushed, listed, state, at) VALUES ($1, 'acme', $2, $3, 0, 0, 0, 0, 0, 'swept', 0)`,
				fmt.Sprint(i), name, "https://h/"+name); err != nil {
				return err
			}
		}
		for i := range n {
			if err := s.put(ctx, tx, i, int64(1+i%len(names))); err != nil {
				return err
			}
			if err := s.store.PutSearch(ctx, tx, []string{fingerprint(i)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.Fatal(err)
	}
}

// fingerprint returns that of the i-th finding.
func fingerprint(i int) string { return fmt.Sprintf("%032x", i+1) }

func (s *server) put(ctx context.Context, tx *sql.Tx, i int, repository int64) error {
	secret := detectorstest.SecretKey(uint64(i))
	s.secrets = append(s.secrets, secret)
	one := finding.Finding{}
	one.Match.Rule = &detectors.Rule{ID: "aws-access-key", Title: "AWS access key"}
	one.Match.Credential = detectors.Credential{ID: detectorstest.KeyID("AKIA", "123456789012", uint64(i)), Secret: detectors.NewSecret(secret)}
	states := triage.States()
	one.Verdict = verifier.Verdict{State: states[i%len(states)], At: time.Now().Add(-time.Duration(i) * time.Hour), Identity: verifier.Identity{Account: "123456789012", Kind: "user", Name: "=deploy"}}
	kept := one.Reported()
	kept.Digest.Fingerprint = fingerprint(i)
	record, err := database.MarshalRecord(&kept)
	if err != nil {
		return err
	}
	at := database.Millis(one.Verdict.At)
	if _, err := database.Exec(ctx, tx, `INSERT INTO finding (fingerprint, key_id, account, state, reason, ignored, verified, first_seen, last_seen, record) VALUES ($1, $2, '123456789012', $3, '', '', $4, $4, $4, $5)`,
		fingerprint(i), one.Match.Credential.ID, string(one.Verdict.State), at, string(record)); err != nil {
		return err
	}
	if _, err := database.Exec(ctx, tx, `INSERT INTO verification (fingerprint, at, state, reason, account) VALUES ($1, $2, $3, '', '')`, fingerprint(i), at, string(one.Verdict.State)); err != nil {
		return err
	}
	l, err := json.Marshal(&finding.Location{Kind: finding.KindBlob, Path: "=a.env", Line: 7, AtHead: true})
	if err != nil {
		return err
	}
	_, err = database.Exec(ctx, tx, `INSERT INTO location (fingerprint, repository, place, kind, blob, path, at_head, first_seen, record) VALUES ($1, $2, 'p', 'blob', 'b', '=a.env', 1, 0, $3)`, fingerprint(i), repository, string(l))
	return err
}

// An answer is the answer to a request.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends a request with a token. Header has names and values in turn.
func (s *server) ask(token, method, path, body string, header ...string) answer {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	for _, secret := range s.secrets {
		if strings.Contains(string(text), secret) {
			s.Errorf("%s %s shows a secret", method, path)
		}
	}
	return answer{resp.StatusCode, resp.Header, string(text)}
}

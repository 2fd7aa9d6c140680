//go:build sweep

package teampage_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stanch-dev/stanch/detectors"
	"github.com/stanch-dev/stanch/detectors/detectorstest"
	"github.com/stanch-dev/stanch/scanner/finding"
	"github.com/stanch-dev/stanch/scanner/sweep"
	"github.com/stanch-dev/stanch/scanner/sweep/database"
	"github.com/stanch-dev/stanch/scanner/sweep/riverqueue"
	"github.com/stanch-dev/stanch/verifier"
)

// TestDatabasesForBrowser fills the databases that .ci/page/team.mjs serves and opens in a
// browser, in the folder that STANCH_PAGES names. NAME.json has the secrets that were planted
// in NAME.db.
func TestDatabasesForBrowser(t *testing.T) {
	dir := os.Getenv("STANCH_PAGES")
	if dir == "" {
		t.Skip("STANCH_PAGES is not set")
	}
	for name, n := range map[string]int{"empty": 0, "one": 1, "thirty": 30, "many": 50_000, "odd": 12} {
		store, err := riverqueue.Open(t.Context(), filepath.Join(dir, name+".db"), true)
		if err != nil {
			t.Fatal(err)
		}
		m := &maker{r: rand.New(rand.NewPCG(11, uint64(n))), n: n, now: time.Now().UTC().Truncate(time.Second)}
		if name == "odd" {
			m.odd = hostile
		}
		if err := store.Tx(t.Context(), func(tx *sql.Tx) error {
			return errors.Join(m.fill(t.Context(), tx), store.PutSearch(t.Context(), tx, m.fingerprints))
		}); err != nil {
			t.Fatal(name, err)
		}
		store.Close()
		list, err := json.Marshal(m.planted)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name+".json"), list, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// hostile are names as strangers choose them. {secret} becomes the secret of the finding.
var hostile = []string{
	`<img src=x onerror="pwned()">`,
	`<script>pwned()</script>`,
	`"><svg onload=pwned()>`,
	`'-pwned()-'`,
	`javascript:pwned()`,
	`</title></textarea></noscript><script>pwned()</script>`,
	"\u202egnp.exe\u202c \x1b[31m\x00 \u200b",
	`{{constructor.constructor("pwned()")()}}`,
	`&lt;script&gt;pwned()&lt;/script&gt;`,
	`key-{secret}.env`,
	`=HYPERLINK("http://evil.example/","pwned")`,
	strings.Repeat("W", 300),
}

// A maker makes up the sweep of an organization. The same n makes the same one.
type maker struct {
	r       *rand.Rand
	n       int
	now     time.Time
	odd     []string       // names for everything that a stranger may name
	number  map[string]int // of the first repository at an address
	planted []string
	// fingerprints are those of the findings that were made.
	fingerprints []string
}

var words = []string{"billing", "checkout", "terraform-prod", "mobile-app", "data-pipeline", "website", "monorepo", "infra-tools", "search", "ml-notebooks"}

func (m *maker) repository(i int) string {
	if m.odd != nil {
		return "acme/" + m.odd[i%len(m.odd)]
	}
	name := words[i%len(words)]
	if i >= len(words) {
		name = fmt.Sprintf("%s-%d", name, i/len(words))
	}
	return "acme/" + name
}

// name returns a text that a stranger chose, or plain.
func (m *maker) name(i int, plain, secret string) string {
	if m.odd == nil {
		return plain
	}
	return strings.ReplaceAll(m.odd[i%len(m.odd)], "{secret}", secret)
}

func (m *maker) repositories() int { return min(max(1, m.n/4), 900) }

func (m *maker) ago(d time.Duration) int64 { return database.Millis(m.now.Add(-d)) }

func (m *maker) fill(ctx context.Context, tx *sql.Tx) error {
	begun, ended := m.ago(13*time.Minute), m.ago(12*time.Minute)
	if m.n == 0 {
		ended = 0 // the first sweep still runs
	}
	_, err := database.Exec(ctx, tx, `INSERT INTO target (name, api, options, every_ms, asked, added, begun, ended, full_at, sweep) VALUES ('acme', 'http://127.0.0.1:9', '{}', 0, $1, $2, $1, $3, $1, 9)`,
		begun, m.ago(90*24*time.Hour), ended)
	if err != nil {
		return err
	}
	m.number = map[string]int{}
	for i := range m.repositories() {
		page := "https://github.com/" + m.repository(i)
		if _, there := m.number[page]; !there {
			m.number[page] = i
		}
		state, why := sweep.Unchanged, ""
		if i%97 == 17 || m.odd != nil && i == 1 {
			state, why = "failed", m.name(i, "fetching: the server hung up after 1.2 GB", "")
		}
		_, err := database.Exec(ctx, tx, `INSERT INTO repository (id, target, name, page, fork, archived, private, pushed, due, listed, state, why, at, sweep) VALUES ($1, 'acme', $2, $3, 0, 0, 1, $4, $5, 9, $6, $7, $4, 9)`,
			fmt.Sprint(i), m.repository(i), page, ended, database.Bool(m.n == 0), state, why)
		if err != nil {
			return err
		}
	}
	sink := finding.NewSink(&stored{m: m, ctx: ctx, tx: tx}, finding.Scan{Version: "0.2.0", Source: "sweep", Target: "acme", Started: m.now}, nil, false)
	for i := range m.n {
		if err := sink.Finding(m.finding(i)); err != nil {
			return err
		}
	}
	return sink.Close(finding.Summary{})
}

var rule = &detectors.Rule{ID: "aws-access-key", Title: "AWS access key"}

// finding makes the i-th finding: most are dead, as in real organizations.
func (m *maker) finding(i int) *finding.Finding {
	secret := detectorstest.SecretKey(uint64(i))
	m.planted = append(m.planted, secret)
	account := fmt.Sprintf("%012d", 111122223333+int64(m.r.IntN(12))*1_010_101)
	user := m.name(i, []string{"deploy", "ci", "backup", "terraform", "jdoe", "reporting"}[m.r.IntN(6)], secret)
	f := &finding.Finding{Match: detectors.Match{Rule: rule, Grade: "strong", Confidence: detectors.High,
		Credential: detectors.Credential{ID: fmt.Sprintf("AKIA%09dEXAMPLE", 100_000_000+i), Secret: detectors.NewSecret(secret)}}}
	f.Verdict = verifier.Verdict{State: verifier.Invalid, At: m.now.Add(-11 * time.Minute), Identity: verifier.Identity{Account: account}}
	live := max(min(m.n, 4), m.n/100)
	switch {
	case i == 0 && m.n > 1:
		f.Verdict.State, f.Verdict.Identity = verifier.Live, verifier.Identity{Account: account, Kind: "root", ARN: "arn:aws:iam::" + account + ":root"}
	case i < live:
		f.Verdict.State, f.Verdict.Identity = verifier.Live, verifier.Identity{Account: account, Kind: "user", Name: user, ARN: "arn:aws:iam::" + account + ":user/" + user}
		f.Verdict.Facts = []verifier.Fact{{Name: "policy", Value: m.name(i, "AdministratorAccess", secret), Risk: 3}, {Name: "age", Value: "412 days", Risk: 1}}
	case i < live+m.n/20:
		f.Verdict.State, f.Verdict.Reason = verifier.Unknown, m.name(i, "no connection to STS", secret)
	case i%19 == 0:
		f.Verdict.State = verifier.CanarySuspected
	}
	for k := range 1 + m.r.IntN(3) {
		number := m.r.IntN(m.repositories())
		f.Locations = append(f.Locations, finding.Location{
			Kind: finding.KindBlob, Repo: "https://github.com/" + m.repository(number), Path: m.name(i+k, []string{"config/prod.env", "deploy/terraform.tfvars", "src/settings.py", ".github/workflows/ci.yml"}[k%4], secret),
			Line: 3 + k, Commit: detectorstest.Hex(40, uint64(i*4+k)), Blob: finding.BlobID(detectorstest.Hex(40, uint64(i*4+k+1))), AtHead: k == 0,
			Author: m.name(i, "Sam Example", secret), Email: "sam@acme.example", Time: m.now.AddDate(0, 0, -m.r.IntN(400)), Refs: []string{m.name(i, "main", secret)},
		})
	}
	return f
}

// stored keeps the findings of a sink, which has removed their secrets, in the database.
type stored struct {
	finding.Handler
	m   *maker
	ctx context.Context
	tx  *sql.Tx
	i   int
}

func (s *stored) Scan(finding.Scan) error             { return nil }
func (s *stored) Repository(finding.Repository) error { return nil }
func (s *stored) Summary(finding.Summary) error       { return nil }

func (s *stored) Finding(f finding.Finding) error {
	i, m := s.i, s.m
	m.fingerprints = append(m.fingerprints, f.Fingerprint())
	s.i++
	age := time.Duration(1+m.r.IntN(120*24)) * time.Hour
	if i%37 == 1 || m.n > 1 && i < 2 {
		age = time.Duration(1+m.r.IntN(20)) * time.Hour
	}
	first, dead := m.ago(age), int64(0)
	if f.Verdict.State == verifier.Invalid && i%3 == 0 {
		dead = m.ago(age - min(age, time.Duration(m.r.IntN(1+min(int(age/time.Minute), 7000)))*time.Minute))
	}
	locations := f.Locations
	f.Locations = nil
	record, err := database.MarshalRecord(&f)
	if err != nil {
		return err
	}
	status, owner := "open", ""
	switch {
	case m.odd != nil:
		status, owner = "acknowledged", m.name(i, "", "")
	case f.Verdict.State == verifier.Live && i%4 == 2:
		status, owner = "acknowledged", "sam"
	case f.Verdict.State == verifier.Live && i%4 == 3:
		owner = "ada"
	case f.Verdict.State == verifier.Invalid && i%2 == 0:
		status, owner = "fixed", []string{"ada", "sam", "kim"}[i%3]
	}
	_, err = database.Exec(s.ctx, s.tx, `INSERT INTO finding (fingerprint, key_id, account, state, reason, ignored, verified, first_seen, last_seen, dead_since, record, skipped, status, status_by, owner, comment)
		VALUES ($1, $2, $3, $4, $5, '', $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`, f.Fingerprint(), f.Match.Credential.ID, f.Verdict.Identity.Account, string(f.Verdict.State), f.Verdict.Reason,
		database.Millis(f.Verdict.At), first, m.ago(12*time.Minute), dead, string(record), f.Skipped(), status, owner, owner, m.name(i, "", ""))
	if err != nil {
		return err
	}
	if f.Verdict.State == verifier.Live || dead > 0 {
		if err := s.verdict(f.Fingerprint(), verifier.Live, first); err != nil {
			return err
		}
	}
	if dead > 0 {
		if err := s.verdict(f.Fingerprint(), verifier.Invalid, dead+1); err != nil {
			return err
		}
	}
	for k := range locations {
		if err := s.location(f.Fingerprint(), k, &locations[k], first); err != nil {
			return err
		}
	}
	return nil
}

func (s *stored) location(fingerprint string, k int, l *finding.Location, first int64) error {
	record, err := database.MarshalRecord(l)
	if err != nil {
		return err
	}
	_, err = database.Exec(s.ctx, s.tx, `INSERT INTO location (fingerprint, repository, place, kind, blob, path, at_head, first_seen, record)
		VALUES ($1, (SELECT number FROM repository WHERE target = 'acme' AND id = $9), $2, $3, $4, $5, $6, $7, $8)`,
		fingerprint, fmt.Sprint(k), string(l.Kind), string(l.Blob), l.Path, database.Bool(l.AtHead), first, string(record), fmt.Sprint(s.m.number[l.Repo]))
	return err
}

func (s *stored) verdict(fingerprint string, state verifier.State, at int64) error {
	_, err := database.Exec(s.ctx, s.tx, `INSERT INTO verification (fingerprint, at, state, reason, account) VALUES ($1, $2, $3, '', '')`, fingerprint, at, string(state))
	return err
}
